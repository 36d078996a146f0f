"""Untrusted text is displayed without any effect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.support.text import (
    LINE_CHARACTERS,
    count,
    one_line,
    plural,
    printable,
    printable_lines,
    range_text,
    spreadsheet_cell,
)

anything = st.text() | st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Co")))


@given(anything)
def test_displayed_text_can_be_printed_and_encoded(text: str) -> None:
    """No control character, direction mark or lone surrogate remains; letters stay."""
    for result in (printable(text), one_line(text), spreadsheet_cell(text)):
        assert result.isprintable()
        assert result.encode("utf-8").decode("utf-8") == result
    assert [c for c in printable(text) if c != " "] == [
        c for c in text if c.isprintable() and c != " "
    ]
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))


def test_a_range_of_one_number_is_that_number() -> None:
    """In words, or with a dash in a narrow column."""
    assert (range_text(2, 2), range_text(1, 3), range_text(1, 3, to="–")) == ("2", "1 to 3", "1–3")


def test_printable_text_is_not_changed() -> None:
    """Spaces in a path stay, so that a command can be pasted."""
    assert printable("a  b/ä") == "a  b/ä"
    assert printable_lines("one\n\ttwo") == "one\n        two"


def test_a_long_line_keeps_its_beginning_and_its_end() -> None:
    """A message starts with the refused value and ends with what is allowed."""
    text = one_line(f"lr={'9' * 10_000} is not allowed; a number >= 0")
    assert len(text) <= LINE_CHARACTERS + 10
    assert text.startswith("lr=999")
    assert text.endswith("999 is not allowed; a number >= 0")
    assert " [...] " in text


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", " =1", "\t=1", "\r@", "＝1"])
def test_no_spreadsheet_runs_a_cell(text: str) -> None:
    """A name that looks like a formula is text."""
    assert spreadsheet_cell(text).startswith("'")
    assert spreadsheet_cell("adam[lr=1]") == "adam[lr=1]"


def test_words_agree_with_their_number() -> None:
    """Only one is singular."""
    assert [count(n, "run") for n in (0, 1, 2, 1512)] == ["0 runs", "1 run", "2 runs", "1,512 runs"]
    assert [plural(n, "is", "are") for n in (0, 1, 2)] == ["are", "is", "are"]
