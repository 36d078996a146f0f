"""Numbers in the formats they are written to."""

from __future__ import annotations

import math

import msgspec
import pytest

from optbench.analysis.board_rows import AxisSummary, Estimate, Rate
from optbench.report.format import numbers as text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "never"),
        (0.012345, "0.0123"),
        (1234.0, "1234"),
        (12345.0, "12.3k"),
        (2.5e6, "2.5M"),
        (0, "0"),
    ],
)
def test_numbers_are_short(value: float | None, expected: str) -> None:
    """Three digits, a unit where it is large, words where it is not a number."""
    assert text.number(value) == expected


def test_what_is_unknown_has_no_sign() -> None:
    """The metric of a run that diverged is minus infinity, and shown as unknown."""
    assert text.number(-math.inf, infinite=text.UNKNOWN) == text.UNKNOWN


def test_intervals_and_rates_read_as_words() -> None:
    """An interval that does not exist is not invented."""
    assert text.interval(Estimate(value=0.5, low=0.25, high=0.75)) == "0.50 [0.25, 0.75]"
    assert text.interval(Estimate(value=0.5)) == "0.50"
    three = Rate(count=3, total=40, rate=0.075, low=0, high=1)
    assert text.lost(three, 0) == "3 of 40 (8%)"
    assert text.lost(three, 2) == "1 of 40 (2%), failed 2 of 40"
    assert text.lost(three, 3, brief=True) == "failed 3 of 40"
    assert text.lost(msgspec.structs.replace(three, count=0), 0, brief=True) == "0"


def test_a_dash_stands_where_there_is_nothing_to_solve() -> None:
    """No target at all is not a failure to reach it."""
    none = AxisSummary(axis="examples", solved=0, workloads=0, ratio=None, profile=None)
    assert text.solved(none, "/") == text.UNKNOWN
    assert text.solved(msgspec.structs.replace(none, workloads=3), "/") == "0/3"
