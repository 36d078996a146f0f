"""The measurement of thinned curves changes the points and nothing else, and sees what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from optbench.engine import curve_points
from optbench.plan import build_plan
from optbench.registry import default_registry
from optbench.suites import find_suite
from tests.benchmarks.thinned_curves import EVERY_POINT, changes, evaluations, study_with

SUITE: dict[str, Any] = {
    "datasets": ["wine"],
    "regimes": ["mini-batch"],
    "networks": [{"hidden": [4], "activation": "relu"}],
    "optimizers": ["sgd", "adam"],
    "epochs": 4,
    "protocol": {"ruleset": "defaults", "seeds": 2, "replicates": 2, "grid_points": 16},
}
ROOT = Path(__file__).parents[2]


def test_fewer_points_are_evaluated_in_the_same_training() -> None:
    """The final losses are the same; the rule itself is as it was."""
    usual = curve_points.LEAST
    full, thinned = study_with(EVERY_POINT, SUITE), study_with(3, SUITE)
    assert usual == curve_points.LEAST
    assert evaluations(thinned) == 8 * 4
    assert evaluations(full) == sum(len(run.curve["epoch"]) for run in full.runs) > 8 * 4
    losses = [[run.curve["val_loss"][-1] for run in study.runs] for study in (full, thinned)]
    assert losses[0] == losses[1]


def test_the_changes_are_those_of_the_boards() -> None:
    """Nothing between a study and itself; a shifted difference and a turned verdict are seen."""
    board = study_with(3, SUITE).leaderboard
    same = changes(board, board)
    assert set(same.largest.values()) == {0.0}
    assert (same.verdicts, same.pairs) == (0, sum(len(each.pairs) for each in board.boards))
    first = board.boards[0]
    (pair,) = first.pairs
    better = msgspec.structs.replace(pair, difference=0.5, verdict="better")
    turned = msgspec.structs.replace(better, first=pair.second, second=pair.first)
    sides = [
        msgspec.structs.replace(
            board, boards=(msgspec.structs.replace(first, pairs=(each,)), *board.boards[1:])
        )
        for each in (better, turned)
    ]
    found = changes(*sides)
    assert found.largest[first.name] == pytest.approx(1.0)
    assert found.verdicts == 1
    assert f"{first.name} 1.000 (region {first.region:g})" in str(found)


def test_the_page_counts_the_runs_and_the_points_of_the_quick_suite() -> None:
    """As published, and as planned."""
    text = " ".join((ROOT / "docs" / "performance.md").read_text().split())
    runs = json.loads((ROOT / "results" / "quick" / "leaderboard.json").read_text())["runs"]
    registry = default_registry()
    suites = {key: entry.item for key, entry in registry.entries("suites").items()}
    plan = build_plan(find_suite("quick", suites), registry)
    cells = {cell.workload.label: cell for cell in plan.cells}
    specs = [cell.evaluation_runs(cell.points[0], 1)[0] for cell in cells.values()]
    thinned = [spec for spec in specs if spec.curve_points == curve_points.LEAST]
    assert (len(thinned), len(specs), {spec.grid_points for spec in specs}) == (6, 8, {24})
    assert f"In the suite `quick` ({runs:,} runs), six of eight workloads keep 12 of 24" in text
