"""The score: how far a run came from the initial loss towards the best known, on a log scale.

``score = log(L_0 / L) / log(L_0 / L_best)``, cut to [0, 1], with L the **test** loss at the end:
the configuration was selected on validation, so validation is no longer an impartial judge.

- L_0 is the workload's median loss before training, L_best the lowest test loss of any run in the
  study. 0 is "no better than untrained", 1 "as good as the best run of anyone".
- No loss counts below L_0 / 1000: then the problem is solved.
- A run that diverged or failed scores 0. Nothing is dropped.
- Where nobody came 2% below L_0, nobody learned: every score is 0, and the workload is named.

Adding an entrant that sets a new best changes the denominators of the others; `leave_one_out`
tells where that would change their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optbench.analysis.statistics import metrics
from optbench.analysis.statistics.bootstrap import Stream, percentile_interval, resample
from optbench.analysis.statistics.hypothesis_tests import iqm
from optbench.contracts import Array

LEAST_PROGRESS = math.log(1 / 0.98)
MAX_SAMPLES = 2e7
"""Bootstrap samples are traded for time in studies of thousands of cells."""


def score(loss: Array, initial: Array, best: Array) -> Array:
    """Scores in [0, 1], NaN where there was no run.

    Args:
        loss: final losses, shape (S, W, n), infinite for a lost run.
        initial: L_0, shape (W,).
        best: L_best, shape (W,).
    """
    start = metrics.log_loss(initial)[:, None]
    lowest = start + math.log(metrics.SOLVED)
    span = start - np.maximum(metrics.log_loss(best)[:, None], lowest)
    with np.errstate(divide="ignore", invalid="ignore"):
        progress = (start - np.maximum(metrics.log_loss(loss), lowest)) / span
    progress = np.where(span >= LEAST_PROGRESS, progress, 0.0)
    cut = np.clip(np.where(np.isnan(progress), 0.0, progress), 0, 1)
    return np.where(np.isnan(loss), np.nan, cut)


def best_losses(loss: Array, without: int | None = None) -> Array:
    """Lowest loss on each workload, shape (W,), of all entrants or of all but one."""
    kept = loss if without is None else np.delete(loss, without, axis=0)
    filled = np.where(np.isnan(kept), np.inf, kept)
    return np.asarray(filled.min(axis=(0, 2), initial=np.inf))


def unlearned(initial: Array, best: Array) -> Array:
    """True for workloads on which nobody learned, shape (W,)."""
    learned = metrics.log_loss(initial) - metrics.log_loss(best) >= LEAST_PROGRESS
    return ~np.asarray(learned, dtype=bool)


def pooled_iqm(scores: Array) -> Array:
    """Inter-quartile mean of each entrant's scores, shape (S,), over the runs it has."""
    flat = scores.reshape(len(scores), -1)
    return np.array([float(iqm(row[~np.isnan(row)])) for row in flat])


def draws_for(n_values: int, most: int = 2000) -> int:
    """How many bootstrap samples to draw, given the values in each."""
    return int(np.clip(MAX_SAMPLES / max(n_values, 1), 200, most))


def compact(scores: Array) -> tuple[Array, Array]:
    """Move missing seeds to the end; the scores (W, n) of one entrant and its counts (W,)."""
    order = np.argsort(np.isnan(scores), axis=-1, kind="stable")
    return np.take_along_axis(scores, order, -1), (~np.isnan(scores)).sum(axis=-1)


def score_intervals(scores: Array) -> list[tuple[float, float] | None]:
    """95% interval of each entrant's pooled IQM by a bootstrap stratified by workload.

    It speaks of the seeds: what other seeds would give on these very workloads.

    Returns:
        One interval an entrant; None for an entrant with one seed a workload.
    """
    draws = draws_for(scores.size)
    found: list[tuple[float, float] | None] = []
    for own in scores:
        values, counts = compact(own)
        values, counts = values[counts > 0], counts[counts > 0]
        if counts.max(initial=0) < 2:
            found.append(None)
            continue
        # the same draws for all: seeds are paired
        samples = iqm(resample(values, counts, draws, Stream.SCORE))
        low, high = percentile_interval(samples, iqm_df(values, counts))
        found.append((float(low), float(high)))
    return found


def iqm_df(values: Array, counts: Array) -> float:
    """Degrees of freedom of the bootstrap variance of a pooled inter-quartile mean.

    Welch and Satterthwaite's ``(sum v_w)^2 / sum(v_w^2 / (n_w - 1))``. What workload w adds to the
    variance is v_w, that of its scores moved to the nearer quartile of all where they lie outside:
    the influence of a score on the mean ends there. Where one workload fills the middle half of
    all scores, its seeds alone decide the width of the interval.

    Args:
        values: scores, shape (W, n), NaN after the end.
        counts: seeds of each workload.
    """
    low, high = np.quantile(values[~np.isnan(values)], [0.25, 0.75])
    inner = np.clip(values, low, high)
    n = counts[:, None]
    mean = np.nansum(inner, axis=1, keepdims=True) / n
    spare = np.maximum(counts - 1, 1)
    part = np.nansum((inner - mean) ** 2, axis=1) / spare * counts
    part = np.where(counts > 1, part, 0.0)
    total = float((counts - 1).sum())
    square = float((part**2 / spare).sum())
    return min(total, float(part.sum()) ** 2 / square) if square > 0 else total


def mean_interval(values: Array, stream: Stream, draws: int = 1000) -> tuple[float, ...]:
    """95% interval of the mean over the strata and seeds of (W, n) values; () with one seed."""
    kept, counts = compact(values)
    kept, counts = kept[counts > 0], counts[counts > 0]
    df = float((counts - 1).sum())
    if df == 0:
        return ()
    samples = resample(kept, counts, draws, stream).mean(axis=1)
    low, high = percentile_interval(samples, df)
    return float(low), float(high)


def surely_above_zero(difference: Array) -> bool:
    """Whether the whole interval of the mean of (W, n) differences lies above 0."""
    interval = mean_interval(difference, Stream.SCORE_DIFFERENCE)
    return bool(interval and interval[0] > 0)


def leave_one_out(loss: Array, initial: Array, labels: Sequence[str]) -> list[tuple[str, str, str]]:
    """Pairs whose order by score changes when a third entrant is left out: (a, b, left out).

    a leads b with everyone in, b leads a without the third.
    """
    everyone = best_losses(loss)
    full = pooled_iqm(score(loss, initial, everyone))
    found = []
    for out in range(len(labels)):
        best = best_losses(loss, without=out)
        if np.array_equal(best, everyone):
            continue
        found += flips(full, pooled_iqm(score(loss, initial, best)), out, labels)
    return found


def flips(
    before: Array, after: Array, out: int, labels: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Pairs (a, b, left out) with a ahead of b before, b ahead of a after; higher is better."""
    before, after = np.round(before, 12), np.round(after, 12)
    change = (before[:, None] > before[None, :]) & (after[:, None] < after[None, :])
    change[out, :] = change[:, out] = False
    return [(labels[a], labels[b], labels[out]) for a, b in np.argwhere(change)]
