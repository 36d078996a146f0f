"""A study of many workloads: what is drawn, and that nothing else changes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from optbench.analysis import Leaderboard, build_leaderboard
from optbench.records import Cell, StudyProtocol
from optbench.report import write_all
from optbench.report.format import excerpt as module
from optbench.report.format.excerpt import excerpt
from optbench.report.terminal.leaderboard_table import leaderboard_table
from optbench.report.terminal.optimizer_table import mean_note
from tests.analysis.synthetic import make_cells

DATASETS = ("moons", "iris", "digits")


@pytest.fixture(scope="module")
def large() -> tuple[Leaderboard, list[Cell]]:
    """3 datasets x 6 networks x 3 regimes: 54 workloads."""
    cells = make_cells(
        ("alpha", "beta"),
        DATASETS,
        hidden=[(width,) for width in range(4, 10)],
        seeds=3,
        trials=2,
        grid_points=6,
    )
    return build_leaderboard(cells, StudyProtocol(budget=2, seeds=3)), cells


def test_a_small_study_is_shown_whole(large: tuple[Leaderboard, list[Cell]]) -> None:
    """Nothing is left out, and nothing is said."""
    cells = [cell for cell in large[1] if cell.workload.hidden == (4,)]
    board = build_leaderboard(cells, StudyProtocol(budget=2, seeds=3))
    assert excerpt(board, cells) == (board, cells)


def test_of_a_large_study_whole_problems_of_every_dataset_are_shown(
    large: tuple[Leaderboard, list[Cell]],
) -> None:
    """The same number from each dataset, in all regimes; the ranking stays as it is."""
    board, cells = large
    shown, kept = excerpt(board, cells)
    workloads = [b.workload for b in shown.workloads]
    assert len(workloads) == module.EXCERPT < len(board.workloads) == 54
    assert {cell.workload.label for cell in kept} == {b.label for b in shown.workloads}
    for dataset in DATASETS:
        own = [w for w in workloads if w.dataset == dataset]
        assert len(own) == 6
        assert len({w.hidden for w in own}) == 2
    assert len(shown.regimes) == 6
    assert {c.workload for c in shown.lr_curves} == {b.label for b in shown.workloads}
    assert shown.overall == board.overall
    assert "18 of 54 workloads" in shown.warnings[0]
    assert shown.warnings[1:] == board.warnings
    assert excerpt(board, cells)[0] == shown


@pytest.mark.parametrize(
    ("datasets", "networks", "expected"), [(10, 2, 30), (20, 1, 36), (5, 4, 18)]
)
def test_every_dataset_is_shown_as_long_as_they_fit(
    datasets: int, networks: int, expected: int
) -> None:
    """One problem of each first, however many there are; whole problems always."""
    names = [f"data{i}" for i in range(datasets)]
    hidden = [(4 + i,) for i in range(networks)]
    cells = make_cells(("alpha", "beta"), names, hidden=hidden, seeds=2, trials=0, grid_points=3)
    board = build_leaderboard(cells, StudyProtocol(budget=1, seeds=2))
    shown, _ = excerpt(board, cells)
    workloads = [b.workload for b in shown.workloads]
    assert len(workloads) == expected
    assert len({w.dataset for w in workloads}) == min(datasets, 12)
    assert len({(w.dataset, w.hidden) for w in workloads}) * 3 == expected
    assert f"from {min(datasets, 12)} of {datasets} datasets" in shown.warnings[0]


def test_the_data_files_leave_nothing_out(
    large: tuple[Leaderboard, list[Cell]], tmp_path: Path
) -> None:
    """CSV and JSON have every workload, Markdown and page those that are shown."""
    board, cells = large
    write_all(board, cells, tmp_path, environment={}, command="optbench run", formats=())
    data = json.loads((tmp_path / "leaderboard.json").read_text())
    rows = list(csv.DictReader(io.StringIO((tmp_path / "leaderboard.csv").read_text("utf-8"))))
    everything = {b.label for b in board.workloads}
    assert {b["label"] for b in data["workloads"]} == everything
    assert everything <= {row["workload"] for row in rows}
    for name in ("leaderboard.md", "report.html"):
        assert "18 of 54 workloads" in (tmp_path / name).read_text(encoding="utf-8"), name


def test_the_terminal_says_over_what_its_curves_are(
    large: tuple[Leaderboard, list[Cell]],
) -> None:
    """A sparkline over 18 workloads is not said to be over 54."""
    from rich.console import Console

    console = Console(width=120, record=True, file=io.StringIO())
    board, cells = large
    console.print(leaderboard_table(board, cells))
    text = " ".join(console.export_text().split())
    assert "54 workloads," in text
    assert "curves: validation loss along the run, on one scale up to its start" in text
    assert "(mean of 6 workloads each)" in text
    assert "solved: workloads on which the median run reached the target" in text


def test_columns_of_other_workloads_have_their_own_numbers() -> None:
    """Regimes may have different numbers of workloads."""
    assert mean_note([2, 3, 3]) == " (mean of 2, 3 and 3 workloads)"
    assert mean_note([3, 3]) == " (mean of 3 workloads each)"
    assert (mean_note([8]), mean_note([1, 1]), mean_note([])) == (
        " (mean of 8 workloads)",
        "",
        "",
    )
