"""One interface over Rules and Steppers: arrays that are updated in place, step by step.

This is the readable equivalent of the compiled loop for Rules. The stepped loop and
`trajectory` are built on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, Protocol

import numpy as np

from optbench.contracts import Array, Optimizer, Rule, Schedule, Value, Values, rate_of
from optbench.engine.loops.rule_steps import RuleSteps
from optbench.engine.loops.stepper_steps import StepperSteps
from optbench.errors import OptbenchError, PluginError, describe_error
from optbench.records import StepControl
from optbench.schedules import factor_at, factors

NO_CONTROL = StepControl()

Closure = Callable[[], float]
"""Function that returns the loss at the current parameters and writes the gradient in place."""


class Steps(Protocol):
    """The steps of one optimizer over one list of arrays, `RuleSteps` or `StepperSteps`."""

    @property
    def used(self) -> frozenset[str]:
        """Needs that the optimizer has used so far."""

    @property
    def state(self) -> object:
        """What the optimizer keeps between steps: arrays, in containers or objects of its own."""

    def step(
        self, grads: list[Array], t: int, h: Values, loss: float, closure: Closure | None
    ) -> None:
        """Take step number `t` with the gradient `grads`."""

    def expect(self, total_steps: int) -> None:
        """Change the number of updates that the optimizer is told."""

    def eval_params(self) -> list[Array]:
        """Return the point at which to evaluate."""


class Updater:
    """Applies an optimizer to a list of arrays in place.

    Args:
        optimizer: Rule or Stepper class.
        hyper: Value of every hyperparameter.
        params: Arrays to train, changed in place.
        total_steps: Number of updates in the whole run, as far as it is known.
        control: Schedule and clipping.
        rng: Stream for optimizers that declare ``"rng"``.
        layers: Index pairs (weight, bias) into `params`, if they belong to a network.
        schedule: Learning-rate schedule; None for a constant rate.

    Attributes:
        params: The arrays.
        t: Number of steps taken.
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
        self.t = 0
        self._optimizer = optimizer
        self._hyper = dict(hyper)
        self._values = Values(hyper)
        self._rate = rate_of(optimizer)
        self._schedule, self._control, self._total_steps = schedule, control, total_steps
        self._factors: Array | None = factors(schedule, control, total_steps)
        self._clip_norm = control.clip_norm
        self._closure_error: Exception | None = None
        self._steps: Steps
        try:
            if issubclass(optimizer, Rule):
                self._steps = RuleSteps(optimizer, params, self._values)
            else:
                self._steps = StepperSteps(
                    optimizer, params, self._values, total_steps, rng, tuple(layers)
                )
        except Exception as cause:
            self._blame(cause)

    @property
    def used(self) -> frozenset[str]:
        """Needs that the optimizer has used so far."""
        return self._steps.used

    @property
    def state(self) -> object:
        """What the optimizer keeps between steps: arrays, in containers or objects of its own."""
        return self._steps.state

    def step(
        self, grads: list[Array], loss: float = float("nan"), closure: Closure | None = None
    ) -> None:
        """Take one step.

        Args:
            grads: The gradient, one array per array of `params`; clipped in place.
            loss: The loss at the current parameters.
            closure: Function that computes the loss again and refills `grads`.

        Raises:
            PluginError: The optimizer fails.
        """
        self.t += 1
        h = self._values_at(self.t)
        clip_by_global_norm(grads, self._clip_norm)
        if closure is not None:
            closure = self._clipped(closure, grads)
        try:
            self._steps.step(grads, self.t, h, loss, closure)
        except Exception as cause:
            self._blame(cause)

    def expect(self, total_steps: int) -> None:
        """Change the number of updates in the whole run, by which schedule and optimizer go."""
        if total_steps != self._total_steps:
            self._total_steps, self._factors = total_steps, None
            self._steps.expect(total_steps)

    def eval_params(self) -> list[Array]:
        """Return the point at which to evaluate.

        Raises:
            PluginError: The optimizer fails.
        """
        try:
            return self._steps.eval_params()
        except Exception as cause:
            self._blame(cause)

    def _values_at(self, t: int) -> Values:
        """Return the hyperparameters of step `t`, with the schedule applied to the rate."""
        last = min(t, self._total_steps)
        if self._factors is None:
            factor = factor_at(self._schedule, self._control, self._total_steps, last)
        else:
            factor = float(self._factors[last - 1])
        if factor == 1.0 or self._rate is None:
            return self._values
        name = self._rate.name
        return Values({**self._hyper, name: float(self._hyper[name]) * factor})

    def _clipped(self, closure: Closure, grads: list[Array]) -> Closure:
        """Return a closure that clips like `step` and records the exception that it raises."""

        def evaluate() -> float:
            try:
                loss = closure()
            except Exception as cause:
                self._closure_error = cause
                raise
            clip_by_global_norm(grads, self._clip_norm)
            return loss

        return evaluate

    def _blame(self, cause: Exception) -> NoReturn:
        """Raise a PluginError that names the optimizer, unless its closure caused the error."""
        if cause is self._closure_error or isinstance(cause, OptbenchError):
            raise cause
        text = describe_error(cause, self._optimizer)
        raise PluginError(f"optimizer '{self._optimizer.name}': {text}") from cause


def clip_by_global_norm(grads: list[Array], limit: float) -> None:
    """Scale the gradients in place so that their joint L2 norm is at most `limit` (0: no limit)."""
    if limit <= 0:
        return
    # Not np.vdot: BLAS sums in an order that depends on the processor.
    norm = math.sqrt(sum(float(np.square(g, dtype=np.float64).sum()) for g in grads))
    if norm > limit:
        for grad in grads:
            np.multiply(grad, grad.dtype.type(limit / norm), out=grad)
