"""Batch, mini-batch and sgd side by side, at equal examples and at equal updates.

Batch descent takes few good steps, sgd many bad ones: which is ahead depends on what is held
equal. At equal examples every regime has seen as much data, at equal updates as many steps.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from optbench.analysis import metrics
from optbench.analysis.leaderboard import AXES, Axis, OrderFlip, RankFlip, RegimeLoss, RegimeView
from optbench.analysis.statistics import average_ranks
from optbench.analysis.table import Table
from optbench.contracts import Array
from optbench.records import Workload

LEAST_SEEDS = 3
"""With fewer seeds nothing is called clear."""

Member = tuple[int, int]
"""Entrant s on workload w."""


def loss_at(cost: Array, loss: Array, limit: float) -> Array:
    """Loss at the last evaluation with a cost up to `limit`; infinite if the run ended before it.

    Args:
        cost, loss: shape (R, G), NaN after the end.
        limit: where to look.
    """
    reached = cost <= limit * (1 + 1e-9)
    at = np.maximum(reached.sum(axis=1) - 1, 0)[:, None]
    found = np.take_along_axis(loss, at, axis=1)[:, 0]
    beyond = np.nanmax(cost, axis=1, initial=-np.inf) >= limit * (1 - 1e-9)
    return np.where(beyond & np.isfinite(found), found, np.inf)


def regime_views(table: Table) -> tuple[RegimeView, ...]:
    """One view for each dataset, network and initializer that two regimes share."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for w, workload in enumerate(table.workloads):
        key = (workload.dataset, workload.network, workload.initialization)
        groups.setdefault(key, []).append(w)
    return tuple(
        _view(table, " | ".join(key), members)
        for key, members in groups.items()
        if len({table.workloads[w].regime for w in members}) > 1
    )


def _view(table: Table, label: str, members: list[int]) -> RegimeView:
    rows = np.isin(table.place[:, 1], members)
    limits: dict[Axis, float] = {}
    for axis in AXES[:2]:
        ends = np.nanmax(table.costs[axis], axis=1, initial=0.0)
        limits[axis] = min(float(ends[table.place[:, 1] == w].max()) for w in members)
    losses: dict[Axis, Array] = {}
    for axis, limit in limits.items():
        laid = np.full(table.shape, np.nan)
        found = loss_at(table.costs[axis][rows], table.val[rows], limit)
        laid[tuple(table.place[rows].T)] = found
        losses[axis] = laid
    cells = [(s, w) for s, w in table.cells if w in members]
    cells.sort(key=lambda at: (at[0], members.index(at[1])))
    names = _regime_names([table.workloads[w] for w in members])
    regime_of = dict(zip(members, names, strict=True))
    medians = {axis: _medians(laid, cells) for axis, laid in losses.items()}
    ranks = {axis: average_ranks(values) for axis, values in medians.items()}
    return RegimeView(
        label=label,
        regimes=tuple(names),
        examples=limits["examples"],
        updates=limits["updates"],
        rows=tuple(
            RegimeLoss(
                label=table.labels[s],
                regime=regime_of[w],
                at_examples=float(medians["examples"][i]),
                at_updates=float(medians["updates"][i]),
                rank_at_examples=float(ranks["examples"][i]),
                rank_at_updates=float(ranks["updates"][i]),
            )
            for i, (s, w) in enumerate(cells)
        ),
        flips=tuple(_rank_flips(table, cells, losses, medians, regime_of)),
        order_flips=tuple(_order_flips(table, cells, losses["examples"], regime_of)),
    )


def _regime_names(workloads: list[Workload]) -> list[str]:
    """The regimes, told apart by what differs between workloads of the same regime."""
    plain: list[str] = [w.regime for w in workloads]
    sized = [f"{w.regime} B={w.batch_size}" for w in workloads]
    full = [f"{w.regime} B={w.batch_size} {w.epochs} epochs" for w in workloads]
    return next((names for names in (plain, sized) if len(set(names)) == len(names)), full)


def _medians(laid: Array, cells: list[Member]) -> Array:
    """Median over seeds of each member, from values (S, W, n)."""
    return metrics.median(laid[tuple(np.array(cells).T)])


def _leads(first: Array, second: Array) -> bool:
    """True when every common seed has the first loss below the second."""
    common = ~np.isnan(first) & ~np.isnan(second)
    return bool(common.sum() >= LEAST_SEEDS and (first[common] < second[common]).all())


def _rank_flips(
    table: Table,
    cells: list[Member],
    losses: dict[Axis, Array],
    medians: dict[Axis, Array],
    regime_of: dict[int, str],
) -> list[RankFlip]:
    s, w = np.array(cells).T
    alike = (s[:, None] == s) | (w[:, None] == w)  # else: another entrant in another regime
    ahead, behind = medians["examples"], medians["updates"]
    turned = alike & (ahead[:, None] < ahead) & (behind[:, None] > behind)
    found = []
    for a, b in sorted(np.argwhere(turned).tolist(), key=sorted):
        one, two = cells[a], cells[b]
        clear = _leads(losses["examples"][one], losses["examples"][two])
        clear &= _leads(losses["updates"][two], losses["updates"][one])
        found.append(
            RankFlip(
                first=(table.labels[one[0]], regime_of[one[1]]),
                second=(table.labels[two[0]], regime_of[two[1]]),
                clear=clear,
            )
        )
    return sorted(found, key=lambda flip: not flip.clear)


def _order_flips(
    table: Table, cells: list[Member], loss: Array, regime_of: dict[int, str]
) -> list[OrderFlip]:
    there = set(cells)
    entrants = sorted({s for s, _ in cells})
    medians = {at: float(m) for at, m in zip(cells, _medians(loss, cells), strict=True)}
    found = []
    for one, other in combinations(regime_of, 2):
        for i, j in combinations(entrants, 2):
            if not {(i, one), (j, one), (i, other), (j, other)} <= there:
                continue
            for a, b in ((i, j), (j, i)):
                leads = medians[a, one] < medians[b, one]
                if leads and medians[b, other] < medians[a, other]:
                    clear = _leads(loss[a, one], loss[b, one])
                    clear &= _leads(loss[b, other], loss[a, other])
                    found.append(
                        OrderFlip(
                            first=table.labels[a],
                            second=table.labels[b],
                            regime=regime_of[one],
                            other_regime=regime_of[other],
                            clear=clear,
                        )
                    )
    return sorted(found, key=lambda flip: not flip.clear)
