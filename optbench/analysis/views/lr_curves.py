"""Every trial of tuning against its learning rate."""

from __future__ import annotations

import numpy as np

from optbench.analysis.board_rows import number
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.view_records import LearningRateCurve


def lr_curves(study: StudyArrays) -> tuple[LearningRateCurve, ...]:
    """Return the curve of each tuned cell whose optimizer has a learning rate."""
    curves = []
    for (s, w), trials in study.trials.items():
        if np.isnan(trials.lr).any():
            continue
        order = np.argsort(trials.lr, kind="stable")
        cell = study.cells[s, w]
        chosen = (cell.chosen or {}).get(cell.entrant.rate)
        curves.append(
            LearningRateCurve(
                label=study.labels[s],
                rate=cell.entrant.rate,
                workload=study.workload_labels[w],
                lr=tuple(trials.lr[order].tolist()),
                loss=tuple(trials.loss[order].tolist()),
                chosen=None if chosen is None else float(chosen),
                initial_loss=number(study.initial_loss[w]),
                only_lr=trials.only_lr,
            )
        )
    return tuple(curves)
