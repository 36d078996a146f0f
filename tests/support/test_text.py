"""Text from plugins and files is shown without doing anything."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.errors import ConfigError, describe_error
from optbench.support.text import LONGEST, harmless, harmless_lines, one_line, spreadsheet_cell

anything = st.text() | st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Co")))


@given(anything)
def test_what_is_shown_can_be_printed_and_written(text: str) -> None:
    """No control character, no turning mark, nothing without an encoding; letters stay."""
    for clean in (harmless(text), one_line(text), spreadsheet_cell(text)):
        assert clean.isprintable()
        assert clean.encode("utf-8").decode("utf-8") == clean
    assert [c for c in harmless(text) if c != " "] == [
        c for c in text if c.isprintable() and c != " "
    ]
    assert all(line.isprintable() for line in harmless_lines(text).split("\n"))


def test_a_text_that_is_harmless_is_left_alone() -> None:
    """Blanks that stand in a path stay there, so that a command can be pasted."""
    assert harmless("a  b/ä") == "a  b/ä"
    assert harmless_lines("one\n\ttwo") == "one\n        two"


def test_a_long_line_keeps_its_beginning_and_its_end() -> None:
    """The value that is refused, and what is allowed."""
    text = one_line(f"lr={'9' * 10_000} is not allowed; a number >= 0")
    assert len(text) <= LONGEST + 10
    assert text.startswith("lr=999")
    assert text.endswith("999 is not allowed; a number >= 0")
    assert " [...] " in text


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", " =1", "\t=1", "\r@", "＝1"])
def test_no_spreadsheet_runs_a_cell(text: str) -> None:
    """A name that is a formula is text."""
    assert spreadsheet_cell(text).startswith("'")
    assert spreadsheet_cell("adam[lr=1]") == "adam[lr=1]"


class MuteError(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


def test_causes_are_told_on_one_line() -> None:
    """Kind and text; ours need no kind; one that cannot be read is told of all the same."""
    assert describe_error(ValueError("a\n  b\x1b[31m")) == "ValueError: a b [31m"
    assert describe_error(KeyError()) == "KeyError"
    assert describe_error(ConfigError("a\nb")) == str(ConfigError("a\nb")) == "a b"
    assert describe_error(MuteError()) == "MuteError: its text cannot be read"


def test_the_place_in_the_plugins_own_file_is_told() -> None:
    """The innermost line of the plugin's module, not that of what it calls."""

    class Mine:
        def read(self) -> None:
            Path("/nowhere").read_text()

    with pytest.raises(OSError, match="nowhere") as caught:
        Mine().read()
    line = inspect.getsourcelines(Mine.read)[1] + 1
    assert describe_error(caught.value, Mine).endswith(f"({Path(__file__).name}:{line})")
    assert describe_error(caught.value, ConfigError) == describe_error(caught.value)
