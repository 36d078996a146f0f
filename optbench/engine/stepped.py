"""The stepped loop: NumPy, one update at a time, any optimizer. The oracle of the compiled loop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optbench.contracts import Array
from optbench.engine.problem import Problem
from optbench.engine.streams import stream
from optbench.engine.updates import Updater
from optbench.network import Params, unpack

LossAndGrad = Callable[[Params, Array, Array], tuple[float, Params]]


class SteppedLoop:
    """Trains one problem step by step.

    Args:
        problem: the run, resolved.
        loss_and_grad: by default the network's own in NumPy.

    Attributes:
        updates: updates made so far.
        examples: gradients of examples computed so far, closure calls included.
        grad_evals: gradient evaluations so far.
    """

    kind = "stepped"

    def __init__(self, problem: Problem, loss_and_grad: LossAndGrad | None = None) -> None:
        self._problem = problem
        self._network = problem.network
        self._loss_and_grad = loss_and_grad or problem.network.loss_and_grad
        self.flat = problem.theta0.copy()
        self.params = unpack(self.flat, self._network.sizes)
        self._arrays = [part for pair in self.params for part in pair]
        self._grads = [np.empty_like(part) for part in self._arrays]
        self._updater = Updater(
            problem.optimizer,
            problem.spec.hyper,
            self._arrays,
            problem.total_updates,
            problem.spec.control,
            stream("optimizer", problem.spec.seed),
            [(i, i + 1) for i in range(0, len(self._arrays), 2)],
        )
        self.updates = 0
        self.examples = 0
        self.grad_evals = 0

    def _batch(self) -> tuple[Array, Array]:
        problem = self._problem
        x, y = problem.train
        if problem.order is None:
            return x, y
        epoch, index = divmod(self.updates, problem.updates_per_epoch)
        size = problem.spec.batch_size
        rows = problem.order[epoch, index * size : (index + 1) * size]
        return x[rows], y[rows]

    def advance(self, examples: int) -> None:
        """Train until at least so many gradients of examples have been computed."""
        while self.examples < examples and self.updates < self._problem.total_updates:
            x, y = self._batch()

            def evaluate(x: Array = x, y: Array = y) -> float:
                loss, grads = self._loss_and_grad(self.params, x, y)
                parts = (part for pair in grads for part in pair)
                for buffer, part in zip(self._grads, parts, strict=True):
                    buffer[...] = part
                self.examples += len(x)
                self.grad_evals += 1
                return loss

            self._updater.step(self._grads, evaluate(), evaluate)
            self.updates += 1

    def evaluation_point(self) -> Params:
        """The parameters to evaluate, as weight and bias of each layer."""
        arrays = self._updater.eval_params()
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    def evaluate(self, x: Array, y: Array) -> tuple[float, float]:
        """Mean loss and metric at the evaluation point."""
        return self._network.evaluate(self.evaluation_point(), x, y)
