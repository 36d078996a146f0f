"""A study in a notebook: the leaderboard, with the mean curve of each entrant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from markupsafe import Markup

from optbench.analysis.leaderboard import Leaderboard
from optbench.records import Cell
from optbench.report.format import numbers
from optbench.report.format.palette import assign_looks
from optbench.report.format.text_charts import mean_curve
from optbench.support import html
from optbench.support.text import count, range_text


class StudyLike(Protocol):
    """The parts of a study that `study_html` reads."""

    @property
    def suite(self) -> str:
        """Name of the suite."""

    @property
    def cells(self) -> Sequence[Cell]:
        """Cells with their runs."""

    @property
    def leaderboard(self) -> Leaderboard:
        """Leaderboard of the cells."""


def study_html(study: StudyLike) -> str:
    """Return the study's leaderboard, or one line if no evaluation run has finished."""
    if not any(cell.evaluation for cell in study.cells):
        line = f"{study.suite}: no evaluation run has finished ({count(len(study.cells), 'cell')})."
        return html.paragraphs([line])
    board = study.leaderboard
    looks = assign_looks(row.label for row in board.overall)
    rows: list[Sequence[object]] = []
    for row in board.overall:
        colour = looks[row.label].colour
        curve = mean_curve([c for c in study.cells if c.entrant.label == row.label])
        rows.append(
            (
                range_text(*row.place),
                html.dot(row.label, colour),
                numbers.interval(row.score),
                row.tie_groups,
                numbers.lost(row.divergence, row.failed),
                html.log_chart([html.Line(row.label, curve, colour)], 120, 24) or Markup(""),
            )
        )
    head = ("place", "optimizer", "score of final loss", "ties", "diverged", "curve")
    sentences = [verdict.text for verdict in board.verdicts if not verdict.label]
    cautions = [f"Caution: {text}" for text in board.warnings]
    return html.table(rows, head) + html.paragraphs([*sentences, *cautions])
