"""Who can be told apart from whom: pairs, tie groups, places, critical difference.

Tests are paired over workloads, on each entrant's mean score over seeds: seeds of one workload are
no independent evidence about another workload.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from optbench.analysis import scoring, statistics
from optbench.analysis.leaderboard import (
    CriticalDifference,
    Estimate,
    Pair,
    TieGroup,
)
from optbench.contracts import Array


def workload_means(scores: Array) -> Array:
    """Mean score over seeds, shape (S, W); NaN where an entrant had no run.

    Rounded at the twelfth decimal, so that equal runs tie.
    """
    known = ~np.isnan(scores)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, scores, 0).sum(axis=-1) / known.sum(axis=-1)
    return np.asarray(np.round(mean, 12))


def order_of(score: Array) -> Array:
    """Indices of the entrants, best score first; equal scores keep their order."""
    return np.argsort(-np.where(np.isnan(score), -1.0, score), kind="stable")


def compare_pairs(
    scores: Array, overall: Array, labels: Sequence[str], rng_seed: int
) -> tuple[tuple[Pair, ...], Array]:
    """Compare every two entrants.

    Args:
        scores: shape (S, W, n), NaN where there was no run.
        overall: overall score, shape (S,): decides who is `first`.
        labels: names of the entrants.
        rng_seed: of the bootstrap.

    Returns:
        The pairs, in the order of the overall scores; and which are separated, shape (S, S),
        True at [a, b] when a is better. A pair that the signed ranks put the other way round than
        the overall scores do is not separated: the two statistics disagree.
    """
    order = order_of(overall)
    places = list(combinations(order.tolist(), 2))
    better = np.zeros((len(labels), len(labels)), dtype=bool)
    if not places:
        return (), better
    means = workload_means(scores)
    first, second = np.array(places).T
    differences = means[first] - means[second]
    p_values, signs = statistics.wilcoxon(differences)
    adjusted = statistics.holm(p_values)
    found = []
    cost = scores[0].size * scores.shape[-1] * len(places)
    draws = scoring.draws_for(cost, most=1000) if scores.shape[-1] > 1 else 0
    for i, (a, b) in enumerate(places):
        separated = bool(adjusted[i] < statistics.ALPHA and signs[i] > 0)
        better[a, b] = separated
        found.append(
            Pair(
                first=labels[a],
                second=labels[b],
                improvement=improvement(scores[a], scores[b], draws, rng_seed),
                p_value=float(p_values[i]),
                p_holm=float(adjusted[i]),
                separated=separated,
                wins=int((differences[i] > 0).sum()),
                losses=int((differences[i] < 0).sum()),
                ties=int((differences[i] == 0).sum()),
            )
        )
    return tuple(found), better


def improvement(first: Array, second: Array, draws: int, rng_seed: int = 0) -> Estimate:
    """P(a run of `first` scores above one of `second`), ties one half, mean over workloads.

    On each workload that is the Mann-Whitney U over n m. Value and interval are over the seeds
    that both have, and the bootstrap draws the same seeds for both, since runs of one seed share
    initial weights and batches.

    Args:
        first, second: scores, shape (W, n), NaN where there was no run.
        draws: bootstrap samples; 0 for no interval.
        rng_seed: of the bootstrap.
    """
    both = ~np.isnan(first) & ~np.isnan(second)
    a, counts = scoring.compact(np.where(both, first, np.nan))
    b, _ = scoring.compact(np.where(both, second, np.nan))
    common = counts > 0
    if not common.any():
        return Estimate(value=None)
    a, b, counts = a[common], b[common], counts[common]
    wins = (a[:, :, None] > b[:, None, :]) + 0.5 * (a[:, :, None] == b[:, None, :])
    known = ~np.isnan(a)[:, :, None] & ~np.isnan(b)[:, None, :]
    value = float(((wins * known).sum(axis=(1, 2)) / known.sum(axis=(1, 2))).mean())
    df = float((counts - 1).sum())
    if not draws or df == 0:
        return Estimate(value=value)
    weights = _draw_counts(draws, tuple(counts.tolist()), wins.shape[-1], rng_seed)
    taken = np.maximum(counts - 1, 1)
    samples = np.einsum("bwi,wij,bwj->bw", weights, wins, weights, optimize=True) / taken**2
    low, high = statistics.percentile_interval(samples.mean(axis=1), df)
    return Estimate(value=value, low=min(float(low), value), high=max(float(high), value))


@lru_cache(maxsize=4)  # most pairs of a study share the same counts
def _draw_counts(draws: int, counts: tuple[int, ...], n: int, rng_seed: int) -> Array:
    """How often each seed is drawn in a bootstrap sample, shape (B, W, n)."""
    rng = np.random.default_rng([rng_seed, 2])
    index, mask = statistics.bootstrap_draws(rng, draws, counts)
    return np.asarray(((index[..., None] == np.arange(n)) & mask[..., None]).sum(axis=2), float)


def place_ranges(better: Array) -> list[tuple[int, int]]:
    """First and last place of each entrant that the separated pairs leave open, 1-based."""
    ahead, behind = better.sum(axis=0), better.sum(axis=1)
    return [(1 + int(a), len(better) - int(b)) for a, b in zip(ahead, behind, strict=True)]


def tie_groups(better: Array, order: Sequence[int], labels: Sequence[str]) -> tuple[TieGroup, ...]:
    """The largest sets of entrants in which no pair is separated (a compact letter display).

    Built by insertion and absorption (Piepho 2004): begin with one group of all, split it at each
    separated pair, drop groups that lie within another.

    Args:
        better: separated pairs, shape (S, S).
        order: indices of the entrants, best first.
        labels: names.
    """
    groups = [frozenset(order)]
    for a, b in np.argwhere(better | better.T):
        split = [g - {x} for g in groups if {a, b} <= g for x in (a, b)]
        kept = [g for g in groups if not {a, b} <= g] + split
        unique = list(dict.fromkeys(kept))
        groups = [g for g in unique if not any(g < other for other in unique)]
    position = {index: i + 1 for i, index in enumerate(order)}
    inside = sorted(sorted(position[i] for i in group) for group in groups)
    return tuple(
        TieGroup(
            letter=_letter(i),
            labels=tuple(labels[order[p - 1]] for p in places),
            place=(places[0], places[-1]),
        )
        for i, places in enumerate(inside)
    )


def _letter(i: int) -> str:
    """a, b, ..., z, A, ..., Z, then a1, b1, ..."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rounds, at = divmod(i, len(letters))
    return letters[at] + (str(rounds) if rounds else "")


def demsar(means: Array, labels: Sequence[str]) -> CriticalDifference | None:
    """Friedman's test, Nemenyi's critical difference and its bars.

    Args:
        means: mean score, shape (S, W); entrants that miss a workload are left out.
        labels: names.

    Returns:
        None with fewer than two such entrants or two workloads.
    """
    complete = np.flatnonzero(~np.isnan(means).any(axis=1))
    k, n = len(complete), means.shape[1]
    if k < 2 or n < 2:
        return None
    ranks = statistics.average_ranks(-means[complete], axis=0).mean(axis=1)
    order = np.argsort(ranks, kind="stable")
    names = [labels[complete[i]] for i in order]
    ordered = [float(ranks[i]) for i in order]
    chi2, p_value, f = statistics.friedman(ordered, n)
    cd = statistics.critical_difference(k, n)
    return CriticalDifference(
        labels=tuple(names),
        mean_ranks=tuple(ordered),
        n=n,
        chi2=chi2,
        p_value=p_value,
        f=f,
        q=statistics.nemenyi_q(k),
        cd=cd,
        bars=tuple(tuple(names[i : j + 1]) for i, j in _bars(ordered, cd)),
    )


def _bars(ranks: Sequence[float], cd: float) -> list[tuple[int, int]]:
    """Longest runs (from, to) of at least two ascending ranks that lie within cd."""
    found: list[tuple[int, int]] = []
    for i in range(len(ranks)):
        j = max(j for j in range(i, len(ranks)) if ranks[j] - ranks[i] <= cd)
        if j > i and not (found and found[-1][1] >= j):
            found.append((i, j))
    return found
