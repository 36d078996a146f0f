"""One entrant on one workload: trials, choice and evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optbench.contracts import Value
from optbench.records.protocol import Entrant
from optbench.records.result import RunResult
from optbench.records.spec import Workload


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration tried in tuning, trained with each tuning seed."""

    hyper: Mapping[str, Value]
    results: tuple[RunResult, ...]


@dataclass(frozen=True)
class Cell:
    """One entrant on one workload: what was tried, what was chosen, how that did on fresh seeds.

    Attributes:
        chosen: hyperparameter values selected on validation (None while tuning is unfinished).
        edges: hyperparameters whose best trial still lies at the edge of the search range after
            widening, mapped to ``"low"`` or ``"high"``.
        evaluation: runs of the chosen configuration on the evaluation seeds.
    """

    entrant: Entrant
    workload: Workload
    trials: tuple[Trial, ...]
    chosen: Mapping[str, Value] | None
    edges: Mapping[str, str]
    evaluation: tuple[RunResult, ...]
