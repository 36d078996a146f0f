"""Connects planning with the analysis that decides: points, selection, edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optbench.contracts import Value
from optbench.errors import ConfigError
from optbench.plan import CellPlan, Edges
from optbench.records import StudyProtocol, Trial
from optbench.registry import Registry
from optbench.suites.target_files import Targets, read_targets
from optbench.tuning import trials as tuning

TARGET_LEVEL = "medium"
"""The target to which times are measured, in the leaderboard and in tuning by time."""


class SearchTuning:
    """Scrambled Sobol trials, selection on validation, widening at the edges.

    Args:
        protocol: the study's.
        targets: frozen targets, for ``select = "time"``.
    """

    def __init__(self, protocol: StudyProtocol, targets: Targets | None = None) -> None:
        self._protocol = protocol
        self._targets = targets or {}
        self._points: dict[str, list[dict[str, Value]]] = {}

    def points(self, cell: CellPlan) -> list[dict[str, Value]]:
        """The configurations to try, the same on every workload."""
        entrant = cell.entrant
        if entrant.label not in self._points:
            self._points[entrant.label] = tuning.sobol_points(
                cell.optimizer, entrant.given, self._protocol.ruleset, self._protocol.budget
            )
        return self._points[entrant.label]

    def select(self, cell: CellPlan, trials: Sequence[Trial]) -> Trial:
        """The best trial on validation."""
        levels = self._targets.get((cell.workload.dataset, cell.workload.network), {})
        return tuning.select(trials, self._protocol.select, levels.get(TARGET_LEVEL))

    def edges(
        self, cell: CellPlan, trials: Sequence[Trial], best: Trial, widened: Sequence[Edges]
    ) -> Edges:
        """Hyperparameters of which the best trial lies at the edge of the range."""
        return tuning.edge_of(
            trials, best, cell.optimizer, cell.entrant.given, self._protocol.ruleset, widened
        )

    def widened_points(
        self, cell: CellPlan, edges: Edges, widened: Sequence[Edges]
    ) -> list[dict[str, Value]]:
        """More configurations beyond the edges."""
        return tuning.widened_points(
            cell.optimizer,
            cell.entrant.given,
            self._protocol.ruleset,
            self._protocol.budget,
            0,
            edges,
            widened,
        )

    def check(self, cells: Sequence[CellPlan]) -> None:
        """Refuse tuning by time where no target is known, before anything is trained.

        Raises:
            ConfigError: names the dataset and the network.
        """
        for cell in cells if self._protocol.select == "time" else ():
            workload = cell.workload
            if (workload.dataset, workload.network) not in self._targets:
                raise ConfigError(
                    f"select=time needs a target for {workload.dataset}, {workload.network}; "
                    "none is known (see `optbench targets`)"
                )


def known_targets(registry: Registry) -> Targets:
    """The frozen targets that the plugins register."""
    entries: Mapping[str, object] = registry.entries("targets")
    return read_targets(registry.entry("targets", name).item for name in entries)
