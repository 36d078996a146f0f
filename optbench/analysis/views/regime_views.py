"""Batch, mini-batch and sgd side by side, at equal examples and at equal updates.

Batch descent takes few good steps, sgd many bad ones, so the order depends on what is held equal:
the examples seen, or the updates made.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from optbench.analysis.cost_axes import COST_AXES, CostAxis
from optbench.analysis.statistics import metrics
from optbench.analysis.statistics.hypothesis_tests import average_ranks
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.view_records import OrderFlip, RankFlip, RegimeLoss, RegimeView
from optbench.contracts import Array
from optbench.records import Workload
from optbench.support.text import count

FEWEST_SEEDS = 3
"""With fewer seeds, no flip is called clear."""

Member = tuple[int, int]
"""Entrant s on workload w."""


def loss_at(cost: Array, loss: Array, limit: float | Array) -> Array:
    """Return the loss at the last evaluation with a cost up to `limit`; infinite if there is none.

    Args:
        cost, loss: Shape (R, G), NaN after the end.
        limit: Cost at which to look, a number or shape (R,).
    """
    limit = np.broadcast_to(limit, len(cost))
    reached = cost <= limit[:, None] * (1 + 1e-9)
    last = np.maximum(reached.sum(axis=1) - 1, 0)[:, None]
    loss_there = np.take_along_axis(loss, last, axis=1)[:, 0]
    beyond = np.nanmax(cost, axis=1, initial=-np.inf) >= limit * (1 - 1e-9)
    return np.where(beyond & np.isfinite(loss_there), loss_there, np.inf)


def regime_views(study: StudyArrays) -> tuple[RegimeView, ...]:
    """Return one view for each dataset, network and initializer that two regimes share."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for w, workload in enumerate(study.workloads):
        key = (workload.dataset, workload.network, workload.initialization)
        groups.setdefault(key, []).append(w)
    shared = {
        " | ".join(key): members
        for key, members in groups.items()
        if len({study.workloads[w].regime for w in members}) > 1
    }
    if not shared:
        return ()
    limits = {axis: _limits(study, axis, shared.values()) for axis in COST_AXES[:2]}
    losses = {
        axis: study.spread(loss_at(study.costs[axis], study.val, limit[study.place[:, 1]]))
        for axis, limit in limits.items()
    }
    return tuple(_view(study, label, members, limits, losses) for label, members in shared.items())


def _limits(study: StudyArrays, axis: CostAxis, groups: Iterable[list[int]]) -> Array:
    """Return the cost that every workload of its group reached, shape (W,)."""
    ends = study.spread(np.nanmax(study.costs[axis], axis=1, initial=0.0))
    limits: Array = np.fmax.reduce(ends, axis=(0, 2))
    for members in groups:
        limits[members] = limits[members].min()
    return limits


def _view(
    study: StudyArrays,
    label: str,
    members: list[int],
    limits: dict[CostAxis, Array],
    losses: dict[CostAxis, Array],
) -> RegimeView:
    entrants = range(len(study.labels))
    cells = [(s, w) for s in entrants for w in members if (s, w) in study.cells]
    names = _regime_names([study.workloads[w] for w in members])
    regime_of = dict(zip(members, names, strict=True))
    medians = {axis: _medians(laid, cells) for axis, laid in losses.items()}
    ranks = {axis: average_ranks(values) for axis, values in medians.items()}
    return RegimeView(
        label=label,
        regimes=tuple(names),
        examples=float(limits["examples"][members[0]]),
        updates=float(limits["updates"][members[0]]),
        rows=tuple(
            RegimeLoss(
                label=study.labels[s],
                regime=regime_of[w],
                at_examples=float(medians["examples"][i]),
                at_updates=float(medians["updates"][i]),
                rank_at_examples=float(ranks["examples"][i]),
                rank_at_updates=float(ranks["updates"][i]),
            )
            for i, (s, w) in enumerate(cells)
        ),
        flips=tuple(_rank_flips(study, cells, losses, medians, regime_of)),
        order_flips=tuple(_order_flips(study, losses["examples"], regime_of)),
    )


def _regime_names(workloads: list[Workload]) -> list[str]:
    """Return the regimes, with batch size or epochs where several workloads share a regime."""
    plain: list[str] = [w.regime for w in workloads]
    sized = [f"{w.regime} B={w.batch_size}" for w in workloads]
    full = [f"{w.regime} B={w.batch_size} {count(w.epochs, 'epoch')}" for w in workloads]
    return next((names for names in (plain, sized) if len(set(names)) == len(names)), full)


def _medians(laid: Array, cells: list[Member]) -> Array:
    """Return the median over seeds of each member, from values (S, W, n)."""
    return metrics.median(laid[tuple(np.array(cells).T)])


def _leads(first: Array, second: Array) -> Array:
    """Return where the first loss is below the second on every common seed, the last axis."""
    common = ~np.isnan(first) & ~np.isnan(second)
    enough: Array = common.sum(axis=-1) >= FEWEST_SEEDS
    return enough & ((first < second) | ~common).all(axis=-1)


def _flipped_pairs(flipped: Array) -> Array:
    """Return the indices of the pairs whose order flips, shape (2, pairs)."""
    pairs = sorted(np.argwhere(flipped).tolist(), key=sorted)
    return np.array(pairs, dtype=int).reshape(-1, 2).T


def _rank_flips(
    study: StudyArrays,
    cells: list[Member],
    losses: dict[CostAxis, Array],
    medians: dict[CostAxis, Array],
    regime_of: dict[int, str],
) -> list[RankFlip]:
    s, w = np.array(cells).T
    same = s[:, None] == s  # two entrants in one regime: both views would be of the same curves
    ahead, behind = medians["examples"], medians["updates"]
    a, b = _flipped_pairs(same & (ahead[:, None] < ahead) & (behind[:, None] > behind))
    examples, updates = losses["examples"][s, w], losses["updates"][s, w]
    clear = _leads(examples[a], examples[b]) & _leads(updates[b], updates[a])
    names = [(study.labels[s], regime_of[w]) for s, w in cells]
    flips = [
        RankFlip(first=names[i], second=names[j], clear=sure)
        for i, j, sure in zip(a.tolist(), b.tolist(), clear.tolist(), strict=True)
    ]
    return sorted(flips, key=lambda flip: not flip.clear)


def _order_flips(study: StudyArrays, loss: Array, regime_of: dict[int, str]) -> list[OrderFlip]:
    medians = {w: metrics.median(loss[:, w]) for w in regime_of}  # NaN where not entered
    flips = []
    for one, other in combinations(regime_of, 2):
        ahead, behind = medians[one], medians[other]
        a, b = _flipped_pairs((ahead[:, None] < ahead) & (behind[:, None] > behind))
        clear = _leads(loss[a, one], loss[b, one]) & _leads(loss[b, other], loss[a, other])
        flips += [
            OrderFlip(
                first=study.labels[i],
                second=study.labels[j],
                regime=regime_of[one],
                other_regime=regime_of[other],
                clear=sure,
            )
            for i, j, sure in zip(a.tolist(), b.tolist(), clear.tolist(), strict=True)
        ]
    return sorted(flips, key=lambda flip: not flip.clear)
