"""The steps of a Stepper, which updates the list of arrays with its own code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optbench.contracts import Array, StepContext, Stepper, Values
from optbench.engine.loops.products import matmul
from optbench.errors import PluginError


class StepperSteps:
    """The state of a Stepper, and its steps.

    Args:
        stepper: The Stepper class.
        params: Arrays to train, changed in place.
        h: Hyperparameter values before the first step.
        total_steps: Number of updates in the whole run, as far as it is known.
        rng: The optimizer's own random stream.
        layers: Index pairs (weight, bias) into `params`; empty if they do not belong to a network.
    """

    def __init__(
        self,
        stepper: type[Stepper],
        params: list[Array],
        h: Values,
        total_steps: int,
        rng: np.random.Generator | None,
        layers: tuple[tuple[int, int], ...],
    ) -> None:
        self._name = stepper.name
        self._params = params
        self._context = StepContext(
            t=0, h=h, declared=stepper.needs, total_steps=total_steps, rng=rng, layers=layers,
            matmul=matmul,
        )  # fmt: skip
        self._stepper = stepper()
        self._state = self._stepper.init(list(params), self._context)

    @property
    def used(self) -> frozenset[str]:
        """Needs that the Stepper has used so far."""
        return frozenset(self._context.used)

    @property
    def state(self) -> object:
        """The Stepper with its attributes, and what its `init` and `step` return."""
        return self._stepper, self._state

    def step(
        self,
        grads: list[Array],
        t: int,
        h: Values,
        loss: float,
        closure: Callable[[], float] | None,
    ) -> None:
        """Let the Stepper update the arrays.

        Raises:
            PluginError: The Stepper replaces arrays of the list instead of writing into them.
        """
        context = self._context
        context.begin_step(t, h, loss, closure)
        params = list(self._params)
        state = self._stepper.step(params, grads, self._state, context)
        if len(params) != len(self._params) or any(
            before is not after for before, after in zip(self._params, params, strict=True)
        ):
            raise PluginError(
                f"optimizer '{self._name}': step must write into the arrays of params "
                "(p[...] = ...), not put others in their place"
            )
        self._state = self._state if state is None else state

    def expect(self, total_steps: int) -> None:
        """Change the number of updates that the context gives the Stepper."""
        self._context.expect(total_steps)

    def eval_params(self) -> list[Array]:
        """Return the point at which to evaluate, in the dtypes of the arrays.

        Raises:
            PluginError: The shapes differ from those of the arrays.
        """
        params = self._params
        point = self._stepper.eval_params(list(params), self._state, self._context)
        if point is None:
            return params
        shapes, expected = [np.shape(p) for p in point], [p.shape for p in params]
        if shapes != expected:
            raise PluginError(
                f"optimizer '{self._name}': eval_params returned shapes {shapes}, not {expected}"
            )
        return [np.asarray(p, dtype=m.dtype) for p, m in zip(point, params, strict=True)]
