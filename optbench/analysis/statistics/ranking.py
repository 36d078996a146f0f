"""Who can be told apart from whom: pairs, tie groups, places, critical difference.

Tests are paired over workloads, on each entrant's mean score over seeds: seeds of one workload are
no independent evidence about another workload.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from optbench.analysis.board_rows import CriticalDifference, Estimate, Pair, TieGroup
from optbench.analysis.statistics import hypothesis_tests as statistics
from optbench.analysis.statistics import scoring
from optbench.analysis.statistics.bootstrap import bootstrap_draws, percentile_interval
from optbench.analysis.statistics.hypothesis_tests import alike
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
    cost = scores[0].size * scores.shape[-1] * len(places)
    draws = scoring.draws_for(cost, most=1000) if scores.shape[-1] > 1 else 0
    separated = (adjusted < statistics.ALPHA) & (signs > 0)
    better[first, second] = separated
    found = zip(
        places,
        improvements(scores, first, second, draws, rng_seed),
        p_values.tolist(),
        adjusted.tolist(),
        separated.tolist(),
        *(test.sum(axis=1).tolist() for test in (differences > 0, differences < 0)),
        (differences == 0).sum(axis=1).tolist(),
        strict=True,
    )
    return tuple(
        Pair(
            first=labels[a],
            second=labels[b],
            improvement=improvement,
            p_value=p,
            p_holm=p_holm,
            separated=apart,
            wins=wins,
            losses=losses,
            ties=ties,
        )
        for (a, b), improvement, p, p_holm, apart, wins, losses, ties in found
    ), better


def improvements(
    scores: Array, first: Array, second: Array, draws: int, rng_seed: int = 0
) -> list[Estimate]:
    """P(a run of `first` scores above one of `second`), ties one half, mean over workloads.

    On each workload that is the Mann-Whitney U over n m. Value and interval are over the seeds
    that both have, and the bootstrap draws the same seeds for both, since runs of one seed share
    initial weights and batches.

    Args:
        scores: shape (S, W, n), NaN where there was no run.
        first, second: indices of the entrants of each pair.
        draws: bootstrap samples; 0 for no interval.
        rng_seed: of the bootstrap.
    """
    known = ~np.isnan(scores)
    both = ((known[a] & known[b]).tobytes() for a, b in zip(first, second, strict=True))
    found: dict[int, Estimate] = {}
    for group in alike(both):  # pairs with the same common seeds are resampled together
        a, b = first[group], second[group]
        common = known[a[0]] & known[b[0]]
        found.update(zip(group, _improvements(scores, a, b, common, draws, rng_seed), strict=True))
    return [found[i] for i in range(len(first))]


def _improvements(
    scores: Array, first: Array, second: Array, common: Array, draws: int, rng_seed: int
) -> list[Estimate]:
    """`improvements` of pairs that have the seeds `common`, shape (W, n), in common."""
    workloads = np.flatnonzero(common.any(axis=1))
    if not len(workloads):
        return [Estimate(value=None)] * len(first)
    counts = common[workloads].sum(axis=1)
    df = float((counts - 1).sum())
    draws = draws if df > 0 else 0
    weights = _draw_counts(draws, tuple(counts.tolist()), common.shape[1], rng_seed)
    values, samples = np.empty((len(first), len(counts))), np.zeros((draws, len(first)))
    for k, (w, n) in enumerate(zip(workloads.tolist(), counts.tolist(), strict=True)):
        own = scores[:, w, common[w]].T
        x, y = np.take(own, first, axis=1)[:, None], np.take(own, second, axis=1)[None]
        wins = ((x > y) + np.float32(0.5) * (x == y)).reshape(n * n, len(first))
        values[:, k] = wins.sum(axis=0, dtype=float) / n**2
        drawn = weights[:, k, :n].T
        times = (drawn[:, None] * drawn[None]).reshape(n * n, draws)
        # halves are exact in float32; as a product of matrices, threads would wait for each other
        samples += np.einsum("kb,kp->bp", times, wins).astype(float) / max(n - 1, 1) ** 2
    value = values.mean(axis=1)
    if not draws:
        return [Estimate(value=v) for v in value.tolist()]
    low, high = percentile_interval(samples / len(counts), df)
    ends = np.stack([value, np.minimum(low, value), np.maximum(high, value)], axis=1)
    return [Estimate(value=v, low=a, high=b) for v, a, b in ends.tolist()]


@lru_cache(maxsize=1)  # most pairs of a study share the same counts
def _draw_counts(draws: int, counts: tuple[int, ...], n: int, rng_seed: int) -> Array:
    """How often each seed is drawn in a bootstrap sample, shape (B, W, n)."""
    rng = np.random.default_rng([rng_seed, 2])
    index, mask = bootstrap_draws(rng, draws, counts)
    drawn = (index[..., None] == np.arange(n)) & mask[..., None]
    return np.asarray(drawn.sum(axis=2, dtype=np.float32))


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
