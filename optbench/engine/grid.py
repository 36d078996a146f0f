"""The evaluation grid: log-spaced numbers of examples, the same for all regimes."""

from __future__ import annotations

import functools

import numpy as np

from optbench.contracts import Array

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


def examples_after(n_train: int, batch_size: int) -> Array:
    """Return the examples seen after each update of one epoch, int64.

    The last batch may be shorter than the others.
    """
    updates = -(-n_train // batch_size)
    return np.minimum(np.arange(1, updates + 1) * batch_size, n_train)
