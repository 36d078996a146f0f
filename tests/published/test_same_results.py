"""The comparison of published numbers with those of another machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.published.same_results import compare

RESULTS = Path(__file__).parents[2] / "results" / "quick"


def changed(folder: Path, change: Any) -> Path:
    """Return the folder with a changed copy of the published file."""
    document = json.loads((RESULTS / "leaderboard.json").read_text())
    change(document)
    (folder / "leaderboard.json").write_text(json.dumps(document))
    return folder


def test_equal_files_have_no_differences() -> None:
    """Not even those of seconds."""
    assert compare(RESULTS, RESULTS) == (0, {})


def test_a_changed_loss_is_found(tmp_path: Path) -> None:
    """With its field and the relative difference."""

    def change(document: Any) -> None:
        document["workloads"][2]["rows"][1]["test_loss"]["median"] *= 1.25

    seconds, others = compare(RESULTS, changed(tmp_path, change))
    assert seconds == 0
    assert others == {".workloads[].rows[].test_loss.median": [pytest.approx(0.2)]}


def test_seconds_are_counted_apart(tmp_path: Path) -> None:
    """Another machine has others."""

    def change(document: Any) -> None:
        document["workloads"][0]["rows"][0]["time"]["seconds"] = 1e9

    assert compare(RESULTS, changed(tmp_path, change)) == (1, {})


def test_a_changed_label_is_found(tmp_path: Path) -> None:
    """A pair names its optimizers `first` and `second`, which is no time."""

    def change(document: Any) -> None:
        document["boards"][0]["pairs"][0]["second"] = "other"

    _, others = compare(RESULTS, changed(tmp_path, change))
    assert list(others) == [".boards[].pairs[].second"]


def test_a_missing_row_is_found(tmp_path: Path) -> None:
    """A list of another length differs as a whole."""
    _, others = compare(RESULTS, changed(tmp_path, lambda document: document["overall"].pop()))
    assert others == {".overall": [float("inf")]}
