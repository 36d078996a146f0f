"""The tuned values of every optimizer on every workload, for the template of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optbench.analysis.leaderboard import Leaderboard
from optbench.report.format.workload_titles import titles_by_regime, unique_titles

Texts = Mapping[tuple[str, str], str]
"""Label and workload -> the chosen values, such as ``lr=0.01 to 0.02``."""


@dataclass(frozen=True)
class TunedTable:
    """The values that tuning chose.

    Attributes:
        name: The only hyperparameter that was tuned; empty if there are several.
        workloads: Short and full title of the workload of each column.
        rows: Label of an entrant, its values on each workload, and what lies at the edge of a
            search range there; both are empty where nothing is known.
    """

    name: str
    workloads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]

    @property
    def at_edge(self) -> bool:
        """Whether any value lies at an edge."""
        return any(edge for _, cells in self.rows for _, edge in cells)


def tuned_table(board: Leaderboard, labels: Sequence[str], texts: Texts) -> TunedTable | None:
    """Return the tuned values of a study; None if nothing was tuned.

    Args:
        board: The leaderboard.
        labels: Entrants in the order of the rows; one that was not tuned has none.
        texts: The chosen values.
    """
    tuned = {(row.label, each.label) for each in board.workloads for row in each.rows if row.trials}
    known = [text for key, text in texts.items() if text and key in tuned]
    if board.ruleset == "defaults" or not known:
        return None
    searched = {label for label, _ in tuned}
    names = {text.partition("=")[0] for text in known}
    only = names.pop() if len(names) == 1 and not any(", " in text for text in known) else ""
    prefix = f"{only}=" if only else ""
    edges = {
        (row.label, each.label): ", ".join(f"{mark.hyper} {mark.side}" for mark in row.edges)
        for each in board.workloads
        for row in each.rows
    }
    rows = tuple(
        (
            label,
            tuple(
                (texts.get(key, "").removeprefix(prefix), edges.get(key, ""))
                for key in ((label, each.label) for each in board.workloads)
            ),
        )
        for label in labels
        if label in searched
    )
    workloads = [b.workload for b in board.workloads]
    titles = zip(
        unique_titles(workloads).values(),
        map(titles_by_regime(workloads).__getitem__, (w.label for w in workloads)),
        strict=True,
    )
    return TunedTable(only, tuple(titles), rows)
