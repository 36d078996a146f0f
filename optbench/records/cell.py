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
    """One configuration tried in tuning.

    Attributes:
        hyper: Value of every hyperparameter.
        results: One tuning run for each tuning seed.
    """

    hyper: Mapping[str, Value]
    results: tuple[RunResult, ...]


@dataclass(frozen=True)
class Cell:
    """One entrant on one workload: its trials, the chosen configuration and its evaluation.

    Attributes:
        entrant: The entrant.
        workload: The workload.
        trials: Trials of the tuning; empty if nothing is tuned.
        chosen: Hyperparameter values selected on validation; None while tuning is unfinished.
        edges: Hyperparameters whose best trial still lies at the edge of the search range after
            widening, with the side, ``"low"`` or ``"high"``.
        evaluation: Evaluation runs of the chosen configuration.
    """

    entrant: Entrant
    workload: Workload
    trials: tuple[Trial, ...]
    chosen: Mapping[str, Value] | None
    edges: Mapping[str, str]
    evaluation: tuple[RunResult, ...]
