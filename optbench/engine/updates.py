"""One interface over both optimizer contracts: what updates arrays in place, step by step.

This is the readable form of what the compiled loop does for Rules; `trajectory` and the stepped
loop are built on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from optbench.contracts import Array, Optimizer, Rule, StepContext, Stepper, Value, Values
from optbench.errors import PluginError
from optbench.records import StepControl
from optbench.schedules import factors

NO_CONTROL = StepControl()


class Updater:
    """Applies an optimizer to a list of arrays in place.

    Args:
        optimizer: Rule or Stepper class.
        hyper: value of every hyperparameter.
        params: arrays to train, changed in place.
        total_steps: updates in the whole run.
        control: schedule and clipping.
        rng: stream for optimizers that declare ``"rng"``.
        layers: index pairs (weight, bias) into `params`, where these are a network's.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        hyper: Mapping[str, Value],
        params: list[Array],
        total_steps: int,
        control: StepControl = NO_CONTROL,
        rng: np.random.Generator | None = None,
        layers: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.params = params
        self._hyper = dict(hyper)
        self._values = Values(hyper)
        self._factors = factors(control, total_steps)
        self._clip = control.clip_norm
        self.t = 0
        self._rule: type[Rule] | None = None
        self._stepper: Stepper | None = None
        self._context = StepContext(
            t=0,
            h=self._values,
            declared=optimizer.needs,
            _total_steps=total_steps,
            _rng=rng,
            _layers=tuple(layers),
        )
        if issubclass(optimizer, Rule):
            self._rule = optimizer
            self._slots = [initial_slots(optimizer, p, self._values) for p in params]
            self._scalars = tuple(optimizer.scalars.values())
        else:
            self._stepper = optimizer()
            self._state = self._stepper.init(params, self._context)

    def _values_at(self, t: int) -> Values:
        factor = self._factors[min(t, len(self._factors)) - 1]
        if factor == 1.0:
            return self._values
        return Values({**self._hyper, "lr": float(self._hyper["lr"]) * float(factor)})

    def step(
        self,
        grads: list[Array],
        loss: float = float("nan"),
        closure: Callable[[], float] | None = None,
    ) -> None:
        """Take one step along `grads`; `closure` evaluates anew and refills `grads`."""
        self.t += 1
        h = self._values_at(self.t)
        clip_by_global_norm(grads, self._clip)
        if self._rule is not None:
            self._step_rule(self._rule, grads, h)
        elif self._stepper is not None:
            context = self._context
            context.t, context.h, context.loss = self.t, h, loss
            context._closure = self._clipped(closure, grads) if closure else None
            state = self._stepper.step(self.params, grads, self._state, context)
            self._state = self._state if state is None else state

    def _clipped(self, closure: Callable[[], float], grads: list[Array]) -> Callable[[], float]:
        def evaluate() -> float:
            loss = closure()
            clip_by_global_norm(grads, self._clip)
            return loss

        return evaluate if self._clip else closure

    def _step_rule(self, rule: type[Rule], grads: list[Array], h: Values) -> None:
        n_slots = len(rule.slots)
        scalars = self._scalars
        for index, (theta, grad) in enumerate(zip(self.params, grads, strict=True)):
            result = rule.update(theta, grad, *self._slots[index], *scalars, self.t, h)
            expected = 1 + n_slots + len(scalars)
            if not isinstance(result, tuple) or len(result) != expected:
                raise PluginError(
                    f"optimizer '{rule.name}': update must return a tuple of {expected}: "
                    f"{', '.join(('theta', *rule.slots, *rule.scalars))}"
                )
            # Copied before theta changes: a rule may keep the gradient or the old theta as a slot,
            # and both buffers are written again.
            self._slots[index] = [np.array(s, dtype=theta.dtype) for s in result[1 : 1 + n_slots]]
            theta[...] = result[0]
            self._scalars = result[1 + n_slots :]

    @property
    def used(self) -> frozenset[str]:
        """The needs that the optimizer has made use of so far."""
        return frozenset(self._context.used)

    def eval_params(self) -> list[Array]:
        """The point at which to evaluate."""
        if self._stepper is None:
            return self.params
        point = self._stepper.eval_params(self.params, self._state, self._context)
        return self.params if point is None else point


def initial_slots(rule: type[Rule], theta: Array, h: Values) -> list[Array]:
    """The state arrays of a Rule before its first step."""
    given = rule.init(theta, h)
    if given is None:
        return [np.zeros_like(theta) for _ in rule.slots]
    if len(given) != len(rule.slots):
        raise PluginError(
            f"optimizer '{rule.name}': init returned {len(given)} slots, not {len(rule.slots)}"
        )
    return [np.array(slot, dtype=theta.dtype) for slot in given]


def clip_by_global_norm(grads: list[Array], limit: float) -> None:
    """Scale the gradients in place so that their joint L2 norm is at most `limit` (0: no limit)."""
    if limit <= 0:
        return
    norm = float(np.sqrt(sum(float(np.vdot(g, g)) for g in grads)))
    if norm > limit:
        for grad in grads:
            np.multiply(grad, grad.dtype.type(limit / norm), out=grad)
