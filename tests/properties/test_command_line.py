"""Any words after a command: a documented exit code, one clear line, and no traceback."""

from __future__ import annotations

import functools
from typing import Any

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optbench.cli.group import COMMANDS, main
from tests.properties.commands import OUT, call, check_outcome

JUNK = (
    "9" * 40, "sgd[lr=" + "9" * 5000 + "]", "x" * 300,
    "", " ", "-", "--", "0", "-1", "1e400", "nan", "inf", "-inf", "1_000", "0x10", "٣",
    "None", "true", "[]", "[", "]", "a[", "a]b", "a[b", "a[=]", "a[b=]", "a[lr=nan]",
    "a[[b=1]]", "sgd[lr=nan]", "sgd[lr=-1]", "sgd[lr=1e999]", "sgd[lr=]",
    "sgd[lr=1,lr=2]", "sgd[]", "sgd,", "sgd[momentum=0.5]x", "adam[clip_norm=-1]",
    "sgd[schedule=x]", "he-normal[gain=1]", "constant[value=x]", "iris", "digit",
    "linear", "32,32", "32,,32", "1,-1", "../../etc/passwd", "/", "/dev/null",
    "/proc/self/mem", ".", "..", "a/b", "x.toml", "x.py", "\x00", "a\x00b", "\n",
    "a\nerror: b", "\x1b[31mred\x1b[0m", "[red]x[/red]", "[/]", "{x}", "<script>", "ä",
    "\u540d\u524d", "\U0001f642", "\u202e", "\udcff", "%s%n", "'; DROP TABLE runs",
    "$HOME", "lr=1", "lr=", "=1", "lr=1..0", "lr=0..1:1", "lr=a..b", "lr=0..inf",
    "layers=-1", "layers=1e9", "lr=nan", "lr=1,1,1", "x=1", "lr=1..2:99999999",
    "batch_size=0", "epochs=0", "regime=1..2", "0,0", "1,2,3", "nan,inf", "png,", ",",
    "none,png", "bmp", "tcp://", "tcp://127.0.0.1:1", "ö://", "os", "optbench.cli",
    "..os", "json.decoder", "a b", "csv", "parquet", "bash", "optimizer", "sgd", "adam",
    "iris", "rosenbrock", "relu", "lr=0.1", "layers=1,2", "sgd[lr=0.1]",
)  # fmt: skip
"""Typing errors, words with a meaning elsewhere, and a few valid words."""

numbers = st.integers() | st.floats()
values = st.sampled_from(JUNK) | st.text(max_size=12) | numbers.map(str)


@functools.cache
def parameters(name: str) -> tuple[click.Parameter, ...]:
    """Return the options and arguments of a command."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return tuple(command.params)


FIXED: dict[str, tuple[str, ...]] = {
    "run": ("--dry-run",),
    "merge": ("--out", OUT),
    "new": ("--out", OUT),
    "inspect": ("--out", OUT, "--epochs", "0"),
    "trajectory": ("--out", OUT, "--steps", "2"),
    "response": ("--out", OUT, "--updates", "4"),
    "plot": ("--out", OUT),
    "sweep": ("--out", OUT),
}
"""Options that keep a command short and in its folder, in case the drawn words are valid."""


def arguments_of(name: str) -> st.SearchStrategy[list[str]]:
    """Draw options of a command with any values, and too many or too few arguments."""
    options = [p for p in parameters(name) if isinstance(p, click.Option)]
    pieces = [
        st.just([flag]) if option.is_flag else st.tuples(st.just(flag), _value(option)).map(list)
        for option in options
        for flag in (*option.opts, *option.secondary_opts)
        if option.name != "out"
    ]
    stray = st.tuples(values).map(list)
    parts = (
        st.lists(st.one_of(*pieces, stray), max_size=4) if pieces else st.lists(stray, max_size=3)
    )
    return st.tuples(st.lists(_argument(name), max_size=2), parts).map(
        lambda drawn: [*drawn[0], *(word for part in drawn[1] for word in part)]
    )


def _value(option: click.Option) -> st.SearchStrategy[str]:
    if isinstance(option.type, click.Choice):
        return values | st.sampled_from(list(option.type.choices))
    return values


def _argument(name: str) -> st.SearchStrategy[str]:
    for parameter in parameters(name):
        if isinstance(parameter, click.Argument) and isinstance(parameter.type, click.Choice):
            return values | st.sampled_from(list(parameter.type.choices))
    return values


@pytest.mark.parametrize("name", sorted(COMMANDS))
@given(data=st.data())
def test_junk_after_a_command_is_one_clear_line(name: str, data: Any) -> None:
    """The exit code is documented, the error is one line, and only --out is written to."""
    drawn = data.draw(arguments_of(name))
    check_outcome(call([name, *FIXED.get(name, ()), *drawn]))


@given(st.lists(values, max_size=3))
@example(["--plugin"])
@example(["--version", "\x00"])
def test_junk_instead_of_a_command_is_one_clear_line(words: list[str]) -> None:
    """The group handles junk like its commands."""
    check_outcome(call(words))
