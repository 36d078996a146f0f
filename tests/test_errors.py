"""Errors are described on one line."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from optbench.errors import ConfigError, describe_error


class MuteError(Exception):
    """An error whose text cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError


def test_an_error_is_described_on_one_line() -> None:
    """By type and text; optbench's own errors by their text; also if the text cannot be read."""
    assert describe_error(ValueError("a\n  b\x1b[31m")) == "ValueError: a b [31m"
    assert describe_error(KeyError()) == "KeyError"
    assert describe_error(ConfigError("a\nb")) == str(ConfigError("a\nb")) == "a b"
    assert describe_error(MuteError()) == "MuteError: its text cannot be read"


def test_the_description_names_the_line_in_the_plugin() -> None:
    """The innermost line of the plugin's own module, not a line of what it calls."""

    class Mine:
        def read(self) -> None:
            Path("/nowhere").read_text()

    with pytest.raises(OSError, match="nowhere") as caught:
        Mine().read()
    line = inspect.getsourcelines(Mine.read)[1] + 1
    assert describe_error(caught.value, Mine).endswith(f"({Path(__file__).name}:{line})")
    assert describe_error(caught.value, ConfigError) == describe_error(caught.value)
