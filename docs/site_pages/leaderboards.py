"""The published leaderboards: a page with their places, and the interactive page of each study.

Both are made from ``results/**/leaderboard.json``; the runs themselves are not needed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from optbench.analysis.board_records import select_boards
from optbench.analysis.leaderboard import Leaderboard, from_json
from optbench.analysis.words.board_text import TITLES
from optbench.report.page.render import report_html
from optbench.support.text import count, range_text
from site_pages.tables import table

FOLDER = "leaderboards"
"""Folder of the interactive pages, on the site."""


class Published(NamedTuple):
    """One published study.

    Attributes:
        board: Its leaderboard.
        folder: Where it is published.
    """

    board: Leaderboard
    folder: Path

    @property
    def name(self) -> str:
        """File name of the interactive page."""
        return f"{self.board.title}.html"


def published_studies(results: Path) -> list[Published]:
    """Return the studies of a folder and of the folders in it, the one with most runs first."""
    files = sorted(results.rglob("leaderboard.json"))
    studies = [Published(from_json(path.read_bytes()), path.parent) for path in files]
    return sorted(studies, key=lambda study: -study.board.runs)


def interactive_page(study: Published) -> str:
    """Return the interactive page of a study, which has no curves, as HTML."""
    environment = json.loads((study.folder / "environment.json").read_text(encoding="utf-8"))
    command = environment.pop("command", "")
    return report_html(study.board, [], environment=environment, command=command)


def leaderboards_page(studies: Sequence[Published]) -> str:
    """Return the page that lists the studies, in Markdown."""
    head = (
        "# Published leaderboards\n\n"
        "These are the results of the built-in suites. A place is a range if open pairs leave "
        "several places possible. [Reading a leaderboard](../reading.md) explains the boards; "
        "`results/` in the repository contains the tables, plots and commands."
    )
    return "\n\n".join([head, *map(_study_block, studies)]) + "\n"


def _study_block(study: Published) -> str:
    board = study.board
    size = ", ".join(
        (
            count(len(board.overall), "optimizer"),
            count(len(board.workloads), "workload"),
            f"{board.runs:,} runs",
        )
    )
    link = (
        f'<a class="open-page" href="../{FOLDER}/{study.name}">Open the interactive page</a>\n\n'
        "It shows every board, pair and workload, with filters, and works offline."
    )
    sentences = [f"- {v.text}" for v in board.verdicts[: len(TITLES)] if not v.label]
    return "\n\n".join(
        [f"## {board.title}", f"{size}.", link, "\n".join(sentences), _places(board)]
    )


def _unbroken(places: tuple[int, int]) -> str:
    """Return a range of places that a narrow column keeps on one line."""
    return range_text(*places, to="\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}")


def _places(board: Leaderboard) -> str:
    boards = select_boards(board.boards)
    places = {
        b.name: {row.label: _unbroken(row.place) for row in b.rows if row.value is not None}
        for b in boards
    }
    rows = [
        (row.label, *(places[b.name].get(row.label, "–") for b in boards)) for row in boards[0].rows
    ]
    return table(("optimizer", *(TITLES[b.name].lower() for b in boards)), rows)
