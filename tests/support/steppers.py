"""The frame of a Stepper, for tests that write only its step."""

from __future__ import annotations

from optbench import Array, StepContext, Stepper, hyper


class Stateless(Stepper):
    """A Stepper with a learning rate and no state."""

    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1.0))

    def init(self, params: list[Array], context: StepContext) -> None:
        return None
