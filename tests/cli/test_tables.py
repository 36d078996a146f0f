"""Tables in narrow terminals: no word is broken and no line is too long."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from optbench.cli import main
from optbench.cli.group import COMMANDS
from optbench.cli.output import remark_prose, say_prose
from optbench.cli.tables import fit_widths, terminal_table
from optbench.registry.default import fresh_registry

DIAGNOSIS = (
    ("workload", "optimizer", "problems of its evaluation runs"),
    [
        (
            "breast-cancer | 32-32 relu | he-normal | mini-batch",
            "adam[lr=0.001,beta1=0.95]",
            "overfits in 3 of 18 runs; plateaus in 12 of 18 runs",
        ),
        ("moons | 32-32 relu | he-normal | sgd", "nesterov", "diverges in 18 of 18 runs"),
    ],
)
NUMBERS = (
    ("optimizer", *(f"initializer-{i}" for i in range(8))),
    [("rmsprop", *(f"0.{i}2345678" for i in range(8)))],
)


def printed(table: tuple[tuple[str, ...], list[tuple[str, ...]]], width: int) -> list[str]:
    """Return the lines of a table in a terminal of this width."""
    out = io.StringIO()
    Console(file=out, width=width).print(terminal_table(*table, "a title", width))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("table", [DIAGNOSIS, NUMBERS])
def test_no_word_is_broken_at_any_width(
    table: tuple[tuple[str, ...], list[tuple[str, ...]]], width: int
) -> None:
    """Every word and number of the cells and titles is found again, in lines that fit."""
    lines = printed(table, width)
    assert max(map(len, lines)) <= width
    words = {word.rstrip(":") for line in lines for word in line.split()}
    headers, rows = table
    expected = {word for row in rows for cell in row for word in cell.split()}
    assert expected | {word for header in headers[1:] for word in header.split()} <= words


def test_columns_that_do_not_fit_become_lines() -> None:
    """Nine columns of numbers in 60 columns: each number stands behind the title of its column."""
    assert "  initializer-3: 0.32345678" in printed(NUMBERS, 60)
    assert not any(":" in line for line in printed(NUMBERS, 160))


def test_blocks_name_a_number_and_have_no_empty_key() -> None:
    """Layer 1 is "layer 1"; a cell below an empty heading stands alone."""
    out = io.StringIO()
    rows = [("1", "0.87", ""), ("2", "0.48", "lowest")]
    table = terminal_table(("layer", "signal", ""), rows, "", 14)
    Console(file=out, width=14).print(table)
    lines = [line.strip() for line in out.getvalue().splitlines() if line.strip()]
    assert lines == ["layer 1", "signal: 0.87", "layer 2", "signal: 0.48", "lowest"]


def test_widths_are_taken_from_the_widest_column() -> None:
    """Narrow columns keep their width as long as another one is wider."""
    assert fit_widths([8, 20, 40], [8, 10, 12], 60) == [8, 20, 32]
    assert fit_widths([8, 20, 40], [8, 10, 12], 30) == [8, 10, 12]
    assert fit_widths([8, 20, 40], [8, 10, 12], 29) is None


@pytest.mark.parametrize("width", [60, 80, 120])
def test_sentences_end_between_words_in_a_terminal_and_not_at_all_in_a_pipe(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same words in the same order, a number or a name with hyphens in one piece."""
    text = "best: xavier-normal (over 5 draws); 0.00013 of its variance is left. " * 4
    monkeypatch.setenv("COLUMNS", str(width))
    say_prose(text)
    assert len(capsys.readouterr().out.splitlines()) == 1
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    say_prose(text)
    lines = capsys.readouterr().out.splitlines()
    assert width / 2 < max(map(len, lines)) <= width
    assert " ".join(lines).split() == text.split()


@pytest.mark.parametrize("command", [("show", "adam"), ("show", "digits"), ("check", "sgd")])
def test_facts_and_promises_fit_into_a_narrow_terminal(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines that were folded are indented; formulas keep their lines."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main.main(command, standalone_mode=False)
    lines = click.unstyle(capsys.readouterr().out).splitlines()
    assert [line for line in lines if len(line) > 60 and "<-" not in line] == []
    assert any(line.startswith(" " * 8) for line in lines)


def test_details_of_failed_checks_and_remarks_fit_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a terminal; a pipe gets one line for each."""
    (tmp_path / "mine.py").write_text(
        "from optbench import Rule, hyper\n"
        "class Mine(Rule):\n    name = 'mine-folded'\n    lr: float = hyper(0.1, low=0)\n"
        "    @staticmethod\n    def update(theta, grad, t, h):\n"
        "        return theta + h.lr * grad\n"
    )
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with fresh_registry():
        main.main(["check", str(tmp_path / "mine.py"), "--quiet"], standalone_mode=False)
        remark_prose("a sentence of several words that say what was done " * 3)
    shown = capsys.readouterr()
    lines = click.unstyle(shown.out + shown.err).splitlines()
    assert [line for line in lines if len(line) > 60] == []
    assert "        check_variant_is_named:" in shown.out
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    remark_prose("a sentence of several words that say what was done " * 3)
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_fits_into_80_columns(name: str) -> None:
    """Also its examples, which are not folded."""
    text = CliRunner().invoke(main, [name, "--help"], terminal_width=80).output
    assert "Usage" in text
    assert [line for line in text.splitlines() if len(line) > 80] == []
