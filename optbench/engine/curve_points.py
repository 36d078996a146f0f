"""How the curve of a run is measured: at fewer points and on fewer examples in a short run."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from optbench.engine.curve_parts import SHORT_ROWS, CurveRows, curve_rows
from optbench.engine.grid import distinct_points, evaluation_grid

SHARE = 0.15
"""Most that evaluations may cost, as a share of the cost of training."""
SAMPLED_SHARE = 0.05
"""The same where the data are so large that every run is evaluated on a sample."""
LEAST = 12
"""Number of points that a curve has at any cost; the initial weights are one more."""
UNIT_COST = 8
"""Cost of an activation or output of one example, in multiply-adds of a matrix product."""
UPDATE_COST = 18
"""Cost of updating one parameter, likewise: that of Adam."""
PASSES = 2
"""Cost of a gradient in evaluations of the same examples, which take logarithms besides."""

CurvePoints = int | msgspec.UnsetType
"""See `RunSpec.curve_points`."""


def plan_curve(
    sizes: tuple[int, ...],
    parts: tuple[int, int],
    batch_size: int,
    epochs: int,
    grid_points: int,
) -> tuple[CurveRows, CurvePoints]:
    """Return on how many examples and at how many points a run is evaluated, by counted operations.

    All examples are evaluated at all points of the grid if that is cheap enough. Otherwise the
    training loss along the run is measured on a sample, if the part is at least twice as large, and
    on the whole part only at the end; and the run is evaluated at as many points as are cheap
    enough then. The validation part is never sampled for the cost, because the lowest validation
    loss chooses trials. Both numbers depend on the workload alone, so that all optimizers are
    measured alike.

    Args:
        sizes: Widths of the input, the hidden layers and the output.
        parts: Numbers of examples in the training and the validation part.
        batch_size: Examples per update.
        epochs: Passes over the training part.
        grid_points: Number of points in the grid.

    Returns:
        `RunSpec.curve_rows`, and `RunSpec.curve_points`: without the initial weights, and unset if
        all points of the grid are cheap enough.

    Example:
        >>> plan_curve((64, 32, 32, 10), (1078, 360), 32, 10, 40)
        ((256, 360), 12)
        >>> plan_curve((64, 32, 32, 10), (1078, 360), 32, 500, 40)
        (UNSET, UNSET)
    """
    n_train, n_val = parts
    rows, share, at_the_end = curve_rows(n_train, n_val), SAMPLED_SHARE, 0
    grid = distinct_points(evaluation_grid(n_train, epochs, grid_points), n_train, batch_size)
    training = _training_cost(sizes, n_train, batch_size, epochs) / _forward_cost(sizes)
    if rows is msgspec.UNSET:
        share = SHARE
        if share * training >= (len(grid) + 1) * (n_train + n_val):
            return rows, msgspec.UNSET
        if n_train >= 2 * SHORT_ROWS:
            rows, at_the_end = (SHORT_ROWS, n_val), n_train
    evaluated = sum(parts if rows is msgspec.UNSET else rows)
    points = max(LEAST, int((share * training - at_the_end) / evaluated) - 1)
    return rows, points if points < len(grid) else msgspec.UNSET


def _forward_cost(sizes: tuple[int, ...]) -> int:
    """Return the cost of evaluating one example, in multiply-adds."""
    return _weights(sizes) + UNIT_COST * sum(sizes[1:])


def _training_cost(sizes: tuple[int, ...], n_train: int, batch_size: int, epochs: int) -> int:
    """Return the cost of training, in multiply-adds."""
    updates = -(-n_train // batch_size)
    update = UPDATE_COST * (_weights(sizes) + sum(sizes[1:]))
    return epochs * (PASSES * _forward_cost(sizes) * n_train + update * updates)


def _weights(sizes: tuple[int, ...]) -> int:
    return sum(n_in * n_out for n_in, n_out in pairwise(sizes))
