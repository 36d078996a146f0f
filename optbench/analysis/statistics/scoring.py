"""The score: how far a run came from the initial loss towards the best known, on a log scale.

``score = log(L_0 / L) / log(L_0 / L_best)``, cut to [0, 1], with L the **test** loss at the end:
the configuration was selected on validation data, which can no longer judge it.

- L_0 is the workload's median loss before training, L_best the lowest test loss of any run in the
  study. So 0 is "no better than untrained", and 1 "as good as the best run of any entrant".
- No loss counts below L_0 / 1000: then the problem is solved.
- A run that diverged or failed scores 0. Nothing is dropped.
- Where no run came 2% below L_0, no entrant learned: every score is 0, and a caution says so.

An entrant that sets a new best changes the denominators of the others; `leave_one_out` finds where
that changes their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from optbench.analysis.statistics import metrics
from optbench.analysis.statistics.bootstrap import Stream, percentile_interval, resample
from optbench.analysis.statistics.hypothesis_tests import iqm
from optbench.contracts import Array
from optbench.tuning.trials import SOLVED

LEAST_PROGRESS = math.log(1 / 0.98)
"""Progress in log loss below which no entrant learned."""
MOST_SAMPLED_VALUES = 2e7
"""Values in all bootstrap samples together, which limits samples and time in large studies."""


def score(loss: Array, initial: Array, best: Array) -> Array:
    """Return scores in [0, 1], NaN where there was no run.

    Args:
        loss: Final losses, shape (S, W, n), infinite for a lost run.
        initial: L_0 of each workload, shape (W,).
        best: L_best of each workload, shape (W,).
    """
    start = metrics.log_loss(initial)[:, None]
    lowest = start + math.log(SOLVED)
    span = start - np.maximum(metrics.log_loss(best)[:, None], lowest)
    with np.errstate(divide="ignore", invalid="ignore"):
        progress = (start - np.maximum(metrics.log_loss(loss), lowest)) / span
    progress = np.where(span >= LEAST_PROGRESS, progress, 0.0)
    cut = np.clip(np.where(np.isnan(progress), 0.0, progress), 0, 1)
    return np.where(np.isnan(loss), np.nan, cut)


HIGHEST_SCORE = 1.2
"""Score at which a run that beats the best known loss is cut."""


def frozen_score(loss: npt.ArrayLike, guess: npt.ArrayLike, best: npt.ArrayLike) -> Array:
    """Return the progress of runs from guessing to the best known loss, on a log scale.

    ``score = (log L_guess - log L) / (log L_guess - log L_best)``, cut to [0, 1.2]. So 0 is "no
    better than guessing", however large the loss was before training, and 1 "as good as the best
    known". No loss counts below L_guess / 1000: then the problem is solved. The score of a run
    depends on no other run, so it does not move when seeds or entrants are added.

    Args:
        loss: Losses, any shape; infinite for a lost run, NaN where there was no run.
        guess: Loss of always guessing the class frequencies, or the mean; broadcast to `loss`.
        best: Best known loss, likewise. Where it is not 2% below `guess`, or either is NaN, no
            entrant learned, and every score is 0.

    Returns:
        Scores of the shape of `loss`; 0 for a lost run, NaN where there was no run.

    Example:
        >>> frozen_score([0.01, 0.1, 1.0, 50.0, float("inf")], guess=1.0, best=0.01).tolist()
        [1.0, 0.5, 0.0, 0.0, 0.0]
    """
    loss = np.asarray(loss, dtype=float)
    start = metrics.log_loss(guess)
    lowest = start + math.log(SOLVED)
    span = start - np.maximum(metrics.log_loss(best), lowest)
    with np.errstate(divide="ignore", invalid="ignore"):
        progress = (start - np.maximum(metrics.log_loss(loss), lowest)) / span
        progress = np.where(span >= LEAST_PROGRESS, progress, 0.0)
    return np.where(np.isnan(loss), np.nan, np.clip(progress, 0, HIGHEST_SCORE))


def best_losses(loss: Array, without: int | None = None) -> Array:
    """Return the lowest loss on each workload, shape (W,), of all entrants or of all but one."""
    losses = loss if without is None else np.delete(loss, without, axis=0)
    filled = np.where(np.isnan(losses), np.inf, losses)
    return np.asarray(filled.min(axis=(0, 2), initial=np.inf))


def unlearned(initial: Array, best: Array) -> Array:
    """Return on which workloads no entrant learned, shape (W,).

    Args:
        initial: Loss before learning (initial loss, or loss of guessing), shape (W,).
        best: Best known loss, shape (W,); NaN or infinite where there is none.
    """
    learned = metrics.log_loss(initial) - metrics.log_loss(best) >= LEAST_PROGRESS
    return ~np.asarray(learned, dtype=bool)


def pooled_iqm(scores: Array) -> Array:
    """Return the inter-quartile mean of each entrant's scores, shape (S,), over the runs it has."""
    flat = scores.reshape(len(scores), -1)
    return np.array([float(iqm(row[~np.isnan(row)])) for row in flat])


def draws_for(n_values: int, most: int = 2000) -> int:
    """Return the number of bootstrap samples to draw, given the number of values in each."""
    return int(np.clip(MOST_SAMPLED_VALUES / max(n_values, 1), 200, most))


def compact(scores: Array) -> tuple[Array, Array]:
    """Move missing seeds of one entrant to the end; return scores (W, n) and counts (W,)."""
    order = np.argsort(np.isnan(scores), axis=-1, kind="stable")
    return np.take_along_axis(scores, order, -1), (~np.isnan(scores)).sum(axis=-1)


def score_intervals(scores: Array) -> list[tuple[float, float] | None]:
    """Return the 95% interval of each entrant's pooled inter-quartile mean.

    The bootstrap is stratified by workload: the interval covers the choice of seeds, not of
    workloads.

    Returns:
        One interval for each entrant; None for an entrant with one seed on each workload.
    """
    draws = draws_for(scores.size)
    intervals: list[tuple[float, float] | None] = []
    for own in scores:
        values, counts = compact(own)
        values, counts = values[counts > 0], counts[counts > 0]
        if counts.max(initial=0) < 2:
            intervals.append(None)
            continue
        # the same draws for all: seeds are paired
        samples = iqm(resample(values, counts, draws, Stream.SCORE))
        low, high = percentile_interval(samples, iqm_df(values, counts))
        intervals.append((float(low), float(high)))
    return intervals


def iqm_df(values: Array, counts: Array) -> float:
    """Return the degrees of freedom of the bootstrap variance of a pooled inter-quartile mean.

    Welch and Satterthwaite's ``(sum v_w)^2 / sum(v_w^2 / (n_w - 1))``. v_w is the contribution of
    workload w to the variance: that of its scores, clipped to the quartiles of all scores, where
    the influence of a score on the mean ends. If one workload fills the middle half of all scores,
    its seeds decide the width of the interval.

    Args:
        values: Scores, shape (W, n), NaN after the end.
        counts: Seeds of each workload.
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
    """Return the 95% interval of the mean of (W, n) values; empty with one seed each."""
    known, counts = compact(values)
    known, counts = known[counts > 0], counts[counts > 0]
    df = float((counts - 1).sum())
    if df == 0:
        return ()
    samples = resample(known, counts, draws, stream).mean(axis=1)
    low, high = percentile_interval(samples, df)
    return float(low), float(high)


def surely_above_zero(difference: Array) -> bool:
    """Return whether the whole interval of the mean of (W, n) differences lies above 0."""
    interval = mean_interval(difference, Stream.SCORE_DIFFERENCE)
    return bool(interval and interval[0] > 0)


def leave_one_out(loss: Array, initial: Array, labels: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return pairs whose order by score changes when a third entrant is left out.

    Returns:
        (a, b, left out): a leads b with all entrants, b leads a without the third.
    """
    everyone = best_losses(loss)
    full = pooled_iqm(score(loss, initial, everyone))
    changes = []
    for left_out in range(len(labels)):
        best = best_losses(loss, without=left_out)
        if np.array_equal(best, everyone):
            continue
        changes += flips(full, pooled_iqm(score(loss, initial, best)), left_out, labels)
    return changes


def flips(
    before: Array, after: Array, left_out: int, labels: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Return (a, b, left out) with a ahead of b before, b ahead of a after; higher is better."""
    before, after = np.round(before, 12), np.round(after, 12)
    change = (before[:, None] > before[None, :]) & (after[:, None] < after[None, :])
    change[left_out, :] = change[:, left_out] = False
    return [(labels[a], labels[b], labels[left_out]) for a, b in np.argwhere(change)]
