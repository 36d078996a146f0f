"""The notes of a board: missing verdicts, entrants without all workloads, derived scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.analysis.board_records import Unit
from optbench.analysis.boards.board_pairs import LEAST_UNITS
from optbench.analysis.boards.board_topics import BoardTopic
from optbench.analysis.statistics.contrasts import Contrasts
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.words.prose import looks_notes, short_names
from optbench.contracts import Array
from optbench.records import Look
from optbench.support.text import count, join_names, plural


def board_notes(
    study: StudyArrays,
    topic: BoardTopic,
    means: Contrasts,
    looks: Sequence[Look],
    is_complete: Array,
) -> list[str]:
    """Return what a reader must know about one board, one sentence after the other.

    Args:
        study: The runs.
        topic: What the board is about.
        means: The mean of each entrant.
        looks: The looks at the study so far.
        is_complete: False for the entrants that have values on some workloads only, shape (S,).
    """
    table, unit, columns = topic.table, topic.unit, topic.columns
    notes = looks_notes(looks)
    if not means.testable.any() and len(study.labels) > 1:
        if unit != "replicate":
            # What is said of the values and the looks stands on the board of these workloads.
            return [_too_few_units(means, unit)]
        if study.n_replicates == 1:
            text = "No verdicts: with one replicate, tuning and evaluation were done once. Nothing "
            notes.append(text + "shows how much a repetition would change the results.")
        elif not np.isfinite(means.estimate).any():
            notes.append("No verdicts: no optimizer has a value on this board.")
        else:
            notes.append("No verdicts: no optimizer has values in two replicates.")
    if partial := [study.labels[s] for s in np.flatnonzero(~is_complete)]:
        notes.append(
            f"Ranked last because of missing workloads: {join_names(partial)}. Pairs with "
            f"{plural(len(partial), 'it', 'them')} use the common workloads."
        )
    names = short_names([study.workloads[w] for w in columns])
    from_study = [study.workloads[w].dataset for w in columns if table.from_study[w]]
    if from_study:
        scale = "target" if table.name == "speed" else "best known loss"
        notes.append(
            f"No frozen {scale} for {join_names(list(dict.fromkeys(from_study)))}: it was derived "
            "from this study, so values move when entrants or seeds are added."
        )
    missing = [n for n, w in zip(names, columns, strict=True) if np.isnan(table.values[:, w]).all()]
    if missing:
        notes.append(f"Without a target or a scale: {join_names(missing)}; left out of this board.")
    return notes


def _too_few_units(means: Contrasts, unit: Unit) -> str:
    """Say why nothing is said about workloads like these."""
    units = int(means.replicates.max())
    if not units:
        return "No verdicts: no optimizer has a value on this board."
    if units == 1:
        return f"No verdicts: one {unit} says nothing about other {unit}s."
    return (
        f"No verdicts: {count(units, unit)} say too little about other {unit}s; at least "
        f"{LEAST_UNITS} are needed."
    )
