"""The letters of ties fit beside a bar, however many groups there are."""

from __future__ import annotations

import pytest

from optbench.report.plots.overview import _runs


@pytest.mark.parametrize(
    ("letters", "short"),
    [("", ""), ("a", "a"), ("ab", "ab"), ("abc", "a-c"), ("abcdik", "a-dik"), ("bdghij", "bdg-j")],
)
def test_runs_of_three_and_more_are_shortened(letters: str, short: str) -> None:
    """Runs keep their ends; everything else stays as it is."""
    assert _runs(letters) == short
