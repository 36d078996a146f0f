"""The order of entrants: mean scores, places, tie groups, critical difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.analysis.board_rows import CriticalDifference, TieGroup
from optbench.analysis.statistics import hypothesis_tests as tests
from optbench.contracts import Array


def workload_means(scores: Array) -> Array:
    """Return the mean score over seeds, shape (S, W); NaN where an entrant had no run.

    Rounded at the twelfth decimal, so that equal runs tie.
    """
    known = ~np.isnan(scores)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, scores, 0).sum(axis=-1) / known.sum(axis=-1)
    return np.asarray(np.round(mean, 12))


def order_of(score: Array) -> Array:
    """Return the indices of the entrants, best score first; equal scores keep their order."""
    return np.argsort(-np.where(np.isnan(score), -1.0, score), kind="stable")


def place_ranges(better: Array) -> list[tuple[int, int]]:
    """Return the first and last place of each entrant that separated pairs leave open, 1-based."""
    ahead, behind = better.sum(axis=0), better.sum(axis=1)
    return [(1 + int(a), len(better) - int(b)) for a, b in zip(ahead, behind, strict=True)]


def tie_groups(better: Array, order: Sequence[int], labels: Sequence[str]) -> tuple[TieGroup, ...]:
    """Return the largest sets of entrants without a separated pair (a compact letter display).

    Insertion and absorption (Piepho 2004): start with one group of all, split groups at each
    separated pair, drop groups that lie within another.

    Args:
        better: Separated pairs, shape (S, S).
        order: Indices of the entrants, best first.
        labels: Names of the entrants.
    """
    groups = [frozenset(order)]
    for a, b in np.argwhere(better | better.T):
        split = [g - {x} for g in groups if {a, b} <= g for x in (a, b)]
        intact = [g for g in groups if not {a, b} <= g]
        unique = list(dict.fromkeys(intact + split))
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
    """Return a, b, ..., z, A, ..., Z, then a1, b1, ..."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rounds, position = divmod(i, len(letters))
    return letters[position] + (str(rounds) if rounds else "")


def demsar(means: Array, labels: Sequence[str]) -> CriticalDifference | None:
    """Return Friedman's test, Nemenyi's critical difference and its bars.

    Args:
        means: Mean score, shape (S, W); entrants that miss a workload are left out.
        labels: Names of the entrants.

    Returns:
        The test, or None with fewer than two such entrants or two workloads.
    """
    complete = np.flatnonzero(~np.isnan(means).any(axis=1))
    k, n = len(complete), means.shape[1]
    if k < 2 or n < 2:
        return None
    ranks = tests.average_ranks(-means[complete], axis=0).mean(axis=1)
    order = np.argsort(ranks, kind="stable")
    names = [labels[complete[i]] for i in order]
    ordered = [float(ranks[i]) for i in order]
    chi2, p_value, f = tests.friedman(ordered, n)
    cd = tests.critical_difference(k, n)
    return CriticalDifference(
        labels=tuple(names),
        mean_ranks=tuple(ordered),
        n=n,
        chi2=chi2,
        p_value=p_value,
        f=f,
        q=tests.nemenyi_q(k),
        cd=cd,
        bars=tuple(tuple(names[i : j + 1]) for i, j in _bars(ordered, cd)),
    )


def _bars(ranks: Sequence[float], cd: float) -> list[tuple[int, int]]:
    """Return the longest runs (from, to) of at least two ascending ranks that lie within cd."""
    runs: list[tuple[int, int]] = []
    for i in range(len(ranks)):
        j = max(j for j in range(i, len(ranks)) if ranks[j] - ranks[i] <= cd)
        if j > i and not (runs and runs[-1][1] >= j):
            runs.append((i, j))
    return runs
