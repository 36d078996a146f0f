"""Tables of a leaderboard as LaTeX and Markdown."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from rich.console import Console

from optbench.analysis.board_records import select_boards
from optbench.analysis.words.board_sentences import headline_boards
from optbench.analysis.words.board_text import interval_text
from optbench.records import BOARD_NAMES
from optbench.report.format.latex_escape import LONG, escape_latex, latex_table
from optbench.report.format.table_forms import TABLES, TableName
from optbench.report.markdown import leaderboard_markdown
from optbench.report.paper_tables import paper_tables
from optbench.report.plots.study_sheets import PlotSource
from optbench.report.terminal.leaderboard_table import leaderboard_table
from tests.report import samples

ACTIVE = re.compile(r"(?<!\\)[&%$#_{}~^]")


def latex_rows(text: str) -> list[str]:
    """The rows between the rules of a table, and its head."""
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    return [line for line in body.split("\n") if line.endswith(r"\\")]


@pytest.mark.parametrize("table", TABLES)
def test_latex_has_the_structure_of_a_table(table: TableName) -> None:
    """Environments are closed in order, every row has as many cells as columns, braces match."""
    board, _ = samples.with_boards(samples.hostile())
    texts = [each.text("latex") for each in paper_tables(board, table)]
    assert texts
    for text in texts:
        names = re.findall(r"\\(begin|end)\{(\w+)\}", text)
        open_ones: list[str] = []
        for what, name in names:
            if what == "begin":
                open_ones.append(name)
            else:
                assert open_ones.pop() == name
        assert not open_ones
        columns = re.search(r"\\begin\{(?:tabular|longtable)\}\{([lr]+)\}", text)
        assert columns is not None
        for row in latex_rows(text):
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns[1]) - 1
            assert not row.startswith(("[", "*"))
        bare = re.sub(r"\\[\\{}]", "", text)
        assert bare.count("{") == bare.count("}")
        assert text.index(r"\toprule") < text.index(r"\midrule") < text.index(r"\bottomrule")
        assert text.isascii()


@pytest.mark.parametrize("name", [*samples.HOSTILE, "[lr]", "*", "", "naïve – 10⁻³ 学"])
def test_names_are_printed_as_they_are(name: str) -> None:
    """Nothing that means something to LaTeX stays, apart from commands and the math they need."""
    escaped = escape_latex(name)
    commands = r"\\text[a-z]+\{\}|\\ldots\{\}|\$\\times\$|\$-\$|\\[&%$#_{}]|^\{\}"
    assert not ACTIVE.search(re.sub(commands, "", escaped))
    assert "\\" not in re.sub(commands, "", escaped)
    assert not escaped.startswith(("[", "*"))
    assert escaped


def test_the_boards_have_the_values_of_the_boards() -> None:
    """One row for each optimizer, a place and a value with its interval for each board."""
    board, _ = samples.with_boards(samples.study())
    boards = select_boards(board.boards)
    (table,) = paper_tables(board)
    assert [row[0] for row in table.rows] == [row.label for row in boards[0].rows]
    for i, row in enumerate(table.rows):
        for k, each in enumerate(boards):
            entry = next(r for r in each.rows if r.label == row[0])
            assert row[2 + 2 * k] == interval_text(each.name, entry)
            assert ((i, 2 + 2 * k) in table.bold) == entry.may_be_best
    (one,) = paper_tables(board, "boards", "speed")
    assert one.heads == ("optimizer", "place", "speed")


def test_a_study_that_speaks_of_drawn_workloads_only_has_tables_of_those() -> None:
    """One replicate of many workloads says nothing about these, but about workloads like these."""
    sample, cells = samples.with_boards(samples.study())
    no_pairs = tuple(
        msgspec.structs.replace(each, pairs=())
        if each.statement == "these-workloads"
        else msgspec.structs.replace(each, unit="drawn workload", units=100)
        for each in sample.boards
    )
    board = msgspec.structs.replace(sample, boards=no_pairs)
    likes = select_boards(board.boards, "workloads-like-these")
    assert headline_boards(board.boards) == likes
    assert headline_boards(sample.boards) == select_boards(sample.boards)
    for table in (*paper_tables(board), *paper_tables(board, "pairs")):
        assert "on workloads like these (100 drawn workloads)" in table.caption
    assert len(paper_tables(board, "pairs")) == 4
    assert paper_tables(board)[0].rows[0][2] == interval_text("final-loss", likes[0].rows[0])
    text = leaderboard_markdown(board, ("plots/ranking.png",), environment={}, command="x")
    first, second = text.split("## On workloads like these")
    assert "plots/ranking.png" not in first
    assert second.index("plots/ranking.png") < second.index("In brackets: 95% interval")
    out = io.StringIO()
    Console(file=out, width=120).print(leaderboard_table(board, cells))
    assert out.getvalue().count("equal means within 0.03") == 2
    source = PlotSource(board, cells)
    assert source.boards == likes


def test_the_pairs_and_the_scores_are_all_there() -> None:
    """As many rows as pairs; the highest score of each workload is bold."""
    board, _ = samples.entrants(5)
    tables = paper_tables(board, "pairs")
    assert [len(table.rows) for table in tables] == [10] * 4
    assert [row[6] for row in tables[0].rows] == [
        pair.verdict for pair in select_boards(board.boards)[0].pairs
    ]
    (scores,) = paper_tables(board, "scores")
    for j in range(1, len(scores.heads)):
        column = [float(row[j]) for row in scores.rows]
        assert max(column) == max(column[i] for i, k in scores.bold if k == j)


def test_markdown_has_one_line_for_each_row() -> None:
    """Names with bars or markup stay within their cells."""
    board, _ = samples.with_boards(samples.hostile())
    (table,) = paper_tables(board)
    lines = table.text("markdown").split("\n")
    rows = lines[: lines.index("")]
    assert len(rows) == 2 + len(table.rows)
    assert len({row.count("|") for row in rows}) == 1


def test_a_long_table_goes_over_several_pages() -> None:
    """It repeats its head."""
    rows = [["a", "1"]] * (LONG + 1)
    text = latex_table(["name", "value"], rows, caption="c", label="x")
    assert r"\begin{longtable}{lr}" in text
    assert text.index(r"\endhead") < text.index("a & 1")
    assert r"\begin{longtable}" not in latex_table(["a"], rows[:3], caption="c", label="x")


def test_a_ratio_is_not_called_a_difference() -> None:
    """The speed board says how many times sooner; all others subtract."""
    board, _ = samples.with_boards(samples.study())
    for name in BOARD_NAMES:
        (table,) = paper_tables(board, "pairs", name)
        assert ("first minus second" in table.caption) == (name != "speed")
        assert ("times sooner" in table.caption) == (name == "speed")
