"""The numbers behind the interactive page, which are part of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optbench.analysis.board_rows import Estimate
from optbench.analysis.cost_axes import COST_AXES
from optbench.analysis.leaderboard import Leaderboard, plain
from optbench.analysis.views.lr_profiles import lowest_of_each
from optbench.contracts import Array
from optbench.records import Cell, pool_replicates
from optbench.report.format.curve_bands import Band, bands
from optbench.report.format.highlights import CROWD, highlights
from optbench.report.format.palette import assign_looks
from optbench.report.format.workload_titles import titles_by_regime, unique_titles
from optbench.report.page.board_context import board_data
from optbench.report.page.chart_data import finite, heat_data, map_data, slope_data

QUANTITIES = ("val_loss", "train_loss", "val_metric", "train_metric")


def page_data(board: Leaderboard, cells: Sequence[Cell]) -> dict[str, Any]:
    """Return everything that the scripts of the page read, as strict JSON; ``null`` if not finite.

    Workloads are referred to by their index in `board.workloads`.
    """
    index = {b.label: i for i, b in enumerate(board.workloads)}
    looks = assign_looks(row.label for row in board.overall)
    floors = lowest_of_each(board.lr_curves)
    return {
        "labels": [row.label for row in board.overall],
        "off": [row.label for row in board.overall if row.label not in set(highlights(board))],
        "crowd": len(board.overall) > CROWD,
        "boards": board_data(board),
        "looks": {k: [v.colour, v.dash, _SYMBOLS[v.marker]] for k, v in looks.items()},
        "workloads": _workloads(board),
        "curves": _curves(cells, index),
        "lr": [
            {
                "label": c.label,
                "w": index[c.workload],
                "lr": _numbers(np.array(c.lr)),
                "loss": _numbers(np.array(c.loss)),
                "chosen": c.chosen,
                "start": c.initial_loss,
                "joined": c.only_lr,
                "floor": finite(floors[c.workload]),
            }
            for c in board.lr_curves
            if c.workload in index
        ],
        "profiles": {
            p.axis: {"tau": p.tau, "rho": p.rho, "unsolved": len(p.unsolved)}
            for p in board.profiles
        },
        "budgets": [
            {"label": b.label, "w": index.get(b.workload, -1), "score": _numbers(np.array(b.score))}
            for b in board.budgets
            if b.score and (not b.workload or b.workload in index)
        ],
        "stability": [
            {
                "label": row.label,
                "kept": _estimate(row.stability),
                "lost": [row.divergence.rate, row.divergence.low, row.divergence.high],
                "failed": row.failed,
            }
            for row in board.overall
        ],
        "heat": heat_data(board, index),
        "slopes": slope_data(board),
        "matrix": plain(board.matrix),
        "map": map_data(board, index),
    }


_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
    "*": "star",
    "p": "pentagon",
    "<": "triangle-left",
    ">": "triangle-right",
    "d": "diamond-tall",
}


def _workloads(board: Leaderboard) -> list[dict[str, Any]]:
    workloads = [b.workload for b in board.workloads]
    titles, short = titles_by_regime(workloads), unique_titles(workloads)
    return [
        {
            "title": titles[b.label],
            "short": short[b.label],
            "dataset": b.workload.dataset,
            "regime": b.workload.regime,
            "init": b.workload.initialization,
            "network": b.workload.network,
            "target": finite(b.target),
            "base": finite(b.base_rate),
            "rows": {
                row.label: {
                    "score": _estimate(row.score),
                    "lost": [row.divergence.count, row.divergence.total, row.failed],
                    "time": {axis: finite(getattr(row.time, axis)) for axis in COST_AXES},
                }
                for row in b.rows
            },
        }
        for b in board.workloads
    ]


def _curves(cells: Sequence[Cell], index: Mapping[str, int]) -> list[dict[str, Any]]:
    entries = []
    for cell in pool_replicates(cells):
        if not cell.evaluation or cell.workload.label not in index:
            continue
        drawn = bands(cell.evaluation, QUANTITIES, COST_AXES)
        x = {axis: _numbers(drawn[QUANTITIES[0], axis].x) for axis in COST_AXES}
        y = {
            quantity: _band(drawn[quantity, COST_AXES[0]])
            for quantity in QUANTITIES
            if all(quantity in run.curve for run in cell.evaluation)
        }
        entries.append(
            {"w": index[cell.workload.label], "label": cell.entrant.label, "x": x, "y": y}
        )
    return sorted(entries, key=lambda c: (c["w"], c["label"]))


def _band(b: Band) -> list[list[float | None]]:
    if np.array_equal(b.low, b.high, equal_nan=True):
        return [_numbers(b.mid)]
    drawn = np.concatenate([b.mid, b.low, b.high])
    good = drawn[np.isfinite(drawn)]
    if not len(good):
        return [_numbers(b.mid)]
    # a quartile that is infinite, since many runs are lost, is drawn at the edge of the others
    return [_numbers(b.mid), *(_numbers(v.clip(good.min(), good.max())) for v in (b.low, b.high))]


def _estimate(estimate: Estimate) -> list[float | None]:
    return [finite(estimate.value), finite(estimate.low), finite(estimate.high)]


def _numbers(values: Array) -> list[float | None]:
    """Return five significant digits: finer than a pixel, and half the size."""
    return [float(f"{v:.5g}") if math.isfinite(v) else None for v in values.tolist()]
