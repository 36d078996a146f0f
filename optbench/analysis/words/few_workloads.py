"""What can be said of a study with too few workloads for any place to be told.

Tests are paired over workloads. With few of them no result, however clear, reaches 5%; what is left
is who leads on these very workloads, beyond the spread of the seeds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics import scoring
from optbench.analysis.statistics.hypothesis_tests import least_p_value, workloads_needed
from optbench.analysis.statistics.ranking import workload_means
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.words.prose import count, listed, short_names

MOST_LEADERS = 3
"""Sentences on who leads where; the tables have the rest."""


def too_few_workloads(board: Leaderboard) -> bool:
    """Whether no result at all could tell two entrants apart, so that places mean nothing."""
    return bool(board.pairs) and len(board.workloads) < workloads_needed(len(board.pairs))


def no_places(board: Leaderboard) -> str:
    """What is missing for places, and what the intervals speak of then."""
    n, pairs = len(board.workloads), len(board.pairs)
    text = f"{count(n, 'workload')}: places need at least {workloads_needed(pairs)} workloads"
    if n > 1:
        text += f" (with {n} the two-sided Wilcoxon test cannot go below p = {least_p_value(n):.3g}"
        text += f", to be corrected for {pairs} pairs)" if pairs > 1 else ")"
    if board.seeds == 1:
        return text
    these = "this one" if n == 1 else f"these {n}"
    return f"{text}; the intervals speak of the {board.seeds} seeds on {these}"


def leaders(study: StudyArrays, measured: RunMetrics) -> Iterator[str]:
    """Who leads on which workloads beyond the spread of the seeds; what is said of most, first."""
    found: dict[tuple[str, str], list[str]] = {}
    names, means = short_names(study.workloads), workload_means(measured.score)
    for w, name in enumerate(names):
        entered = [s for s in range(len(means)) if not np.isnan(means[s, w])]
        lead, *others = sorted(entered, key=lambda s: -means[s, w])
        scores = measured.score[:, w : w + 1]
        behind = [s for s in others if scoring.surely_above_zero(scores[lead] - scores[s])]
        if behind:
            labels = [study.labels[s] for s in behind]
            whom = "everyone else" if len(behind) == len(others) > 1 else listed(labels)
            found.setdefault((study.labels[lead], whom), []).append(name)
    for (first, whom), where in sorted(found.items(), key=lambda x: -len(x[1]))[:MOST_LEADERS]:
        yield f"{first} scores above {whom} on {listed(where)}, beyond the spread of the seeds"
