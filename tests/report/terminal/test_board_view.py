"""The answer of a study in the terminal, at every usual width."""

from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console

from optbench.analysis.statistics.spending import planned_looks
from optbench.report.markdown import leaderboard_markdown
from optbench.report.paper_tables import paper_tables
from optbench.report.terminal.leaderboard_table import leaderboard_table
from optbench.support.standard_streams import HANDLER
from tests.report import samples

FIVE = ("adam", "adagrad", "rmsprop", "momentum", "sgd")
MANY = tuple(f"optimizer-{i}[lr=0.1]" for i in range(40))


def printed(labels: tuple[str, ...], width: int, replicates: int = 6) -> str:
    if labels is MANY:
        board, cells = samples.crowd()
    else:
        board, cells = samples.with_boards(samples.study(labels), replicates, ("batch", "sgd"))
    out = io.StringIO()
    Console(file=out, width=width).print(leaderboard_table(board, cells))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 160])
@pytest.mark.parametrize("labels", [FIVE, MANY], ids=["5 entrants", "40 entrants"])
def test_no_line_is_too_long_and_no_number_is_broken(labels: tuple[str, ...], width: int) -> None:
    """The four boards, their values and the places of everyone fit."""
    text = printed(labels, width)
    assert max(map(len, text.splitlines())) <= width
    for title in ("Final loss", "Training loss", "Speed", "Stability"):
        assert title in text
    rows = [line for line in text.splitlines() if "─●─" in line or "─○─" in line]
    assert rows
    assert all(line.rstrip()[-1] in "0123456789%" for line in rows)


@pytest.mark.parametrize("labels", [FIVE, MANY], ids=["5 entrants", "40 entrants"])
def test_the_boards_come_first(labels: tuple[str, ...]) -> None:
    """In 80 columns the four boards end within the 24 lines of a terminal."""
    lines = printed(labels, 80).splitlines()
    assert next(i for i, line in enumerate(lines) if line.startswith("Final loss: ")) <= 24
    assert lines[1] == "On these 9 workloads"


def test_the_statements_stand_in_separate_places() -> None:
    """First these workloads with regimes, then workloads like these under a heading of its own."""
    text = printed(FIVE, 80)
    first, _, second = text.partition("On workloads like these (3 datasets)")
    assert first.count("Final loss: ") == 1
    assert second.count("Final loss: ") == 2  # the sentence, and what the values are
    assert "best in" in first


def test_everyone_has_places_where_panels_show_the_best_only() -> None:
    """With 40 entrants the panels have the best ones, and the table the places of all."""
    text = printed(MANY, 80)
    assert "… 32 more" in text
    assert all(f"■ {label}" in text for label in MANY)


def test_one_replicate_has_no_places() -> None:
    """The reason stands there once for each statement, and no place or table of regimes."""
    text = printed(FIVE, 80, replicates=1)
    assert text.count("No verdicts: one replicate shows no spread of tuning.") == 2
    assert "best in" not in text
    assert "1-5" not in text


def test_streams_in_ascii_get_stand_ins() -> None:
    """Every character of the panels has a stand-in of one column."""
    text = printed(FIVE, 80)
    plain = text.encode("ascii", HANDLER).decode()
    assert [len(line) for line in plain.splitlines()] == [len(x) for x in text.splitlines()]
    assert "\\u" not in plain


def test_the_legend_of_a_study_with_looks_has_their_level() -> None:
    """Intervals of a look are wider than 95%; every output says so, with the error rate."""
    board, cells = samples.with_boards(samples.study(FIVE))
    looks = tuple(planned_looks([4, 8], 32))
    boards = tuple(msgspec.structs.replace(each, looks=looks) for each in board.boards)
    out = io.StringIO()
    shown = msgspec.structs.replace(board, boards=boards)
    Console(file=out, width=160).print(leaderboard_table(shown, cells))
    assert "value and 99.2% interval" in out.getvalue()
    markdown = leaderboard_markdown(shown, (), environment={}, command="optbench run")
    assert "99.2% interval" in markdown
    assert "95%" not in markdown
    rate = f"at most {100 * sum(look.level for look in looks):.1f}%"
    assert rate in out.getvalue()
    assert rate in markdown.split("## On workloads like these")[0]
    for table in (*paper_tables(shown), *paper_tables(shown, "pairs")):
        assert rate in table.caption
    for text in (out.getvalue(), markdown):
        assert "stands from the first look" in " ".join(text.split())
