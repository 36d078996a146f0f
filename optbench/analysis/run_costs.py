"""The time that further runs of a study take: one estimate for boards and for ``--dry-run``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from optbench.analysis.study_arrays import StudyArrays

UNKNOWN_OVERHEAD = 0.005
"""Seconds around a run (data, evaluation, storage), where no session of a study measured them."""


class Pace(NamedTuple):
    """How fast a machine trains the runs of a study.

    Attributes:
        overhead: Seconds of one core around the training of one run.
        cores: Number of parallel runs.
    """

    overhead: float = UNKNOWN_OVERHEAD
    cores: int = 1


UNKNOWN_PACE = Pace()
"""That of one core, for a study that was not measured."""


def seconds_of_runs(runs: Iterable[tuple[float, float]], pace: Pace) -> float:
    """Return how long runs take.

    Args:
        runs: Numbers of runs of a kind, each with the mean training time of one of them in seconds.
        pace: How fast the machine is.

    Example:
        >>> seconds_of_runs([(10, 1.5), (20, 0.5)], Pace(overhead=0.1, cores=2))
        14.0
    """
    return sum(n * (seconds + pace.overhead) for n, seconds in runs) / pace.cores


def replicate_seconds(study: StudyArrays, pace: Pace) -> float:
    """Return how long one more replicate takes, with tuning, on all workloads.

    Entrants that the last replicate no longer has get no further runs.

    Args:
        study: The runs.
        pace: How fast the machine is.
    """
    last = study.n_replicates - 1
    active = {s for s, _, r in study.replicates if r == last}
    numbers = [r for s, _, r in study.replicates if s in active]
    replicates = len(set(numbers))
    return seconds_of_runs(_runs(study, active), pace) / max(replicates, 1)


def workload_seconds(study: StudyArrays, pace: Pace) -> float:
    """Return how long one more workload takes, with all entrants and replicates.

    Args:
        study: The runs.
        pace: How fast the machine is.
    """
    everyone = set(range(len(study.labels)))
    return seconds_of_runs(_runs(study, everyone), pace) / max(len(study.workloads), 1)


def _runs(study: StudyArrays, entrants: set[int]) -> Iterable[tuple[float, float]]:
    """Yield the number of runs of each cell of some entrants, and their mean training time."""
    for (s, _, _), cell in study.replicates.items():
        if s in entrants:
            runs = [*cell.evaluation, *(run for trial in cell.trials for run in trial.runs)]
            yield len(runs), sum(run.seconds for run in runs) / max(len(runs), 1)
