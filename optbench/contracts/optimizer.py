"""The two contracts of an optimizer: a Rule is a formula, a Stepper is everything else."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from optbench.contracts.declarations import Values
from optbench.contracts.plugin import Array, Need, Plugin
from optbench.errors import PluginError


class Rule(Plugin):
    """An optimizer that is its textbook formula, elementwise and pure.

    The body of `update` runs on NumPy arrays (the reference), and is compiled to one fused loop.
    For that it consists of assignments, arithmetic, comparisons, ``a if scalar else b`` and NumPy's
    elementwise functions (``np.sqrt``, ``np.where`` and so on). Any other body trains in the slower
    stepped loop, and ``optbench show`` says why.

    Example:
        >>> from optbench import Rule, decay, hyper
        >>> class Momentum(Rule):
        ...     '''Momentum as an average of gradients.'''
        ...     name = "my-momentum"
        ...     lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))
        ...     beta: float = decay(0.9, "decay of the average")
        ...     slots = ("v",)
        ...     @staticmethod
        ...     def update(theta, grad, v, t, h):
        ...         v = h.beta * v + (1 - h.beta) * grad
        ...         return theta - h.lr * v, v
    """

    slots: ClassVar[tuple[str, ...]] = ()
    """Names of the state arrays, each with shape and dtype of theta, 0 at the start."""
    scalars: ClassVar[Mapping[str, float]] = {}
    """Names of the scalar states, with their values before the first step (float64)."""

    update: ClassVar[Callable[..., tuple[Any, ...]]]
    """Static: ``update(theta, grad, *slots, *scalars, t, h) -> (theta, *slots, *scalars)``.

    ``theta``, ``grad`` and the slots are arrays of one shape and dtype; ``t`` is the number of the
    step, 1 at the first; ``h`` holds the hyperparameter values (float64).
    """

    @staticmethod
    def init(theta: Array, h: Values) -> tuple[Array, ...] | None:
        """Return the slots before the first step; None for zeros."""
        return None


class StepContext:
    """What a Stepper may use in `init` and `step`; a need that is not in `needs` is refused.

    The harness makes one for each run, and `begin_step` moves it on to the next step.

    Args:
        t: Number of this step, 1 at the first; 0 in `init`.
        h: Hyperparameter values of this step; a schedule has been applied to the rate.
        declared: The optimizer's `needs`.
        loss: Loss of the batch at the parameters that `step` is given; NaN in `init`.
        closure: See the property, as for all that follow; None where there is none.
        total_steps: Number of updates in the whole run.
        rng: Random stream of the optimizer.
        layers: Index pairs (weight, bias) into ``params``.
        matmul: See the attribute.

    Attributes:
        t: Number of this step.
        h: Hyperparameter values of this step.
        declared: The optimizer's `needs`.
        loss: Loss of the batch.
        used: Needs that the optimizer has used so far.
        matmul: ``matmul(a, b)`` returns the product ``a @ b`` of two matrices of one dtype, with
            the same bits on every machine, which BLAS, behind ``@``, does not promise.

    Example:
        >>> import optbench
        >>> h = optbench.Values({"lr": 0.1})
        >>> context = optbench.StepContext(1, h, frozenset({"total_steps"}), total_steps=100)
        >>> context.h.lr, context.total_steps
        (0.1, 100)
    """

    def __init__(
        self,
        t: int,
        h: Values,
        declared: frozenset[Need],
        loss: float = math.nan,
        *,
        closure: Callable[[], float] | None = None,
        total_steps: int | None = None,
        rng: np.random.Generator | None = None,
        layers: tuple[tuple[int, int], ...] = (),
        matmul: Callable[[Array, Array], Array] = np.matmul,
    ) -> None:
        self.declared = declared
        self.matmul = matmul
        self.used: set[Need] = set()
        self._total_steps, self._rng, self._layers = total_steps, rng, layers
        self.begin_step(t, h, loss, closure)

    def begin_step(
        self, t: int, h: Values, loss: float, closure: Callable[[], float] | None = None
    ) -> None:
        """Move on to a step; for the harness."""
        self.t, self.h, self.loss, self._closure = t, h, loss, closure

    def expect(self, total_steps: int) -> None:
        """Change the number of updates in the whole run; for the harness."""
        self._total_steps = total_steps

    def _use(self, need: Need) -> None:
        if need not in self.declared:
            raise PluginError(f"the optimizer uses '{need}' without declaring it in `needs`")
        self.used.add(need)

    @property
    def closure(self) -> Callable[[], float]:
        """Evaluates loss and gradient at the current parameters (need ``"closure"``).

        It writes the gradient into the ``grads`` arrays that `step` was given, and returns the
        loss. Every call counts as a gradient evaluation.
        """
        self._use("closure")
        if self._closure is None:
            raise PluginError("a closure exists in `step` only, not in `init`")
        return self._closure

    @property
    def total_steps(self) -> int:
        """Number of updates in the whole run (need ``"total_steps"``).

        A run ends when its gradient evaluations are used up, so an update that takes `k` of them
        leaves a `k`-th of the updates. If the number varies from update to update, this is an
        estimate that is renewed at each of them.
        """
        self._use("total_steps")
        if self._total_steps is None:
            raise PluginError("the total number of steps is not known here")
        return self._total_steps

    @property
    def rng(self) -> np.random.Generator:
        """Random stream of the optimizer, fixed by the seed of the run (need ``"rng"``)."""
        self._use("rng")
        if self._rng is None:
            raise PluginError("no random stream exists here")
        return self._rng

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Pairs of indices into ``params``, weight and bias of each layer (need ``"layers"``).

        Empty when the parameters are not those of a network (`optbench.trajectory`).
        """
        self._use("layers")
        return self._layers


class Stepper(Plugin, ABC):
    """An optimizer that sees whole layers, keeps any state, or needs more than one gradient.

    One instance may serve several runs: keep everything in the state that `init` returns.
    ``params`` are views into the network's buffer in the order W1, b1, ..., WL, bL; a weight has
    shape (n_in, n_out), a bias (n_out,).

    ``needs`` may hold ``"closure"``, ``"layers"``, ``"total_steps"``, ``"rng"``, and
    ``"full-batch"`` for an optimizer that is defined only on the full gradient.

    Example:
        >>> from optbench import StepContext, Stepper, Values, hyper
        >>> class Normalized(Stepper):
        ...     '''A step of the same length for every array.'''
        ...     name = "normalized"
        ...     lr: float = hyper(0.1, "length of a step", low=0)
        ...     def init(self, params, context):
        ...         return None
        ...     def step(self, params, grads, state, context):
        ...         for theta, grad in zip(params, grads):
        ...             theta -= context.h.lr * grad / (np.linalg.norm(grad) + 1e-12)
        >>> theta = np.array([3.0, 4.0])
        >>> context = StepContext(1, Values({"lr": 1.0}), Normalized.needs)
        >>> Normalized().step([theta], [theta.copy()], None, context)
        >>> theta.round(6).tolist()
        [2.4, 3.2]
    """

    @abstractmethod
    def init(self, params: list[Array], context: StepContext) -> Any:
        """Return the state before the first step."""

    @abstractmethod
    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> Any:
        """Update every array of `params` in place.

        Args:
            params: Arrays to train; write into them, do not replace them.
            grads: Gradient of each array; do not write to them. Only the closure does.
            state: State that the last call returned.
            context: Hyperparameter values, number of the step, and declared needs.

        Returns:
            The new state; None keeps the old one.
        """

    def eval_params(
        self, params: list[Array], state: Any, context: StepContext
    ) -> list[Array] | None:
        """Return the point at which the network is evaluated; None for `params`.

        Schedule-free methods train at one point and are evaluated at another. `params` must not be
        changed.
        """
        return None


Optimizer = type[Rule] | type[Stepper]
