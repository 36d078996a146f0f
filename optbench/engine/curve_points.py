"""At how many points the curve of a run is measured: fewer where they would cost too much."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from optbench.engine.curve_parts import CurveRows
from optbench.engine.grid import distinct_points, evaluation_grid

SHARE = 0.15
"""Most that evaluations may cost, as a share of the cost of training."""
SAMPLED_SHARE = 0.05
"""The same where a sample is evaluated, because the data are large."""
LEAST = 12
"""Number of points that a curve has at any cost; the initial weights are one more."""
UNIT_COST = 8
"""Cost of an activation or output of one example, in multiply-adds of a matrix product."""
UPDATE_COST = 12
"""Cost of updating one parameter, likewise: between those of SGD and of Adam."""
PASSES = 3
"""Cost of a gradient in forward passes."""

CurvePoints = int | msgspec.UnsetType
"""See `RunSpec.curve_points`."""


def curve_points(
    sizes: tuple[int, ...],
    parts: tuple[int, int],
    rows: CurveRows,
    batch_size: int,
    epochs: int,
    grid_points: int,
) -> CurvePoints:
    """Return at how many points of the grid a run is evaluated, by counting operations.

    The number depends on the workload alone, so that all optimizers are measured alike.

    Args:
        sizes: Widths of the input, the hidden layers and the output.
        parts: Numbers of examples in the training and the validation part.
        rows: `RunSpec.curve_rows` of the run.
        batch_size: Examples per update.
        epochs: Passes over the training part.
        grid_points: Number of points in the grid.

    Returns:
        Number of points, without the initial weights; unset if all points of the grid are cheap
        enough.

    Example:
        >>> curve_points((64, 32, 32, 10), (1078, 360), msgspec.UNSET, 32, 10, 40)
        12
        >>> curve_points((64, 32, 32, 10), (1078, 360), msgspec.UNSET, 32, 500, 40)
        UNSET
    """
    n_train = parts[0]
    grid = distinct_points(evaluation_grid(n_train, epochs, grid_points), n_train, batch_size)
    training = _training_cost(sizes, n_train, batch_size, epochs)
    if rows is msgspec.UNSET:
        affordable = SHARE * training / (_forward_cost(sizes) * sum(parts))
    else:
        affordable = SAMPLED_SHARE * training / (_forward_cost(sizes) * sum(rows))
    points = max(LEAST, int(affordable))
    return points if points < len(grid) else msgspec.UNSET


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
