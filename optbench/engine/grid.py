"""Where along a run the network is evaluated: one log-spaced grid of examples for all regimes."""

from __future__ import annotations

import functools

import numpy as np

from optbench.contracts import Array

FIRST = 1 / 64
"""The grid begins after this fraction of an epoch (after 0, which is always evaluated)."""


@functools.lru_cache
def evaluation_grid(n_train: int, epochs: int, points: int) -> Array:
    """Numbers of examples after which to evaluate, ascending, int64; the last is the whole run.

    Depends on the dataset and the length of the run alone, so that the curves of all optimizers
    and regimes can be laid over each other. A regime whose updates are longer than a gap skips
    ahead to its next update.

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
    """Examples seen after each update of one epoch, int64; the last batch may be shorter."""
    updates = -(-n_train // batch_size)
    return np.minimum(np.arange(1, updates + 1) * batch_size, n_train)
