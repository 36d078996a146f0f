"""The stepped loop in NumPy: any optimizer, one update at a time. Reference for tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optbench.contracts import Array
from optbench.data.streams import stream
from optbench.engine.loops.updates import Updater
from optbench.engine.problem import Problem
from optbench.network import Params, pack, unpack

LossAndGrad = Callable[[Array, Array, Array], float]
"""Function (flat parameters, flat gradient to fill, rows of the training part) -> mean loss."""


class SteppedLoop:
    """Trains one problem step by step.

    Args:
        problem: The resolved run.
        loss_and_grad: Function for loss and gradient; that of the network in NumPy by default.
        evaluate: Function (flat parameters, x, y) -> mean loss and metric; that of the network in
            NumPy by default.

    Attributes:
        updates: Number of updates made so far.
        examples: Number of per-example gradients computed so far, including closure calls.
        grad_evals: Number of gradient evaluations so far.
    """

    kind = "stepped"

    def __init__(
        self,
        problem: Problem,
        loss_and_grad: LossAndGrad | None = None,
        evaluate: Callable[[Array, Array, Array], tuple[float, float]] | None = None,
    ) -> None:
        self._problem = problem
        self._network = problem.network
        self._loss_and_grad = loss_and_grad or self._reference_loss_and_grad
        self._evaluate = evaluate or self._reference_evaluate
        self._all_rows = np.arange(problem.n_train, dtype=np.int32)
        self._all_rows.setflags(write=False)
        self.flat = problem.theta0.copy()
        self.params = unpack(self.flat, self._network.sizes)
        self._arrays = [part for pair in self.params for part in pair]
        self._flat_grad = np.empty_like(self.flat)
        grads = unpack(self._flat_grad, self._network.sizes)
        self._grads = [part for pair in grads for part in pair]
        self._updater = Updater(
            problem.optimizer,
            problem.spec.hyper,
            self._arrays,
            problem.total_updates,
            problem.spec.control,
            stream("optimizer", problem.spec.seed),
            [(i, i + 1) for i in range(0, len(self._arrays), 2)],
            problem.schedule,
        )
        self.updates = 0
        self.examples = 0
        self.grad_evals = 0

    def _batch(self) -> Array:
        """Return the rows of the training part for the next update."""
        problem = self._problem
        if problem.order is None:
            return self._all_rows
        epoch, index = divmod(self.updates, problem.updates_per_epoch)
        size = problem.spec.batch_size
        return problem.order[epoch, index * size : (index + 1) * size]

    def _reference_loss_and_grad(self, flat: Array, flat_grad: Array, rows: Array) -> float:
        x, y = self._problem.train
        params = unpack(flat, self._network.sizes)
        loss, grads = self._network.loss_and_grad(params, x[rows], y[rows])
        flat_grad[...] = pack(grads, flat_grad.dtype.name)
        return loss

    def _reference_evaluate(self, flat: Array, x: Array, y: Array) -> tuple[float, float]:
        return self._network.evaluate(unpack(flat, self._network.sizes), x, y)

    def advance(self, examples: int) -> None:
        """Train until at least this many per-example gradients have been computed."""
        while self.examples < examples and self.updates < self._problem.total_updates:
            rows = self._batch()

            def evaluate(rows: Array = rows) -> float:
                loss = self._loss_and_grad(self.flat, self._flat_grad, rows)
                self.examples += len(rows)
                self.grad_evals += 1
                return loss

            self._updater.step(self._grads, evaluate(), evaluate)
            self.updates += 1

    def evaluation_point(self) -> Params:
        """Return the parameters to evaluate, as weight and bias of each layer."""
        arrays = self._updater.eval_params()
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    def evaluation_buffer(self) -> Array:
        """Return the parameters to evaluate, flat; a later update may write into them."""
        arrays = self._updater.eval_params()
        return self.flat if arrays is self._arrays else np.concatenate([a.ravel() for a in arrays])

    def evaluate(self, x: Array, y: Array, flat: Array | None = None) -> tuple[float, float]:
        """Return mean loss and metric at these flat parameters, or at the evaluation point."""
        return self._evaluate(self.evaluation_buffer() if flat is None else flat, x, y)
