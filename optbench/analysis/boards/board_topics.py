"""What each board of a study is about: its values, its workloads, and which units vary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optbench.analysis.board_records import STATEMENTS, Statement, Unit
from optbench.analysis.boards.board_values import BoardValues
from optbench.analysis.grouping import indices_by_key
from optbench.analysis.study_arrays import StudyArrays
from optbench.records import BoardName, Regime


@dataclass(frozen=True)
class BoardTopic:
    """What one board is about.

    Attributes:
        table: The values of all workloads.
        statement: Whether it is about these workloads, or about workloads like these.
        unit: What varies independently.
        columns: Indices of its workloads.
        regime: Regime of its workloads; None for those of all regimes.
    """

    table: BoardValues
    statement: Statement
    unit: Unit
    columns: list[int]
    regime: Regime | None = None

    @property
    def key(self) -> tuple[BoardName, Statement, Regime | None]:
        """What tells the board from the others of the study."""
        return self.table.name, self.statement, self.regime


def board_topics(
    study: StudyArrays, tables: Sequence[BoardValues], drawn: bool
) -> list[BoardTopic]:
    """Return the topics of all boards: both statements of each name, then those of each regime.

    A study of a single regime has no boards of its regime.

    Args:
        study: The runs.
        tables: Results of `board_values`.
        drawn: Whether the workloads were drawn from a declared distribution.
    """
    units: dict[Statement, Unit] = {
        "these-workloads": "replicate",
        "workloads-like-these": "drawn workload" if drawn else "dataset",
    }
    everything = list(range(len(study.workloads)))
    topics = [
        BoardTopic(table, statement, units[statement], everything)
        for table in tables
        for statement in STATEMENTS
    ]
    by_regime = indices_by_key(workload.regime for workload in study.workloads)
    for columns in by_regime if len(by_regime) > 1 else ():
        regime = study.workloads[columns[0]].regime
        topics += [
            BoardTopic(table, "these-workloads", "replicate", columns, regime) for table in tables
        ]
    return topics
