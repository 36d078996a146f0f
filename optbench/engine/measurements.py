"""What is measured along a run: losses, metrics and time, and the parameters of the best point."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from optbench.contracts import Array
from optbench.engine.divergence import DivergenceRule, zero_eps
from optbench.engine.health import HealthRecorder
from optbench.engine.kernels.arguments import Record, empty_record
from optbench.engine.loops.choice import Loop
from optbench.engine.problem import Problem
from optbench.records import CURVE_COLUMNS, Curve

Score = tuple[float, float]
"""Loss and metric on one part."""
UNKNOWN: Score = (math.nan, math.nan)
"""Loss and metric of a run that is lost."""


@dataclass(frozen=True)
class Measurements:
    """What was measured along a run.

    Attributes:
        curve: One row for each evaluation.
        seconds: Time spent on training, evaluation excluded.
        reason: Why the run has diverged; empty if it has not.
        test: Loss and metric on the test part at the end; NaN if the run has diverged.
        best_test: Loss and metric on the test part at the lowest validation loss; likewise.
        end_train: Loss and metric on `Problem.end_train` at the end; NaN likewise.
    """

    curve: Curve
    seconds: float
    reason: str
    test: Score
    best_test: Score
    end_train: Score


def measure(
    problem: Problem, trainer: Loop, grid: Array, recorder: HealthRecorder | None
) -> Measurements:
    """Train a problem along the grid until the end, or until the run has diverged.

    Args:
        problem: The problem.
        trainer: The loop that trains it.
        grid: Numbers of examples after which the run is evaluated, ascending, without 0.
        recorder: Records layer health; None for none.
    """
    record = empty_record(len(grid) + 1, trainer.evaluation_buffer())
    points = np.concatenate([[0], grid])
    if recorder is None:
        trainer.measure(points, record)
    else:
        _measure_with_health(problem, trainer, points, record, recorder)
    rows = record.table[: record.counts[0]]
    columns, matrix = CURVE_COLUMNS, rows.T
    if recorder is not None:
        columns = (*columns, *recorder.columns)
        matrix = np.vstack([matrix, recorder.matrix(len(rows))])
    has_diverged = bool(record.counts[2])
    end_train = UNKNOWN if has_diverged else _end_train(problem, trainer, rows[-1])
    test = best_test = UNKNOWN
    reason = ""
    if has_diverged or not math.isfinite(end_train[0]):
        reason = _reason(rows, end_train[0], zero_eps(problem.spec.hyper, problem.spec.dtype))
        end_train = UNKNOWN
    else:
        test, best_test = _test(problem, trainer, record.best)
    seconds = float(record.numbers[0])
    return Measurements(Curve(columns, matrix), seconds, reason, test, best_test, end_train)


def _measure_with_health(
    problem: Problem, trainer: Loop, points: Array, record: Record, recorder: HealthRecorder
) -> None:
    """Interrupt the training at the points where layer health is measured."""
    first = 0
    for place, examples in enumerate(points.tolist()):
        if place and not recorder.wants(examples):
            continue
        trainer.measure(points[first:place], record)
        first = place
        if record.counts[2]:
            return
        if place and examples <= trainer.examples:
            continue
        if place:
            _stop_before(problem, trainer, examples, record, recorder)
        first = place + 1
        trainer.measure(points[place:first], record)
        recorder.measure(int(record.counts[0]) - 1, trainer.evaluation_point(), trainer.updates)
        if record.counts[2]:
            return
    trainer.measure(points[first:], record)


def _stop_before(
    problem: Problem, trainer: Loop, examples: int, record: Record, recorder: HealthRecorder
) -> None:
    """Stop one update before a point, to measure how far the last update moves each layer."""
    batch = problem.spec.batch_size
    if "closure" not in problem.optimizer.needs:
        trainer.advance(examples - batch, record)
        recorder.before(trainer.evaluation_point(), trainer.updates)
        return
    # An update takes several gradients, and how many is not known before it is made.
    if trainer.updates:
        usual = math.ceil(trainer.grad_evals / trainer.updates)
        trainer.advance(examples - batch * usual, record)
    while trainer.examples < examples and trainer.updates < problem.total_updates:
        recorder.before(trainer.evaluation_point(), trainer.updates)
        trainer.advance(trainer.examples + 1, record)


def _reason(rows: Array, end_train_loss: float, hint: str) -> str:
    """Return why a run has diverged by its last evaluation, or at its end."""
    names = ("train_loss", "val_loss", "updates")
    train_loss, val_loss, updates = (rows[:, CURVE_COLUMNS.index(name)].tolist() for name in names)
    rule, reason = DivergenceRule(train_loss[0], val_loss[0], hint), ""
    for row in range(1, len(rows)):
        reason = rule.reason(train_loss[row], val_loss[row], int(updates[row]))
    return reason or rule.reason(end_train_loss, val_loss[-1], int(updates[-1]))


def _end_train(problem: Problem, trainer: Loop, last: Array) -> Score:
    """Return loss and metric of the training part at the end.

    Args:
        problem: The problem.
        trainer: The loop that has trained it.
        last: The last row of the curve.
    """
    if problem.end_train is None:
        loss, metric = (last[CURVE_COLUMNS.index(f"train_{name}")] for name in ("loss", "metric"))
        return float(loss), float(metric)
    return trainer.evaluate(*problem.end_train)


def _test(problem: Problem, trainer: Loop, best: Array) -> tuple[Score, Score]:
    """Return loss and metric on the test part: at the end, and at the best parameters."""
    end = trainer.evaluation_buffer()
    at_end = trainer.evaluate(*problem.test, end)
    if np.array_equal(end, best):
        return at_end, at_end
    return at_end, trainer.evaluate(*problem.test, best)
