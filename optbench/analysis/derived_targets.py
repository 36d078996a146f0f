"""Targets of validation loss, derived from the runs of a study."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from optbench.analysis.statistics import metrics
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array
from optbench.records import Cell
from optbench.suites import Targets

LEVELS = {"easy": 0.5, "medium": 0.75, "hard": 0.9}
"""Level -> share of the way from the initial to the best known loss, in log loss."""


def derive_targets(cells: Sequence[Cell]) -> Targets:
    """Derive targets from the runs of a study, one set for each dataset and network.

    ``target = L_0^(1 - f) * L_best^f`` with f = 0.5, 0.75, 0.9. L_best is the lowest, over
    entrants, regimes and initializers, of the median over seeds of the lowest loss held for two
    evaluations; L_0 the lowest, over workloads, of the median initial loss (large initial weights
    must not make a target easy). So a target depends neither on regime nor on initializer. A
    study that freezes targets should be wide: the best of many optimizers, tuned.

    Args:
        cells: Cells of one or several studies; an entrant may be in more than one of them.

    Returns:
        The targets, without datasets and networks on which no run improved by 2%.
    """
    times: Counter[tuple[str, str]] = Counter()
    renamed = []
    for cell in cells:
        key = (cell.entrant.label, cell.workload.label)
        entrant = msgspec.structs.replace(cell.entrant, label=f"{times[key]} {key[0]}")
        renamed.append(replace(cell, entrant=entrant))
        times[key] += 1
    return targets_of(StudyArrays(renamed))


def targets_of(study: StudyArrays) -> Targets:
    """Derive the targets of a study that is laid out in arrays already."""
    held = metrics.median(study.spread(lowest_held(study.val)))
    targets: Targets = {}
    keys = [(w.dataset, w.network) for w in study.workloads]
    for key in dict.fromkeys(keys):
        columns = [w for w, other in enumerate(keys) if other == key]
        starts, bests = study.initial_loss[columns], held[:, columns]
        if np.isnan(starts).all():
            continue
        start, low = float(np.nanmin(starts)), max(float(np.nanmin(bests)), metrics.TINY)
        if low < 0.98 * start:
            low = max(low, metrics.SOLVED * start)
            targets[key] = {
                level: math.exp((1 - f) * math.log(start) + f * math.log(low))
                for level, f in LEVELS.items()
            }
    return targets


def lowest_held(loss: Array) -> Array:
    """Return the lowest loss that each curve kept for two evaluations in a row.

    Args:
        loss: Validation losses, shape (R, G), NaN after the end.

    Returns:
        Shape (R,); infinite for a run without two finite evaluations.
    """
    pairs = np.maximum(loss[:, :-1], loss[:, 1:])
    return np.asarray(np.where(np.isfinite(pairs), pairs, np.inf).min(axis=1, initial=np.inf))
