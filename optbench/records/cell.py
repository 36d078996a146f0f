"""One entrant on one workload in one replicate: trials, choice and evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

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
        retest: Runs on further tuning seeds, if it was one of the best trials.
        is_default: Whether this is the default configuration, which is not a search point.
        is_widened: Whether this is a point of a widened range.
        is_refined: Whether this is a point beside the best trial, which is not a random one.
    """

    hyper: Mapping[str, Value]
    results: tuple[RunResult, ...]
    retest: tuple[RunResult, ...] = ()
    is_default: bool = False
    is_widened: bool = False
    is_refined: bool = False

    @property
    def runs(self) -> tuple[RunResult, ...]:
        """All tuning runs."""
        return self.results + self.retest


@dataclass(frozen=True)
class Cell:
    """One entrant on one workload in one replicate: trials, chosen configuration and evaluation.

    Attributes:
        entrant: The entrant.
        workload: The workload.
        trials: Trials of the tuning; empty if nothing is tuned.
        chosen: Hyperparameter values selected on validation; None while tuning is unfinished.
        edges: Hyperparameters whose best trial still lies at the edge of the search range after
            widening, with the side, ``"low"`` or ``"high"``.
        evaluation: Evaluation runs of the chosen configuration.
        replicate: Number of the replicate. A study may have several cells of an entrant on a
            workload, one for each replicate.
    """

    entrant: Entrant
    workload: Workload
    trials: tuple[Trial, ...]
    chosen: Mapping[str, Value] | None
    edges: Mapping[str, str]
    evaluation: tuple[RunResult, ...]
    replicate: int = 0

    @property
    def values(self) -> Mapping[str, Value]:
        """The chosen values; while tuning is unfinished, those of the evaluation runs, if any."""
        if self.chosen is not None:
            return self.chosen
        return self.evaluation[0].spec.hyper if self.evaluation else {}

    @property
    def rate(self) -> float:
        """The rate among `values`; infinite for an optimizer without one."""
        value = self.values.get(self.entrant.rate)
        return float(value) if isinstance(value, int | float) else math.inf


def typical_choices(cells: Iterable[Cell]) -> list[Cell]:
    """Return the `typical_cell` of each entrant on each workload, if its tuning is finished.

    Args:
        cells: Cells of one study, in any order.
    """
    typical = [typical_cell(group) for group in _replicates_of(cells)]
    return [cell for cell in typical if cell.chosen is not None]


def typical_cell(replicates: Iterable[Cell]) -> Cell:
    """Return the replicate whose choice is typical: the one with the median rate.

    Replicates with unfinished tuning do not count, unless it is unfinished in all of them. Of two
    in the middle it is the lower one, and of equal rates the first.

    Args:
        replicates: Cells of one entrant on one workload, at least one.
    """
    cells = list(replicates)
    tuned = [cell for cell in cells if cell.chosen is not None]
    ordered = sorted(tuned or cells, key=lambda cell: (cell.rate, cell.replicate))
    return ordered[(len(ordered) - 1) // 2]


def pool_replicates(cells: Iterable[Cell]) -> list[Cell]:
    """Return one cell for each entrant and workload, with the runs of all its replicates.

    The pooled cell has the choice, the edges and the number of its first replicate. Its trials are
    those of every replicate, one replicate after the other.

    Args:
        cells: Cells of one study, in any order.
    """
    groups = _replicates_of(cells)
    return [_pool(sorted(group, key=lambda cell: cell.replicate)) for group in groups]


def _replicates_of(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Return the cells of each entrant on each workload."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.entrant.label, cell.workload.label), []).append(cell)
    return list(groups.values())


def _pool(group: list[Cell]) -> Cell:
    if len(group) == 1:
        return group[0]
    return replace(
        group[0],
        trials=tuple(trial for cell in group for trial in cell.trials),
        evaluation=tuple(result for cell in group for result in cell.evaluation),
    )
