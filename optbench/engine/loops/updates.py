"""One interface over both optimizer contracts: what updates arrays in place, step by step.

This is the readable form of what the compiled loop does for Rules; `trajectory` and the stepped
loop are built on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from optbench.contracts import Array, Optimizer, Rule, Schedule, StepContext, Stepper, Value, Values
from optbench.errors import OptbenchError, PluginError, describe_error
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
        schedule: learning-rate schedule; None for a constant rate.
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
        schedule: type[Schedule] | None = None,
    ) -> None:
        self.params = params
        self._hyper = dict(hyper)
        self._values = Values(hyper)
        self._factors = factors(schedule, control, total_steps)
        self._clip = control.clip_norm
        self.t = 0
        self._name, self._optimizer = optimizer.name, optimizer
        self._outside: Exception | None = None
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
        try:
            if issubclass(optimizer, Rule):
                self._rule = optimizer
                self._slots = [initial_slots(optimizer, p, self._values) for p in params]
                self._scalars = tuple(optimizer.scalars.values())
            else:
                self._stepper = optimizer()
                self._state = self._stepper.init(list(params), self._context)
        except Exception as cause:
            self._blame(cause)

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
        try:
            if self._rule is not None:
                self._step_rule(self._rule, grads, h)
            elif self._stepper is not None:
                context = self._context
                context.t, context.h, context.loss = self.t, h, loss
                context._closure = self._clipped(closure, grads) if closure else None
                self._step_stepper(self._stepper, grads, context)
        except Exception as cause:
            self._blame(cause)

    def _blame(self, cause: Exception) -> NoReturn:
        """What an optimizer raises is told as its fault; what its closure raises is not."""
        if cause is self._outside or isinstance(cause, OptbenchError):
            raise cause
        text = describe_error(cause, self._optimizer)
        raise PluginError(f"optimizer '{self._name}': {text}") from cause

    def _clipped(self, closure: Callable[[], float], grads: list[Array]) -> Callable[[], float]:
        def evaluate() -> float:
            try:
                loss = closure()
            except Exception as cause:
                self._outside = cause
                raise
            clip_by_global_norm(grads, self._clip)
            return loss

        return evaluate

    def _step_stepper(self, stepper: Stepper, grads: list[Array], context: StepContext) -> None:
        given = list(self.params)
        state = stepper.step(given, grads, self._state, context)
        if len(given) != len(self.params) or any(
            mine is not theirs for mine, theirs in zip(self.params, given, strict=True)
        ):
            raise PluginError(
                f"optimizer '{self._name}': step must write into the arrays of params "
                "(p[...] = ...), not put others in their place"
            )
        self._state = self._state if state is None else state

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
            slots = result[1 : 1 + n_slots]
            self._slots[index] = [
                np.array(fitting(slot, theta, rule, name), dtype=theta.dtype)
                for slot, name in zip(slots, rule.slots, strict=True)
            ]
            theta[...] = fitting(result[0], theta, rule, "theta")
            self._scalars = result[1 + n_slots :]
            _check_scalars(rule, self._scalars)

    @property
    def used(self) -> frozenset[str]:
        """The needs that the optimizer has made use of so far."""
        return frozenset(self._context.used)

    def eval_params(self) -> list[Array]:
        """The point at which to evaluate."""
        if self._stepper is None:
            return self.params
        try:
            point = self._stepper.eval_params(list(self.params), self._state, self._context)
            if point is None:
                return self.params
            shapes, expected = [np.shape(p) for p in point], [p.shape for p in self.params]
            if shapes != expected:
                raise PluginError(
                    f"optimizer '{self._name}': eval_params returned shapes {shapes}, "
                    f"not {expected}"
                )
            return [np.asarray(p, dtype=m.dtype) for p, m in zip(point, self.params, strict=True)]
        except Exception as cause:
            self._blame(cause)


def initial_slots(rule: type[Rule], theta: Array, h: Values) -> list[Array]:
    """The state arrays of a Rule before its first step."""
    try:
        made = rule.init(theta, h)
        if made is None:
            return [np.zeros_like(theta) for _ in rule.slots]
        given = list(made)
    except Exception as cause:
        raise PluginError(
            f"optimizer '{rule.name}': init: {describe_error(cause, rule)}"
        ) from cause
    if len(given) != len(rule.slots):
        raise PluginError(
            f"optimizer '{rule.name}': init returned {len(given)} slots, not {len(rule.slots)}"
        )
    pairs = zip(given, rule.slots, strict=True)
    return [
        np.array(np.broadcast_to(fitting(slot, theta, rule, name), theta.shape), dtype=theta.dtype)
        for slot, name in pairs
    ]


def fitting(value: Any, theta: Array, rule: type[Rule], name: str) -> Any:
    """What a Rule returned for an array, if it is one of theta's shape, or a single number.

    Raises:
        PluginError: it is anything else; numpy would stretch it, or drop an imaginary part.
    """
    if isinstance(value, np.ndarray) and value.dtype == theta.dtype and value.shape == theta.shape:
        return value
    try:
        found = np.asarray(value)
    except Exception as cause:
        raise PluginError(f"optimizer '{rule.name}': {name}: {describe_error(cause)}") from cause
    if found.shape not in (theta.shape, ()) or found.dtype.kind not in "fiub":
        raise PluginError(
            f"optimizer '{rule.name}': {name} came back as {found.dtype} of shape {found.shape}, "
            f"not as {theta.dtype} of shape {theta.shape}"
        )
    return found


def _check_scalars(rule: type[Rule], values: Sequence[object]) -> None:
    for value, name in zip(values, rule.scalars, strict=True):
        try:
            if not isinstance(value, int | float | np.floating | np.integer | np.bool_):
                raise TypeError
            float(value)
        except (TypeError, OverflowError):
            raise PluginError(
                f"optimizer '{rule.name}': {name} came back as {type(value).__name__}, "
                "not as a number that fits into float64"
            ) from None


def clip_by_global_norm(grads: list[Array], limit: float) -> None:
    """Scale the gradients in place so that their joint L2 norm is at most `limit` (0: no limit)."""
    if limit <= 0:
        return
    norm = float(np.sqrt(sum(float(np.vdot(g, g)) for g in grads)))
    if norm > limit:
        for grad in grads:
            np.multiply(grad, grad.dtype.type(limit / norm), out=grad)
