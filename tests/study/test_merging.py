"""Merging: studies with other replicates become one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

import optbench
from optbench.analysis.statistics.spending import extended_looks, planned_looks
from optbench.errors import ConfigError
from optbench.plan import StudyRecord, record_cell
from optbench.records import Criteria, Look, StudyProtocol
from optbench.study.merging import merge_records
from tests.analysis.synthetic import make_cells

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
    assert any("hold if that was decided before the results" in w for w in merged.data_cautions)
    assert at_once.data_cautions == ()


def test_studies_that_differ_in_more_than_replicates_do_not_merge(tmp_path: Path) -> None:
    """Their evaluation would not mean the same."""
    optbench.compare("sgd", out=tmp_path / "a", replicates=1, **SMALL)
    optbench.compare("sgd", out=tmp_path / "b", first_replicate=1, retest_trials=1, **SMALL)
    with pytest.raises(ConfigError, match="the protocols differ: retest_trials is 0 in "):
        optbench.merge([tmp_path / "a", tmp_path / "b"], out=tmp_path / "all")


def record_of(
    labels: str, looks: tuple[Look, ...], replicates: int, first: int = 0, baseline: str = ""
) -> tuple[Path, StudyRecord]:
    """A study whose entrants are letters, analysed at these looks."""
    cells = make_cells(tuple(labels), ("iris",), ("batch",), replicates=replicates, trials=2)
    record = StudyRecord(
        suite="made up",
        protocol=StudyProtocol(replicates=replicates, first_replicate=first),
        cells=tuple(record_cell(cell) for cell in cells),
        looks=looks,
        criteria=Criteria(baseline=baseline),
    )
    return Path(labels), record


LOOKS = tuple(planned_looks([4, 8], 32))


def test_studies_of_the_same_looks_merge_and_keep_them() -> None:
    """One of them may have ended at an earlier look; a study without looks had a single one."""
    merged = merge_records([record_of("ab", LOOKS[:1], 4), record_of("cd", LOOKS, 8)])
    assert merged.looks == LOOKS
    assert merged.protocol.replicates == 8
    extended = tuple(extended_looks([Look(replicates=4, level=0.05)], 6))
    merged = merge_records([record_of("ab", (), 4), record_of("cd", extended, 6)])
    assert merged.looks == extended


@pytest.mark.parametrize(
    "other",
    [
        record_of("cd", (), 8),
        record_of("cd", LOOKS, 8, first=8),
        record_of("cd", tuple(planned_looks([4, 8], 16)), 8),
        record_of("cd", (*LOOKS[:1], Look(replicates=7, level=0.01)), 7),
    ],
    ids=["no looks", "other replicates", "another end", "another look"],
)
def test_studies_of_different_looks_do_not_merge(other: tuple[Path, StudyRecord]) -> None:
    """Their size depends on their results, so that no error rate would hold for both together."""
    for records in ([record_of("ab", LOOKS, 8), other], [other, record_of("ab", LOOKS, 8)]):
        with pytest.raises(ConfigError, match="was not analyzed at the looks of ") as caught:
            merge_records(records)
        assert "\n" not in str(caught.value)


def test_a_baseline_is_kept_where_all_studies_have_it() -> None:
    """Otherwise the merged study has none."""
    same = [record_of("ab", (), 2, baseline="a"), record_of("ac", (), 2, baseline="a")]
    assert merge_records(same).criteria.baseline == "a"
    assert merge_records([same[0], record_of("cd", (), 2)]).criteria.baseline == ""


def unfinished(labels: str, missing: int) -> tuple[Path, StudyRecord]:
    """A study of two entrants on one workload, of which the last one lacks evaluation runs."""
    folder, record = record_of(labels, (), replicates=1)
    *complete, last = record.cells
    last = structs.replace(last, evaluation=last.evaluation[missing:], missing=missing)
    done = sum(len(list(cell.keys())) for cell in (*complete, last))
    cells, progress = (*complete, last), (done, done + missing)
    return folder, structs.replace(record, cells=cells, complete=False, progress=progress)


def test_the_runs_that_unfinished_studies_lack_are_counted_together() -> None:
    """Finished and planned runs are those of all studies, whichever is named first."""
    parts = [unfinished("ab", 2), unfinished("cd", 3), record_of("ef", (), replicates=1)]
    for order in (parts, parts[::-1]):
        merged = merge_records(order)
        done = sum(len(list(cell.keys())) for cell in merged.cells)
        assert not merged.complete
        assert merged.progress == (done, done + 5)


def test_runs_that_another_study_has_are_not_missing() -> None:
    """The cell that has come furthest counts, so two parts can make a complete study."""
    parts = [unfinished("ab", 2), record_of("ab", (), replicates=1)]
    for order in (parts, parts[::-1]):
        merged = merge_records(order)
        assert (merged.complete, merged.progress) == (True, None)
    merged = merge_records([unfinished("ab", 3), unfinished("ab", 2)])
    assert merged.progress is not None
    assert merged.progress[1] - merged.progress[0] == 2


def test_planned_runs_of_a_record_without_the_counts_of_cells_are_missing() -> None:
    """Studies that an earlier version recorded have them for the whole study only."""
    folder, record = unfinished("ab", 2)
    cells = tuple(structs.replace(cell, missing=0) for cell in record.cells)
    merged = merge_records([(folder, structs.replace(record, cells=cells)), unfinished("cd", 1)])
    assert merged.progress is not None
    assert merged.progress[1] - merged.progress[0] == 3
