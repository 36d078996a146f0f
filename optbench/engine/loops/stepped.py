"""The stepped loop in NumPy: any optimizer, one update at a time. Reference for tests."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from optbench.contracts import Array
from optbench.data.streams import stream
from optbench.engine.divergence import DivergenceRule
from optbench.engine.kernels.arguments import EXAMPLES, Record
from optbench.engine.loops.update_forecasts import UpdateForecast, rehearsed_updates
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
        rehearse: Whether to find out first how many gradients an update takes, by a few updates
            that are thrown away, if a schedule or the optimizer goes by the number of updates.

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
        rehearse: bool = True,
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
        self._forecast = UpdateForecast(problem, self._rehearsal() if rehearse else ())
        self._updater = Updater(
            problem.optimizer,
            problem.spec.hyper,
            self._arrays,
            self._forecast.total,
            problem.spec.control,
            stream("optimizer", problem.spec.seed),
            [(i, i + 1) for i in range(0, len(self._arrays), 2)],
            problem.schedule,
        )
        self.updates = 0
        self.examples = 0
        self.grad_evals = 0

    def _rehearsal(self) -> list[int]:
        """Return the number of gradients that each of the first updates takes."""
        rehearsal, costs = None, list[int]()
        for _ in range(rehearsed_updates(self._problem)):
            rehearsal = rehearsal or SteppedLoop(
                self._problem, self._loss_and_grad, self._evaluate, rehearse=False
            )
            before = rehearsal.grad_evals
            rehearsal.update()
            costs.append(rehearsal.grad_evals - before)
        return costs

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

    def advance(self, examples: int, record: Record | None = None) -> None:
        """Train until at least this many per-example gradients have been computed.

        Args:
            examples: The number.
            record: Receives the seconds that it takes.
        """
        start = time.thread_time()
        while self.examples < examples and self.updates < self._problem.total_updates:
            self.update()
        if record is not None:
            record.numbers[0] += time.thread_time() - start

    def update(self) -> None:
        """Make one update."""
        rows, before = self._batch(), self.grad_evals

        def evaluate() -> float:
            loss = self._loss_and_grad(self.flat, self._flat_grad, rows)
            self.examples += len(rows)
            self.grad_evals += 1
            return loss

        self._updater.step(self._grads, evaluate(), evaluate)
        self.updates += 1
        cost = self.grad_evals - before
        self._updater.expect(self._forecast.note(self.updates, cost, self.examples))

    def measure(self, grid: Array, record: Record) -> None:
        """Train, and evaluate after each of these numbers of examples.

        One that is not beyond the last evaluation is left out.

        Args:
            grid: Numbers of examples, ascending.
            record: Receives the measurements. When it says that the run has diverged, the run ends.
        """
        for examples in grid.tolist():
            if record.counts[0] and examples <= record.table[record.counts[0] - 1, EXAMPLES]:
                continue
            self.advance(examples, record)
            self._note(record)
            if record.counts[2]:
                return

    def _note(self, record: Record) -> None:
        """Append a row to the record, like the compiled loop."""
        problem, rows = self._problem, record.counts[0]
        flat = self.evaluation_buffer()
        train_loss, train_metric = self._evaluate(flat, *problem.curve_train)
        val_loss, val_metric = self._evaluate(flat, *problem.curve_val)
        progress = (self.examples / problem.n_train, self.updates, self.examples)
        losses = (train_loss, val_loss, train_metric, val_metric)
        record.table[rows] = (*progress, record.numbers[0], *losses)
        record.counts[0] += 1
        if val_loss < record.numbers[1]:
            record.numbers[1] = val_loss
            record.best[...] = flat
        if not rows:
            self._divergence = DivergenceRule(train_loss, val_loss)
        elif self._divergence.reason(train_loss, val_loss, self.updates):
            record.counts[2] = 1

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
