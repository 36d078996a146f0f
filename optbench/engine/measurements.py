"""What is measured along a run: losses, metrics and time, and the parameters of the best point."""

from __future__ import annotations

import math
import time

import numpy as np

from optbench.engine.loops.choice import Loop
from optbench.engine.problem import Problem

UNKNOWN = (math.nan, math.nan)
"""Loss and metric of a run that is lost."""


class Measurements:
    """Advances a loop, and measures loss, metric and time along the way.

    It keeps a copy of the parameters with the lowest validation loss.

    Args:
        problem: The problem that is trained.
        trainer: The loop that trains it.

    Attributes:
        rows: One row of `CURVE_COLUMNS` per evaluation.
        seconds: Time spent on training so far, evaluation excluded.
    """

    def __init__(self, problem: Problem, trainer: Loop) -> None:
        self._problem = problem
        self._trainer = trainer
        self.rows: list[tuple[float, ...]] = []
        self.seconds = 0.0
        self._best_val_loss = math.inf
        self._best = trainer.evaluation_buffer().copy()

    def advance(self, examples: int) -> None:
        """Train until this many examples have been seen."""
        if examples <= self._trainer.examples:
            return
        start = time.thread_time()
        self._trainer.advance(examples)
        self.seconds += time.thread_time() - start

    def evaluate(self) -> tuple[float, float]:
        """Append a row and return the training and validation loss."""
        problem, trainer = self._problem, self._trainer
        train_loss, train_metric = trainer.evaluate(*problem.train)
        val_loss, val_metric = trainer.evaluate(*problem.val)
        epoch = trainer.examples / problem.n_train
        progress = (epoch, trainer.updates, trainer.examples, self.seconds)
        self.rows.append((*progress, train_loss, val_loss, train_metric, val_metric))
        if val_loss < self._best_val_loss:
            self._best_val_loss = val_loss
            self._best[...] = trainer.evaluation_buffer()
        return train_loss, val_loss

    def test(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return loss and metric on the test part: at the end, and at the kept parameters."""
        end = self._trainer.evaluation_buffer()
        at_end = self._trainer.evaluate(*self._problem.test, end)
        if np.array_equal(end, self._best):
            return at_end, at_end
        return at_end, self._trainer.evaluate(*self._problem.test, self._best)
