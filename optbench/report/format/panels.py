"""The panels of a sheet: the workloads of a regime, each with its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optbench.records import REGIMES, Cell, Workload, pool_replicates
from optbench.report.format.workload_titles import short_titles


@dataclass(frozen=True)
class Panel:
    """One workload and its cells by label."""

    workload: Workload
    title: str
    cells: Mapping[str, Cell]


def panels(cells: Sequence[Cell]) -> dict[str, list[Panel]]:
    """Return regime -> one panel for each workload, in the order of `REGIMES` and of the titles."""
    by_workload: dict[str, list[Cell]] = {}
    for cell in pool_replicates(cells):
        if cell.evaluation:
            by_workload.setdefault(cell.workload.label, []).append(cell)
    by_regime: dict[str, list[Panel]] = {regime: [] for regime in REGIMES}
    for group in by_workload.values():
        workload = group[0].workload
        cells_by_label = {c.entrant.label: c for c in sorted(group, key=lambda c: c.entrant.label)}
        by_regime[workload.regime].append(Panel(workload, "", cells_by_label))
    for regime, untitled in by_regime.items():
        titles = short_titles([panel.workload for panel in untitled])
        named = [replace(p, title=titles[p.workload.label]) for p in untitled]
        by_regime[regime] = sorted(named, key=lambda panel: panel.title)
    return {regime: group for regime, group in by_regime.items() if group}
