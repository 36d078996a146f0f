"""Boards made from a matrix of values, for tests of how they are shown."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from optbench.analysis.board_records import (
    Board,
    BoardPair,
    BoardRow,
    Needs,
    PairVerdict,
    Statement,
)
from optbench.records import BOARD_NAMES, BoardName, Regime

REGIONS: dict[BoardName, float] = {
    "final-loss": 0.03,
    "training-loss": 0.03,
    "speed": float(np.log2(1.1)),
    "stability": 0.05,
}


def make_board(
    values: Mapping[str, Sequence[float]],
    name: BoardName = "final-loss",
    statement: Statement = "these-workloads",
    regime: Regime | None = None,
    workloads: int = 9,
) -> Board:
    """Return a board of entrants with one value for each replicate; paired t-tests and Holm."""
    y = {label: np.asarray(v, dtype=float) for label, v in values.items()}
    order = sorted(y, key=lambda label: -y[label].mean())
    region, k = REGIONS[name], len(next(iter(y.values())))
    couples = list(itertools.combinations(order, 2))
    differences = np.array([y[first] - y[second] for first, second in couples]).reshape(-1, k)
    mean, low, high, p, p_equal = _test(differences, region)
    raw = zip(couples, mean.tolist(), low.tolist(), high.tolist(), p.tolist(), strict=True)
    adjusted, equal = _holm(p), _holm(p_equal)
    pairs = []
    for ((first, second), d, d_low, d_high, p_own), p_adjusted, p_equal_adjusted in zip(
        raw, adjusted, equal, strict=True
    ):
        verdict: PairVerdict = (
            "equal" if p_equal_adjusted < 0.05 else "better" if p_adjusted < 0.05 else "open"
        )
        needs = Needs(replicates=2 * k, seconds=50.0) if verdict == "open" and k > 1 else None
        known = k > 1
        pairs.append(
            BoardPair(
                first=first,
                second=second,
                difference=d,
                low=d_low if known else None,
                high=d_high if known else None,
                p=p_own if known else None,
                p_adjusted=p_adjusted if known else None,
                p_equal=p_equal_adjusted if known else None,
                verdict=verdict,
                needs=needs,
            )
        )
    better = [pair for pair in pairs if pair.verdict == "better"]
    beats = Counter(pair.first for pair in better)
    beaten_by = Counter(pair.second for pair in better)
    rows = []
    for label in order:
        half = float(y[label].std(ddof=1) / k**0.5 * _t95(k - 1)) if k > 1 else 0.0
        value = float(y[label].mean())
        above, below = beaten_by[label], beats[label]
        rows.append(
            BoardRow(
                label=label,
                value=value,
                low=value - half if k > 1 else None,
                high=value + half if k > 1 else None,
                place=(1 + above, len(order) - below),
                may_be_best=not above,
                workloads=workloads,
                details={"lost": 0.0, "regret": 0.05} if name == "stability" else {},
            )
        )
    note = "" if k > 1 else "No verdicts: one replicate shows no spread of tuning."
    return Board(
        name=name,
        statement=statement,
        regime=regime,
        region=region,
        unit="replicate" if statement == "these-workloads" else "dataset",
        units=k if statement == "these-workloads" else 3,
        note=note,
        rows=tuple(rows),
        pairs=tuple(pairs),
    )


def make_boards(
    labels: Sequence[str],
    replicates: int = 6,
    regimes: Sequence[Regime] = (),
    noise: float = 0.01,
    workloads: int = 9,
    seed: int = 0,
) -> tuple[Board, ...]:
    """Return the boards of a study whose entrants differ by steps of 0.02, in shuffled orders."""
    rng = np.random.default_rng(seed)
    steps = np.linspace(0, min(0.02 * (len(labels) - 1), 0.9), len(labels))
    keys: list[tuple[Statement, Regime | None]] = [
        ("these-workloads", None),
        ("workloads-like-these", None),
        *[("these-workloads", regime) for regime in regimes],
    ]
    boards = []
    for statement, regime in keys:
        for name in BOARD_NAMES:
            scale = min(20.0, 3.5 / max(steps[-1], 0.01)) if name == "speed" else 1.0
            spread = noise * scale * (5 if statement == "workloads-like-these" else 1)
            base = 3.0 if name == "speed" else 0.95
            means = base - scale * rng.permutation(steps)
            values = {
                label: mean + spread * rng.standard_normal(replicates)
                for label, mean in zip(labels, means, strict=True)
            }
            boards.append(
                make_board(values, name, statement, regime, workloads // (3 if regime else 1))
            )
    return tuple(boards)


@functools.cache
def _t95(df: int) -> float:
    return float(stats.t.ppf(0.975, df))


def _test(d: np.ndarray, region: float) -> tuple[np.ndarray, ...]:
    """Return means with 95% intervals, and p-values against 0 and against the region."""
    mean, k = d.mean(axis=1), d.shape[1]
    if k < 2:
        return mean, mean, mean, np.ones(len(d)), np.ones(len(d))
    sem = np.maximum(d.std(axis=1, ddof=1) / k**0.5, 1e-12)
    half = sem * _t95(k - 1)
    p = 2 * stats.t.sf(np.abs(mean) / sem, k - 1)
    return mean, mean - half, mean + half, p, stats.t.sf((region - np.abs(mean)) / sem, k - 1)


def _holm(p: np.ndarray) -> list[float]:
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty(len(p))
    result[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in result]
