"""The protocol in words, as the page and the Markdown show it."""

from __future__ import annotations

from dataclasses import replace

from optbench.records import StudyProtocol
from optbench.report.format.protocol_text import evaluations_text, protocol_rows
from tests.analysis.synthetic import make_cells


def test_the_number_of_evaluations_is_that_of_the_runs() -> None:
    """The rows of the curves without the start; a range where workloads differ."""
    (few,) = make_cells(("alpha",), ("short",), ("batch",), seeds=1, trials=0, grid_points=3)
    (many,) = make_cells(("alpha",), ("long",), ("batch",), seeds=1, trials=0, grid_points=9)
    least, most = (cell.evaluation[0].curve.rows - 1 for cell in (few, many))
    assert least < most
    assert evaluations_text([few, few]) == f"{least}, and the start"
    assert evaluations_text([few, many]).startswith(f"{least} to {most}, and the start")
    text = evaluations_text([many])
    assert dict(protocol_rows(StudyProtocol(), text))["evaluations in a run"] == text


def test_without_runs_the_protocol_gives_the_largest_number() -> None:
    """It is a bound, and is called so."""
    (cell,) = make_cells(("alpha",), ("short",), ("batch",), seeds=1, trials=0)
    assert evaluations_text([replace(cell, evaluation=())]) == ""
    rows = dict(protocol_rows(StudyProtocol(grid_points=24)))
    assert rows["evaluations in a run"] == "at most 24"
