"""The evaluation grid: log-spaced numbers of examples, the same for all regimes."""

from __future__ import annotations

import functools

import msgspec
import numpy as np

from optbench.contracts import Array
from optbench.records import RunSpec

FIRST = 1 / 64
"""Position of the first grid point after 0, as a fraction of an epoch."""


@functools.lru_cache
def evaluation_grid(n_train: int, epochs: int, points: int) -> Array:
    """Return the numbers of examples after which to evaluate, ascending, int64.

    The last number is the end of the run. The grid depends only on the size of the dataset and the
    length of the run, so that the curves of all optimizers and regimes can be compared point by
    point. If one update spans several grid points, the next evaluation follows that update.

    Example:
        >>> evaluation_grid(64, 1, 4).tolist()
        [1, 4, 16, 64]
    """
    total = n_train * epochs
    first = max(1.0, n_train * FIRST)
    grid = np.unique(np.round(np.geomspace(first, total, max(points, 2))).astype(np.int64))
    grid[-1] = total
    grid.setflags(write=False)
    return grid


def grid_of(spec: RunSpec, n_train: int) -> Array:
    """Return the numbers of examples after which a run is evaluated, ascending, int64.

    Args:
        spec: The run.
        n_train: Number of examples in the training part.
    """
    grid = evaluation_grid(n_train, spec.epochs, spec.grid_points)
    if spec.curve_points is msgspec.UNSET:
        return grid
    return _thinned_grid(n_train, spec.epochs, spec.grid_points, spec.batch_size, spec.curve_points)


@functools.lru_cache
def _thinned_grid(n_train: int, epochs: int, points: int, batch_size: int, count: int) -> Array:
    grid = evaluation_grid(n_train, epochs, points)
    grid = thinned(distinct_points(grid, n_train, batch_size), count)
    grid.setflags(write=False)
    return grid


def distinct_points(grid: Array, n_train: int, batch_size: int) -> Array:
    """Return the points of a grid without those that follow the same update as the one before."""
    epochs, rest = np.divmod(grid, n_train)
    updates = epochs * -(-n_train // batch_size) + -(-rest // batch_size)
    return grid[np.unique(updates, return_index=True)[1]]


def thinned(grid: Array, count: int) -> Array:
    """Return this number of points of a grid: the last ones, and every so many of the earlier ones.

    The last half of them stays as dense as the grid, because most targets are reached late and two
    evaluations in a row have to confirm it. The earlier ones are evenly spaced.

    Example:
        >>> thinned(np.arange(24), 12).tolist()
        [0, 3, 6, 9, 12, 15, 18, 19, 20, 21, 22, 23]
    """
    late = count // 2
    early = np.linspace(0, len(grid) - late, count - late, endpoint=False).round().astype(int)
    return np.concatenate([grid[early], grid[len(grid) - late :]])
