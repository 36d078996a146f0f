"""Tables of a leaderboard for papers and pages: boards, scores and pairs, as LaTeX or Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from optbench.analysis.board_records import Board
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.views.score_grid import score_grid
from optbench.analysis.words.board_sentences import has_verdicts, headline_boards, looks_sentence
from optbench.analysis.words.board_text import (
    TITLES,
    best_loss_text,
    caption,
    evidence_texts,
    interval_level,
    interval_text,
    region_text,
    workloads_text,
)
from optbench.records import BoardName
from optbench.report.format import numbers
from optbench.report.format.board_layout import place_text
from optbench.report.format.latex_escape import escape_latex, latex_table
from optbench.report.format.markdown_escape import escape_markdown
from optbench.report.format.markdown_table import markdown_table
from optbench.report.format.table_forms import TableForm, TableName
from optbench.report.format.workload_titles import titles_by_regime
from optbench.support.text import count


@dataclass(frozen=True)
class PaperTable:
    """A table of text, not escaped.

    Attributes:
        label: Name for references.
        caption: What it shows.
        heads: Headings.
        rows: Cells, row by row.
        left: Indices of the columns that are aligned to the left.
        bold: Row and column of the cells that are printed in bold.
    """

    label: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: tuple[int, ...] = (0,)
    bold: frozenset[tuple[int, int]] = frozenset()

    def text(self, form: TableForm) -> str:
        """Return the table as LaTeX (booktabs) or Markdown."""
        if form == "latex":
            rows = self._cells(escape_latex, r"\textbf{%s}")
            return latex_table(
                [escape_latex(head) for head in self.heads],
                rows,
                caption=escape_latex(self.caption),
                label=self.label,
                left=self.left,
            )
        rows = self._cells(escape_markdown, "**%s**")
        table = markdown_table([escape_markdown(head) for head in self.heads], rows, self.left)
        return f"{table}\n\n{escape_markdown(self.caption)}\n"

    def _cells(self, escape: Callable[[str], str], strong: str) -> list[list[str]]:
        return [
            [
                strong % escape(cell) if (i, j) in self.bold else escape(cell)
                for j, cell in enumerate(row)
            ]
            for i, row in enumerate(self.rows)
        ]


def paper_tables(
    board: Leaderboard, table: TableName = "boards", name: BoardName | None = None
) -> list[PaperTable]:
    """Return tables of a leaderboard: of its `headline_boards`.

    Args:
        board: The leaderboard.
        table: ``"boards"``: place and value of each optimizer on each board; ``"scores"``: its
            score on each workload; ``"pairs"``: every pair, a table for each board.
        name: The only board; None for all of them.
    """
    boards = [b for b in headline_boards(board.boards) if name in (None, b.name)]
    if table == "scores":
        return [_scores(board)]
    if table == "pairs":
        return [_pairs(each) for each in boards if has_verdicts(each)]
    return [_boards(board, boards)] if boards else []


def _boards(board: Leaderboard, boards: Sequence[Board]) -> PaperTable:
    order = [row.label for row in boards[0].rows]
    heads = ["optimizer"]
    columns: list[list[str]] = [order]
    bold = set()
    for each in boards:
        by_label = {row.label: row for row in each.rows}
        heads += ["place", TITLES[each.name].lower()]
        columns.append([place_text(each, by_label[k]) if k in by_label else "" for k in order])
        values = [interval_text(each.name, by_label[k]) if k in by_label else "" for k in order]
        columns.append(values)
        best = [has_verdicts(each) and k in by_label and by_label[k].may_be_best for k in order]
        bold |= {(i, len(columns) - 1) for i, is_best in enumerate(best) if is_best}
    best_loss = best_loss_text(board.workloads)
    meanings = "; ".join(
        f"{TITLES[b.name]}: {caption(b.name, board.protocol.select, best_loss)}" for b in boards
    )
    scope = _scope(boards[0])
    return PaperTable(
        label="boards",
        caption=f"Optimizers {scope}, with {interval_level(boards[0])} intervals. {meanings}. "
        "Bold: may be the best. Place: the places that the pairs leave open." + _looks_text(boards),
        heads=tuple(heads),
        rows=tuple(zip(*columns, strict=True)),
        bold=frozenset(bold),
    )


def _scope(board: Board) -> str:
    """Return which workloads a table is about, with the size of the sample if they are one."""
    text = workloads_text(board.statement, board.regime, board.workloads)
    if board.statement == "these-workloads":
        return text
    return f"{text} ({count(board.units, board.unit)})"


def _looks_text(boards: Sequence[Board]) -> str:
    """Return the end of a caption: the error rate of a growing study."""
    sentence = looks_sentence(boards)
    return f" {sentence}" if sentence else ""


def _scores(board: Leaderboard) -> PaperTable:
    grid = score_grid(board)
    titles = titles_by_regime(grid.workloads)
    named = [f"{i}: {titles[w.label]}" for i, w in enumerate(grid.workloads, 1)]
    best = np.nanmax(np.where(np.isnan(grid.scores), -np.inf, grid.scores), axis=0)
    return PaperTable(
        label="scores",
        caption=f"Score of the test loss, from guessing (0) to {best_loss_text(board.workloads)} "
        f"(1), on each workload. Bold: the highest. Workloads: {'; '.join(named)}.",
        heads=("optimizer", *(str(i) for i in range(1, len(named) + 1))),
        rows=tuple(
            (label, *(numbers.fixed(score) for score in scores))
            for label, scores in zip(grid.labels, grid.scores.tolist(), strict=True)
        ),
        bold=frozenset((i, j + 1) for i, j in np.argwhere(grid.scores == best).tolist()),
    )


def _pairs(board: Board) -> PaperTable:
    rows = []
    for pair in board.pairs:
        difference, interval, p, p_equal, _ = evidence_texts(board, pair)
        rows.append((pair.first, pair.second, difference, interval, p, p_equal, pair.verdict))
    scope = _scope(board)
    sooner = "how many times sooner the first reaches the target"
    of = sooner if board.name == "speed" else "first minus second"
    return PaperTable(
        label=f"pairs-{board.name}",
        caption=f"{TITLES[board.name]} {scope}: every pair. Difference: {of}, with "
        f"its {interval_level(board)} interval; p for a difference of 0, and for one outside the "
        f"region of practical equivalence ({region_text(board)}), adjusted for all pairs."
        + _looks_text([board]),
        heads=("first", "second", "difference", "interval", "p", "p equal", "verdict"),
        rows=tuple(rows),
        left=(0, 1, 6),
        bold=frozenset((i, 6) for i, pair in enumerate(board.pairs) if pair.verdict != "open"),
    )
