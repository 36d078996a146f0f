"""Targets and best known losses, derived from the runs of a study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from optbench.analysis.statistics import metrics
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array
from optbench.records import Cell
from optbench.suites import Target, Targets
from optbench.suites.target_files import SHARES
from optbench.tuning.trials import SOLVED


def derive_targets(cells: Sequence[Cell], origin: str = "") -> Targets:
    """Derive targets from the runs of a study, one set for each dataset and network.

    ``target = L_guess^(1 - f) * L_best^f`` with f = 0.5, 0.75, 0.9. L_best is the lowest, over
    entrants, regimes and initializers, of the median over runs of the lowest loss held for two
    evaluations. L_guess is the loss of guessing; for runs stored before it was measured, the
    lowest, over workloads, of the median initial loss. So a target depends neither on regime nor on
    initializer. The best known losses are likewise medians of the best entrant: of the training
    loss at the end, the validation loss held, and the test loss where the validation loss is
    lowest. A study that freezes targets should be wide: the best of many optimizers, tuned.

    Args:
        cells: Cells of one or several studies; an entrant may be in more than one of them.
        origin: What the targets are derived from, for their record.

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
    return targets_of(StudyArrays(renamed), origin)


def targets_of(study: StudyArrays, origin: str = "") -> Targets:
    """Derive the targets of a study that is laid out in arrays already."""
    if not study.runs:
        return {}
    typical = {
        "best_train": _median_run(study.train_loss),
        "best_val": _median_run(study.spread(lowest_held(study.val))),
        "best_test": _median_run(study.spread(_test_losses(study))),
    }
    guess = study.workload_medians(np.array([run.guess_val_loss for run in study.runs]))
    first = np.where(np.isnan(guess), study.initial_loss, guess)
    targets: Targets = {}
    keys = [(w.dataset, w.network) for w in study.workloads]
    for key in dict.fromkeys(keys):
        columns = [w for w, other in enumerate(keys) if other == key]
        starts = first[columns]
        if np.isnan(starts).all():
            continue
        start = float(np.nanmin(starts))
        best = {name: _lowest(losses[:, columns]) for name, losses in typical.items()}
        if best["best_val"] < 0.98 * start:
            best = {name: max(loss, SOLVED * start) for name, loss in best.items()}
            low = best["best_val"]
            levels: dict[str, float] = {x: start ** (1 - f) * low**f for x, f in SHARES.items()}
            targets[key] = Target(**levels, **best, origin=origin)
    return targets


def _test_losses(study: StudyArrays) -> Array:
    """Return the test loss of each run, shape (R,); that of the end if no other was measured."""
    final = np.array([run.test_loss for run in study.runs])
    best = np.array([run.best_test_loss for run in study.runs])
    losses = np.where(np.isnan(best), final, best)
    return np.where(study.lost | np.isnan(losses), np.inf, losses)


def _median_run(losses: Array) -> Array:
    """Return the median over the runs of each entrant on each workload, shape (S, W)."""
    return metrics.median(losses.reshape(*losses.shape[:2], -1))


def _lowest(losses: Array) -> float:
    """Return the lowest loss, infinite where no run has one."""
    return float(np.where(np.isnan(losses), np.inf, losses).min(initial=np.inf))


def lowest_held(loss: Array) -> Array:
    """Return the lowest loss that each curve kept for two evaluations in a row.

    Args:
        loss: Validation losses, shape (R, G), NaN after the end.

    Returns:
        Shape (R,); infinite for a run without two finite evaluations.
    """
    pairs = np.maximum(loss[:, :-1], loss[:, 1:])
    return np.asarray(np.where(np.isfinite(pairs), pairs, np.inf).min(axis=1, initial=np.inf))
