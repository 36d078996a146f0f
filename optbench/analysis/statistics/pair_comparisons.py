"""Every two entrants compared: a test over workloads, and the probability of improvement.

Tests are paired over workloads, on each entrant's mean score over seeds: seeds of one workload are
not independent evidence about another workload.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from optbench.analysis.board_rows import Estimate, Pair
from optbench.analysis.grouping import indices_by_key
from optbench.analysis.statistics import scoring
from optbench.analysis.statistics.bootstrap import (
    Stream,
    bootstrap_draws,
    bootstrap_rng,
    percentile_interval,
)
from optbench.analysis.statistics.hypothesis_tests import ALPHA, wilcoxon
from optbench.analysis.statistics.multiplicity import holm
from optbench.analysis.statistics.ranking import order_of, workload_means
from optbench.contracts import Array

MAX_CHUNK = 4_000_000
"""Numbers held at once for pairs of seeds: 16 MB in float32."""


def compare_pairs(
    scores: Array, overall: Array, labels: Sequence[str]
) -> tuple[tuple[Pair, ...], Array]:
    """Compare every two entrants.

    Args:
        scores: Shape (S, W, n), NaN where there was no run.
        overall: Overall score, shape (S,); decides which entrant of a pair is `first`.
        labels: Names of the entrants.

    Returns:
        The pairs, in the order of the overall scores; and which are separated, shape (S, S),
        True at [a, b] when a is better. A pair that the signed ranks order differently than the
        overall scores is not separated: the two statistics disagree.
    """
    pairs = list(combinations(order_of(overall).tolist(), 2))
    better = np.zeros((len(labels), len(labels)), dtype=bool)
    if not pairs:
        return (), better
    first, second = np.array(pairs).T
    means = workload_means(scores)
    differences = means[first] - means[second]
    p_values, signs = wilcoxon(differences)
    p_holm = holm(p_values)
    separated = (p_holm < ALPHA) & (signs > 0)
    better[first, second] = separated
    columns: dict[str, list[Any]] = {
        "improvement": improvements(scores, first, second, _draws(scores, len(pairs))),
        "p_value": p_values.tolist(),
        "p_holm": p_holm.tolist(),
        "separated": separated.tolist(),
        "wins": (differences > 0).sum(axis=1).tolist(),
        "losses": (differences < 0).sum(axis=1).tolist(),
        "ties": (differences == 0).sum(axis=1).tolist(),
    }
    return tuple(
        Pair(first=labels[a], second=labels[b], **{k: column[i] for k, column in columns.items()})
        for i, (a, b) in enumerate(pairs)
    ), better


def _draws(scores: Array, n_pairs: int) -> int:
    """Number of bootstrap samples for this many pairs; 0 when there is only one seed."""
    _, workloads, seeds = scores.shape
    return scoring.draws_for(workloads * seeds**2 * n_pairs, most=1000) if seeds > 1 else 0


def improvements(scores: Array, first: Array, second: Array, draws: int) -> list[Estimate]:
    """Return P(a run of `first` scores above one of `second`), ties one half.

    This is the mean over workloads of the Mann-Whitney U / (n m). Value and interval are over the
    seeds that both have, and the bootstrap draws the same seeds for both, since runs of one seed
    share initial weights and batches.

    Args:
        scores: Shape (S, W, n), NaN where there was no run.
        first, second: Indices of the entrants of each pair.
        draws: Bootstrap samples; 0 for no interval.
    """
    known = ~np.isnan(scores)
    both = ((known[a] & known[b]).tobytes() for a, b in zip(first, second, strict=True))
    estimates: dict[int, Estimate] = {}
    for group in indices_by_key(both):  # pairs with the same common seeds are resampled together
        a, b = first[group], second[group]
        common = known[a[0]] & known[b[0]]
        estimates.update(zip(group, _improvements(scores, a, b, common, draws), strict=True))
    return [estimates[i] for i in range(len(first))]


def _improvements(
    scores: Array, first: Array, second: Array, common: Array, draws: int
) -> list[Estimate]:
    """Return `improvements` of pairs that share the same seeds, `common` of shape (W, n)."""
    workloads = np.flatnonzero(common.any(axis=1))
    if not len(workloads):
        return [Estimate(value=None)] * len(first)
    counts = common[workloads].sum(axis=1)
    df = float((counts - 1).sum())
    draws = draws if df > 0 else 0
    weights = _draw_counts(draws, tuple(counts.tolist()), common.shape[1])
    values, samples = np.empty((len(first), len(counts))), np.zeros((draws, len(first)))
    for k, (w, n) in enumerate(zip(workloads.tolist(), counts.tolist(), strict=True)):
        own, drawn = scores[:, w, common[w]].T, weights[:, k, :n].T
        x, y = np.take(own, first, axis=1), np.take(own, second, axis=1)
        wins, sums = np.zeros(len(first)), np.zeros_like(samples)
        step = max(MAX_CHUNK // (n * (draws + len(first))), 1)
        for start in range(0, n, step):  # sums of halves are exact, so the steps change nothing
            part = slice(start, start + step)
            higher = (x[part, None] > y) + np.float32(0.5) * (x[part, None] == y)
            higher = higher.reshape(-1, len(first))
            wins += higher.sum(axis=0, dtype=float)
            times = (drawn[part, None] * drawn).reshape(len(higher), draws)
            # not a product of matrices, since BLAS threads would wait for each other
            sums += np.einsum("kb,kp->bp", times, higher)
        values[:, k] = wins / n**2
        samples += sums / max(n - 1, 1) ** 2
    value = values.mean(axis=1)
    if not draws:
        return [Estimate(value=v) for v in value.tolist()]
    low, high = percentile_interval(samples / len(counts), df)
    ends = np.stack([value, np.minimum(low, value), np.maximum(high, value)], axis=1)
    return [Estimate(value=v, low=a, high=b) for v, a, b in ends.tolist()]


@lru_cache(maxsize=1)  # most pairs of a study share the same counts
def _draw_counts(draws: int, counts: tuple[int, ...], n: int) -> Array:
    """Return how often each seed is drawn in each bootstrap sample, shape (B, W, n)."""
    index, mask = bootstrap_draws(bootstrap_rng(Stream.IMPROVEMENT), draws, counts)
    counted = np.zeros((draws, len(counts), n), dtype=np.float32)
    for k in range(mask.shape[1]):  # one draw at a time: all at once would be n times as large
        w = np.flatnonzero(mask[:, k])
        counted[np.arange(draws)[:, None], w, index[:, w, k]] += 1
    return counted
