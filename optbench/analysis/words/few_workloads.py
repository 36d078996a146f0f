"""Sentences about a study with too few workloads for places.

Tests are paired over workloads. With few of them, even the clearest result does not reach 5%. What
remains is which entrant leads on these workloads, beyond the spread of the seeds.
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
from optbench.analysis.words.prose import count, join_names, short_names

MOST_LEADERS = 3
"""Number of sentences about leaders; the tables have the rest."""


def too_few_workloads(board: Leaderboard) -> bool:
    """Return whether no result could separate two entrants, so that places mean nothing."""
    return bool(board.pairs) and len(board.workloads) < workloads_needed(len(board.pairs))


def missing_places_text(board: Leaderboard) -> str:
    """Say why there are no places, and what the intervals cover."""
    n, pairs = len(board.workloads), len(board.pairs)
    text = f"{count(n, 'workload')}: places need at least {workloads_needed(pairs)} workloads"
    if n > 1:
        text += f" (the two-sided Wilcoxon test on {n} cannot give less than "
        text += f"p = {least_p_value(n):.3g}"
        text += f", before the correction for {pairs} pairs)" if pairs > 1 else ")"
    if board.seeds == 1:
        return text
    return f"{text}; the intervals cover the choice of the {board.seeds} seeds, not of workloads"


def leader_sentences(study: StudyArrays, measured: RunMetrics) -> Iterator[str]:
    """Say which entrants lead beyond the spread of the seeds, those on most workloads first."""
    leads: dict[tuple[str, str], list[str]] = {}
    means = workload_means(measured.score)
    for w, name in enumerate(short_names(study.workloads)):
        entered = [s for s in range(len(means)) if not np.isnan(means[s, w])]
        leader, *others = sorted(entered, key=lambda s: -means[s, w])
        scores = measured.score[:, w : w + 1]
        behind = [s for s in others if scoring.surely_above_zero(scores[leader] - scores[s])]
        if behind:
            everyone = len(behind) == len(others) > 1
            labels = [study.labels[s] for s in behind]
            below = "everyone else" if everyone else join_names(labels)
            leads.setdefault((study.labels[leader], below), []).append(name)
    most_first = sorted(leads.items(), key=lambda item: -len(item[1]))
    for (leader_label, below), workloads in most_first[:MOST_LEADERS]:
        yield (
            f"{leader_label} scores above {below} on {join_names(workloads)}, "
            "beyond the spread of the seeds"
        )
