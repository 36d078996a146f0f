"""The answer of a study in the terminal: panels, one sentence for each board, and regimes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.board_sentences import (
    baseline_sentence,
    board_sentence,
    has_verdicts,
    headline_boards,
    looks_sentence,
)
from optbench.analysis.words.board_text import (
    SHORT_TITLES,
    TITLES,
    best_loss_text,
    caption,
    interval_level,
    statement_title,
)
from optbench.records import BOARD_NAMES
from optbench.report.format.board_layout import boards_by_regime, common_sentence
from optbench.report.format.numbers import UNKNOWN
from optbench.report.format.palette import Look
from optbench.report.terminal.board_panels import panel_lines
from optbench.support.text import count, one_line

if TYPE_CHECKING:
    from rich.text import Text

REGIME_WIDTH = 12
"""Columns of the names of regimes."""
WIDE = 76
"""Columns of a terminal that has room for the titles of boards in full."""


def answer_lines(board: Leaderboard, looks: Mapping[str, Look], width: int) -> Iterator[Text]:
    """Yield the boards of a study as lines of text, those on these workloads first.

    Args:
        board: A leaderboard with boards.
        looks: Label -> look.
        width: Columns of the terminal.
    """
    from rich.text import Text

    boards, headline = select_boards(board.boards), headline_boards(board.boards)
    if boards:
        yield Text(statement_title(boards), style="bold underline")
        yield from panel_lines(boards, looks, width)
        yield Text()
        yield from _sentences(boards)
        if sentence := looks_sentence(boards):
            yield Text(sentence)
        yield from _regimes(board, looks, width)
    others = select_boards(board.boards, "workloads-like-these")
    if others and len(others[0].rows) > 1:
        yield Text()
        title = Text(statement_title(others), style="bold underline")
        yield title.append(f" ({count(others[0].units, others[0].unit)})", "not bold not underline")
        if headline == others:
            yield from panel_lines(others, looks, width)
            yield Text()
        yield from _sentences(others)
    if boards:
        yield Text()
        best = best_loss_text(board.workloads)
        legend = _legend(headline, board.protocol.select, best)
        yield from (Text(line, style="dim") for line in legend)


def _sentences(boards: Sequence[Board]) -> Iterator[Text]:
    from rich.text import Text

    if sentence := common_sentence(boards):
        yield Text(one_line(sentence))
        return
    for board in boards:
        sentence = one_line(f"{board_sentence(board)} {baseline_sentence(board)}".rstrip())
        yield Text.assemble((f"{TITLES[board.name]}: ", "bold"), sentence)


def _legend(boards: Sequence[Board], select: str, best: str) -> Iterator[str]:
    if any(map(has_verdicts, boards)):
        yield (
            f"Dot and line: value and {interval_level(boards[0])} interval. ● may be the best, "
            "○ is not (one-sided tests, so a pair may be open by two-sided ones). Bracket: equal. "
            "Number: place, or the places that the pairs leave open."
        )
    yield "; ".join(f"{TITLES[b.name]}: {caption(b.name, select, best)}" for b in boards) + "."


def _regimes(board: Leaderboard, looks: Mapping[str, Look], width: int) -> Iterator[Text]:
    """Yield a table of who may be the best on each board in each regime."""
    from rich.text import Text

    regimes = boards_by_regime(board.boards)
    if not regimes:
        return
    titles = TITLES if width >= WIDE else SHORT_TITLES
    columns = max((width - REGIME_WIDTH) // len(BOARD_NAMES), 11)
    yield Text()
    head = Text("best in".ljust(REGIME_WIDTH), style="bold")
    for name in BOARD_NAMES:
        head.append(titles[name].lower().ljust(columns))
    head.rstrip()
    yield head
    for regime, boards in regimes:
        line = Text(regime.ljust(REGIME_WIDTH))
        for each in boards:
            line.append_text(_leaders(each, looks, columns))
        line.rstrip()
        yield line


def _leaders(board: Board | None, looks: Mapping[str, Look], width: int) -> Text:
    """Return the entrants that may be the best in a regime, as many names as fit."""
    from rich.text import Text

    text = Text()
    if board is None or not has_verdicts(board):
        text.append(UNKNOWN)
    else:
        labels = [row.label for row in board.rows if row.may_lead(board.name)]
        room = width - 1
        for i, label in enumerate(labels):
            rest = f" +{len(labels) - i - 1}" if i < len(labels) - 1 else ""
            lead = ", " if i else ""
            if text.cell_len + len(lead) + len(one_line(label)) + len(rest) > room and i:
                text.append(f" +{len(labels) - i}")
                break
            name = Text(one_line(label), style=looks[label].colour)
            name.truncate(room - len(rest), overflow="ellipsis")
            text.append(lead).append_text(name)
    text.truncate(width - 1)
    text.append(" " * (width - text.cell_len))
    return text
