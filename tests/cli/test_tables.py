"""Tables in narrow terminals: no word is broken and no line is too long."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from optbench.cli.tables import fit_widths, terminal_table

DIAGNOSIS = (
    ("workload", "optimizer", "what its evaluation runs suffer from"),
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


def test_widths_are_taken_from_the_widest_column() -> None:
    """Narrow columns keep their width as long as another one is wider."""
    assert fit_widths([8, 20, 40], [8, 10, 12], 60) == [8, 20, 32]
    assert fit_widths([8, 20, 40], [8, 10, 12], 30) == [8, 10, 12]
    assert fit_widths([8, 20, 40], [8, 10, 12], 29) is None
