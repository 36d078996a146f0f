"""Targets of validation loss: taken from a file where they are frozen, else derived."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from optbench.analysis import metrics
from optbench.contracts import Array
from optbench.records import Cell, RunResult, Status

LEVELS = {"easy": 0.5, "medium": 0.75, "hard": 0.9}
"""Level -> share of the way, in log loss, from the initial to the best known loss."""

Key = tuple[str, str]
Targets = Mapping[Key, Mapping[str, float]]
"""(dataset, ``Workload.network``) -> level (``"easy"``, ``"medium"``, ``"hard"``) -> loss."""


def derive_targets(cells: Sequence[Cell]) -> dict[Key, dict[str, float]]:
    """Targets from the runs of a study, one set for each dataset and network.

    ``target = L_0^(1 - f) * L_best^f`` with f = 0.5, 0.75, 0.9. L_best is the lowest, over
    entrants, regimes and initializers, of the median over seeds of the lowest loss held for two
    evaluations; L_0 the lowest, over workloads, of the median initial loss (large initial weights
    must not make a target easy). So a target depends neither on regime nor on initializer. A
    study that freezes targets should be wide: the best of many optimizers, tuned.

    Returns:
        Nothing for a dataset and network on which no run improved by 2%.
    """
    starts: dict[Key, list[float]] = {}
    bests: dict[Key, list[float]] = {}
    for cell in cells:
        if not cell.evaluation:
            continue
        key = (cell.workload.dataset, cell.workload.network)
        curves = [r.curve["val_loss"] for r in cell.evaluation if "val_loss" in r.curve]
        first = [float(c[0]) for c in curves if len(c) and math.isfinite(c[0])]
        starts.setdefault(key, []).append(float(np.median(first)) if first else math.inf)
        held = [lowest_held(r) for r in cell.evaluation]
        bests.setdefault(key, []).append(float(np.median(held)))
    found = {}
    for key, best in bests.items():
        start, low = min(starts[key]), max(min(best), metrics.TINY)
        if math.isfinite(start) and low < 0.98 * start:
            low = max(low, metrics.SOLVED * start)
            found[key] = {
                level: math.exp((1 - f) * math.log(start) + f * math.log(low))
                for level, f in LEVELS.items()
            }
    return found


def lowest_held(result: RunResult) -> float:
    """Lowest validation loss that a run was at or below for two evaluations in a row."""
    loss: Array = result.curve["val_loss"] if "val_loss" in result.curve else np.empty(0)
    if result.status == Status.FAILED or len(loss) < 2:
        return math.inf
    pairs = np.maximum(loss[:-1], loss[1:])
    pairs = pairs[np.isfinite(pairs)]
    return float(pairs.min()) if len(pairs) else math.inf
