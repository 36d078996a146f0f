"""Merging: studies with other replicates become one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import optbench
from optbench.errors import ConfigError

SMALL: dict[str, Any] = {"suite": "smoke", "regimes": "batch", "epochs": 1, "grid_points": 4}


def test_studies_of_other_replicates_merge_into_one_of_all(tmp_path: Path) -> None:
    """The merged study is the one that would have been run with all replicates at once."""
    for name, first, count in (("a", 0, 2), ("b", 2, 1)):
        optbench.compare(
            "sgd", out=tmp_path / name, replicates=count, first_replicate=first, **SMALL
        )
    merged = optbench.merge([tmp_path / "a", tmp_path / "b"], out=tmp_path / "all")
    at_once = optbench.compare("sgd", replicates=3, **SMALL)
    assert merged.protocol == at_once.protocol
    assert [cell.replicate for cell in merged.cells] == [0, 1, 2]
    assert {run.key for run in merged.runs} == {run.key for run in at_once.runs}


def test_studies_that_differ_in_more_than_replicates_do_not_merge(tmp_path: Path) -> None:
    """Their evaluation would not mean the same."""
    optbench.compare("sgd", out=tmp_path / "a", replicates=1, **SMALL)
    optbench.compare("sgd", out=tmp_path / "b", first_replicate=1, retest_trials=1, **SMALL)
    with pytest.raises(ConfigError, match="the protocols differ: retest_trials is 0 in "):
        optbench.merge([tmp_path / "a", tmp_path / "b"], out=tmp_path / "all")
