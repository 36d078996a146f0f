"""The boards of a study in Markdown: places side by side, sentences, regimes and pairs."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import zip_longest

from optbench.analysis.board_records import Board, BoardRow, select_boards
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.board_sentences import (
    baseline_sentence,
    board_sentence,
    equal_groups,
    has_verdicts,
    headline_boards,
    looks_sentence,
)
from optbench.analysis.words.board_text import (
    TITLES,
    best_loss_text,
    caption,
    evidence_texts,
    interval_level,
    interval_text,
    region_text,
    statement_title,
)
from optbench.analysis.words.prose import STANDING
from optbench.records import BOARD_NAMES
from optbench.report.format import numbers
from optbench.report.format.board_layout import (
    assign_lanes,
    boards_by_regime,
    common_sentence,
    verdict_matrix,
)
from optbench.report.format.markdown_escape import escape_markdown
from optbench.report.format.markdown_table import markdown_table
from optbench.support.text import count, one_line, plural, range_text

MOST_IN_PAIR_TABLES = 8
"""Entrants up to which every pair has a row; more are shown as a matrix."""
MOST_LEADERS = 4
"""Names in a cell of the table of regimes."""


def answer(board: Leaderboard, picture: Sequence[str]) -> list[str]:
    """Return the boards as blocks of Markdown.

    Args:
        board: A leaderboard with boards.
        picture: Block with the picture of the boards; empty without one.
    """
    these = select_boards(board.boards)
    likes = select_boards(board.boards, "workloads-like-these")
    blocks: list[str] = []
    is_picture_of_these = headline_boards(board.boards) == these
    if these:
        blocks += [
            f"## {statement_title(these)}",
            _sentences(these),
            *filter(None, [looks_sentence(these)]),
            *(picture if is_picture_of_these else []),
            _side_by_side(these),
            _notes(these, board.protocol.select, best_loss_text(board.workloads)),
            *_regimes(board),
        ]
    if likes:
        verb = plural(likes[0].units, "is", "are")
        on = f"The unit is one {likes[0].unit}: there {verb} {likes[0].units}."
        says = [_sentences(likes)] if len(likes[0].rows) > 1 else []
        legend = [] if is_picture_of_these else [_legend(likes)]
        says += [] if is_picture_of_these else list(picture)
        blocks += [f"## {statement_title(likes)}", on, *says, _side_by_side(likes), *legend]
    return blocks


def pair_blocks(board: Leaderboard) -> list[str]:
    """Return the evidence for the verdicts: every pair, or a matrix for many entrants."""
    boards = [b for b in board.boards if b.regime is None and b.rows and has_verdicts(b)]
    if not boards:
        return []
    intro = (
        "*Difference*: value of the first minus value of the second, with its own interval, "
        f"{interval_level(boards[0])}; "
        "for speed, how many times sooner the first reaches the target. *p*: for a difference of "
        "0, and for one outside the region of practical equivalence, both adjusted for all pairs "
        "of the board. *Equal*: the difference surely lies within that region. `leaderboard.json` "
        "lists all pairs, those of each regime too."
    )
    if len(boards[0].looks) > 1:
        intro += f" {STANDING}"
    blocks = ["## Pairs", intro]
    for each in sorted(boards, key=lambda b: (b.statement, BOARD_NAMES.index(b.name))):
        title = f"{TITLES[each.name]}, {statement_title([each]).lower()} ({region_text(each)})"
        many = len(each.rows) > MOST_IN_PAIR_TABLES
        body = _matrix(each) if many else _pair_table(each)
        blocks.append(f"<details><summary>{html.escape(title)}</summary>\n\n{body}\n\n</details>")
    return blocks


def _sentences(boards: Sequence[Board]) -> str:
    if sentence := common_sentence(boards):
        return escape_markdown(sentence)
    lines = []
    for b in boards:
        lines.append(f"- **{TITLES[b.name]}**: {escape_markdown(board_sentence(b))}")
        if sentence := baseline_sentence(b):
            lines.append(f"  {escape_markdown(sentence)}")
    return "\n".join(lines)


def _side_by_side(boards: Sequence[Board]) -> str:
    """Return a table with a column for each board, each in its own order."""
    columns = [_column(board) for board in boards]
    rows = [[cell or "" for cell in row] for row in zip_longest(*columns)]
    return markdown_table([TITLES[b.name] for b in boards], rows, left=range(len(boards)))


def _column(board: Board) -> list[str]:
    brackets = _brackets(board)
    return [
        f"{_place(board, row)} {bracket}**{escape_markdown(row.label)}** "
        f"{interval_text(board.name, row)}"
        for row, bracket in zip(board.rows, brackets, strict=True)
    ]


def _place(board: Board, row: BoardRow) -> str:
    is_placed = has_verdicts(board) and row.value is not None
    return f"{range_text(*row.place)} ·" if is_placed else ""


def _brackets(board: Board) -> list[str]:
    groups = equal_groups(board)
    marks = [""] * len(board.rows)
    for (first, last), _ in sorted(zip(groups, assign_lanes(groups), strict=True)):
        for i in range(first, last + 1):
            marks[i] += "┌" if i == first else "└" if i == last else "│"
    return [mark + " " if mark else "" for mark in marks]


def _notes(boards: Sequence[Board], select: str, best: str) -> str:
    lines = [f"*{TITLES[b.name]}*: {caption(b.name, select, best)}." for b in boards]
    lines += [_legend(boards)] if any(map(has_verdicts, boards)) else []
    return "  \n".join(lines)


def _legend(boards: Sequence[Board]) -> str:
    """Say what stands beside the values of boards with verdicts."""
    return (
        "In front: the place, or the places that the pairs, tested on both sides, leave open. "
        "In brackets: "
        f"{interval_level(boards[0])} interval. ┌│└ join entrants that are equal: each "
        "difference surely lies within the region of practical equivalence ("
        + ", ".join(f"{TITLES[b.name].lower()} {region_text(b)}" for b in boards)
        + ")."
    )


def _regimes(board: Leaderboard) -> list[str]:
    regimes = boards_by_regime(board.boards)
    if not regimes:
        return []
    rows = [[regime, *map(_leaders, boards)] for regime, boards in regimes]
    heads = ["best, or may be", *(TITLES[name] for name in BOARD_NAMES)]
    return ["### In each regime", markdown_table(heads, rows, left=range(len(heads)))]


def _leaders(board: Board | None) -> str:
    if board is None or not has_verdicts(board):
        return numbers.UNKNOWN
    labels = [escape_markdown(row.label) for row in board.rows if row.may_lead(board.name)]
    more = f" and {len(labels) - MOST_LEADERS} more" if len(labels) > MOST_LEADERS else ""
    return ", ".join(labels[:MOST_LEADERS]) + more


def _pair_table(board: Board) -> str:
    heads = (
        "first",
        "second",
        "difference",
        f"{interval_level(board)} interval",
        "p",
        "p equal",
        "verdict",
        "to decide",
    )
    rows = []
    for pair in board.pairs:
        *figures, needs = evidence_texts(board, pair)
        verdict = f"**{pair.verdict}**" if pair.verdict != "open" else "open"
        names = (escape_markdown(pair.first), escape_markdown(pair.second))
        rows.append((*names, *figures, verdict, needs))
    return markdown_table(heads, rows, left=(0, 1, 6, 7))


def _matrix(board: Board) -> str:
    """Return the verdicts as an indented block, a row and a column for each entrant."""
    labels = [one_line(row.label) for row in board.rows]
    width = max(map(len, labels))
    lines = [
        f"    {i + 1:>3} {label.ljust(width)}  {cells}"
        for i, (label, cells) in enumerate(zip(labels, verdict_matrix(board), strict=True))
    ]
    note = (
        f"{count(len(board.pairs), 'pair')}; columns in the order of the rows. `>` better than the "
        "entrant of the column, `<` worse, `=` equal, `.` open."
    )
    return note + "\n\n" + "\n".join(lines)
