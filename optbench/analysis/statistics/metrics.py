"""The metrics of runs and of sets of runs, from arrays whose last axis is evaluations.

Curves of unequal length are padded with NaN at the end. A run that diverged is never dropped: pass
``diverged``, and its metric is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from optbench.contracts import Array
from optbench.tuning.trials import SOLVED

TINY = 1e-12
"""Lowest loss in logarithms, since float32 cross-entropy can be exactly 0."""
LEAST_DROP = math.log(1.1)
"""Least progress, in log loss, that a loss of progress is measured against."""
SPIKE_FACTOR = 2.0
SPIKE_WINDOW = 50


def log_loss(loss: npt.ArrayLike) -> Array:
    """Return the natural logarithm, with losses below 1e-12 counted as 1e-12."""
    return np.log(np.maximum(loss, TINY))


def area_under_log_curve(
    cost: npt.ArrayLike, loss: npt.ArrayLike, diverged: npt.ArrayLike = False
) -> Array:
    """Return (1 / log(C / c0)) * integral of log L d log c: the mean log loss over log cost.

    c0 is the first cost above 0, C the last; the trapezoidal rule on the evaluations.

    Args:
        cost: Shape (..., evaluations), ascending, NaN after the end; may have further axes in
            front for several costs of one loss.
        loss: Validation loss, shape (..., evaluations).
        diverged: Where the area is infinite, shape (...) of the loss.

    Returns:
        Shape (...); NaN with fewer than two evaluations after the start.
    """
    cost, loss = np.asarray(cost, dtype=float), np.asarray(loss, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(cost > 0, np.log(cost), np.nan)
        y = log_loss(loss)
        width = np.diff(x, axis=-1)
        piece = width * (y[..., 1:] + y[..., :-1]) / 2
        valid = np.isfinite(piece)
        area = np.where(valid, piece, 0).sum(axis=-1) / np.where(valid, width, 0).sum(axis=-1)
    return np.where(np.asarray(diverged, dtype=bool), np.inf, area)


def spikes(loss: npt.ArrayLike) -> Array:
    """Count losses over twice the median of the (up to) 50 evaluations before.

    Args:
        loss: Training loss, shape (..., evaluations), NaN after the end.

    Returns:
        Shape (...), whole numbers.
    """
    loss = np.asarray(loss, dtype=float)
    count = np.zeros(loss.shape[:-1], dtype=int)
    least = np.fmin.accumulate(loss, axis=-1)[..., :-1]  # no median lies below
    with np.errstate(invalid="ignore"):
        high = loss[..., 1:] > SPIKE_FACTOR * least
        for t in range(1, loss.shape[-1]):
            rows = high[..., t - 1]
            if rows.any():
                own = loss[rows]
                median = np.median(own[..., max(0, t - SPIKE_WINDOW) : t], axis=-1)
                count[rows] += own[..., t] > SPIKE_FACTOR * median
    return count


def worst_rise(loss: npt.ArrayLike, diverged: npt.ArrayLike = False) -> Array:
    """Return the max over t of L_t / min over s <= t of L_s: 1 if the loss never rose."""
    loss = np.maximum(np.asarray(loss, dtype=float), TINY)
    filled = np.where(np.isnan(loss), np.inf, loss)
    ratio = np.where(np.isnan(loss), 1.0, loss / np.minimum.accumulate(filled, axis=-1))
    worst = ratio.max(axis=-1, initial=1.0)
    return np.where(np.asarray(diverged, dtype=bool), np.inf, worst)


def kept_progress(loss: npt.ArrayLike, diverged: npt.ArrayLike = False) -> Array:
    """Return the share of its own best progress that a run has at its end, in [0, 1].

    1 - log(L_end / L_min) / max(log(L_0 / L_min), log 1.1), no loss counted below L_0 / 1000:
    1 for a run that ends at its lowest loss, 0 for one that ends where it began or diverged.

    Args:
        loss: Training loss, shape (..., evaluations), NaN after the end.
        diverged: Shape (...).
    """
    loss = np.asarray(loss, dtype=float)
    first = loss[..., :1]
    level = log_loss(np.maximum(loss, SOLVED * first))
    last = _last(level)
    lowest = np.min(np.where(np.isnan(level), np.inf, level), axis=-1)
    best = np.maximum(level[..., 0] - lowest, LEAST_DROP)
    kept = np.clip(1 - (last - lowest) / best, 0, 1)
    return np.where(np.asarray(diverged, dtype=bool) | np.isnan(kept), 0.0, kept)


def _last(values: Array) -> Array:
    """Return the last entry of each row that is not NaN."""
    known = ~np.isnan(values)
    index = values.shape[-1] - 1 - np.argmax(known[..., ::-1], axis=-1)
    return np.asarray(np.take_along_axis(values, index[..., None], axis=-1)[..., 0])


def quantiles(values: npt.ArrayLike, qs: Sequence[float], axis: int = -1) -> list[Array]:
    """Return linearly interpolated quantiles that keep infinities; NumPy turns some into NaN.

    A quantile between a finite and an infinite value is infinite. NaN entries are left out; a row
    of NaN gives NaN.
    """
    x = np.sort(np.moveaxis(np.asarray(values, dtype=float), axis, -1), axis=-1)  # NaN come last
    n = (~np.isnan(x)).sum(axis=-1)
    return [_sorted_quantile(x, n, q) for q in qs]


def _sorted_quantile(x: Array, n: Array, q: float) -> Array:
    """Return a quantile of sorted rows, of their first n entries."""
    position = np.maximum(n - 1, 0) * q
    lower, upper = np.floor(position).astype(int), np.ceil(position).astype(int)
    a = np.take_along_axis(x, lower[..., None], axis=-1)[..., 0]
    b = np.take_along_axis(x, upper[..., None], axis=-1)[..., 0]
    with np.errstate(invalid="ignore"):
        between = a + (position - lower) * (b - a)
    return np.where((lower == upper) | (a == b), a, np.where(np.isfinite(b), between, b))


def median(values: npt.ArrayLike, axis: int = -1) -> Array:
    """Return the median, with NaN left out and infinities kept."""
    return quantiles(values, (0.5,), axis)[0]


def seed_spread(losses: npt.ArrayLike) -> Array:
    """Return the inter-quartile range over seeds, the last axis, of the log final loss."""
    logs = log_loss(losses)
    q25, q75 = quantiles(logs, (0.25, 0.75))
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(q75), np.inf, q75 - q25)


def lr_width(
    lr: npt.ArrayLike, loss: npt.ArrayLike, initial_loss: npt.ArrayLike
) -> tuple[Array, Array]:
    """Return the decades of lr around the best in which the loss is at most 1.1 times the best.

    The loss is taken as piecewise linear in (log lr, log loss) between the trials; losses above
    the initial loss, infinite ones too, count as the initial loss.

    Args:
        lr: The trials' learning rates, above 0, shape (..., trials).
        loss: Their final validation losses.
        initial_loss: Loss before training, shape (...).

    Returns:
        The width, and whether the interval ends at the smallest or the largest lr tried; NaN and
        False with fewer than two learning rates, or if no trial beat the initial loss.
    """
    lr, loss = np.asarray(lr, dtype=float), np.asarray(loss, dtype=float)
    initial = np.asarray(initial_loss, dtype=float)[..., None]
    order = np.argsort(lr, axis=-1, kind="stable")
    x = np.log10(np.take_along_axis(lr, order, axis=-1))
    y = log_loss(np.minimum(np.take_along_axis(loss, order, axis=-1), initial))
    best = np.argmin(y, axis=-1)[..., None]
    limit = np.take_along_axis(y, best, axis=-1) + math.log(1.1)
    right, at_right = _crossing(x, y, limit, best)
    left, at_left = _crossing(x[..., ::-1], y[..., ::-1], limit, x.shape[-1] - 1 - best)
    known = (x[..., 0] != x[..., -1]) & (y.min(axis=-1) < log_loss(initial)[..., 0])
    return np.where(known, right - left, np.nan), np.asarray(known & (at_left | at_right))


def _crossing(x: Array, y: Array, limit: Array, start: Array) -> tuple[Array, Array]:
    """Return where y, followed from `start`, first exceeds the limit; or its last x, and True."""
    over = (y > limit) & (np.arange(y.shape[-1]) > start)
    ends = ~over.any(axis=-1)
    after = np.argmax(over, axis=-1)
    i = np.stack([np.maximum(after - 1, 0), after], axis=-1)
    (x0, x1), (y0, y1) = (np.moveaxis(np.take_along_axis(v, i, axis=-1), -1, 0) for v in (x, y))
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = x0 + (limit[..., 0] - y0) / (y1 - y0) * (x1 - x0)
    return np.where(ends, x[..., -1], crossing), np.asarray(ends)


def lr_sensitivity(loss: npt.ArrayLike, initial_loss: npt.ArrayLike) -> Array:
    """Return the mean over learning rates, the last axis, of min(L(lr), L_0) - L*."""
    capped = np.minimum(loss, np.asarray(initial_loss, dtype=float)[..., None])
    return np.asarray(capped.mean(axis=-1) - capped.min(axis=-1))


@cache
def _best_weights(n: int) -> Array:
    """Return P(the i-th smallest of n is the least of B drawn without replacement), one row a B."""
    weights = [
        [math.comb(n - i, b - 1) / math.comb(n, b) for i in range(1, n + 1)]
        for b in range(1, n + 1)
    ]
    return np.array(weights)


def expected_best(losses: npt.ArrayLike) -> Array:
    """Return E[best of B of the n trials] for B = 1 ... n: sum_i x_(i) C(n-i, B-1) / C(n, B).

    Args:
        losses: Shape (..., n), finite or infinite, lower is better.

    Returns:
        Shape (..., n); infinite where an infinite loss may be the best.
    """
    x = np.sort(np.asarray(losses, dtype=float), axis=-1)
    weights = _best_weights(x.shape[-1])
    finite = np.where(np.isinf(x), 0.0, x) @ weights.T
    lost = np.isinf(x).astype(float) @ weights.T
    return np.where(lost > 0, np.inf, finite)
