"""Comparisons of studies and of entrants: verdicts, and what makes the two sides unequal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from optbench.analysis.board_records import BOARD_NAMES
from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.study import Study
from optbench.study.comparing import compare_entrants, compare_studies
from tests.analysis.synthetic import make_cells


def make_study(
    skill: Mapping[str, float] | None = None,
    protocol: StudyProtocol | None = None,
    *,
    replicates: int = 4,
    **how: Any,
) -> Study:
    cells = make_cells(("alpha", "beta"), skill=skill, replicates=replicates, **how)
    return Study("synthetic", protocol or StudyProtocol(), tuple(cells))


def test_a_study_equals_itself() -> None:
    """Every difference is 0, and every board says that the two sides are equal."""
    study = make_study()
    comparison = compare_studies(study, study)
    assert [row.optimizer for row in comparison.rows] == ["alpha", "beta"]
    for row in comparison.rows:
        assert (row.workloads, row.replicates) == (9, 4)
        assert [each.board for each in row.boards] == list(BOARD_NAMES)
        assert {each.verdict for each in row.boards} == {"equal"}
        assert {each.difference for each in row.boards} == {0.0}
    assert comparison.worse(BOARD_NAMES) == []
    assert comparison.warnings == ()


def test_an_optimizer_that_got_better_is_better_in_one_direction_and_worse_in_the_other() -> None:
    """The verdict is seen from B; on boards where nothing changed it is not worse."""
    old, new = make_study(), make_study({"alpha": 1.0})
    rows = {row.optimizer: row for row in compare_studies(old, new).rows}
    assert (rows["alpha"].verdict(), rows["beta"].verdict()) == ("better", "equal")
    (final, *_) = rows["alpha"].boards
    assert final.low is not None
    assert final.high is not None
    assert final.difference is not None
    assert 0 < final.low <= final.difference <= final.high
    back = compare_studies(new, old)
    assert back.rows[0].boards[0].difference == -final.difference
    assert back.rows[0].boards[0].low == -final.high
    assert back.worse() == ["alpha"]
    assert back.worse(["stability"]) == []


def test_one_replicate_decides_nothing() -> None:
    """There is a difference, but no interval, and the verdict is open on every board."""
    old, new = make_study(replicates=1), make_study({"alpha": 1.0}, replicates=1)
    comparison = compare_studies(new, old)
    final = comparison.rows[0].boards[0]
    assert final.difference is not None
    assert final.difference < 0
    assert (final.low, final.high, final.p_adjusted) == (None, None, None)
    assert {each.verdict for row in comparison.rows for each in row.boards} == {"open"}
    assert comparison.worse(BOARD_NAMES) == []


def test_one_workload_is_enough_for_a_verdict() -> None:
    """Replicates are the unit, so a study of one workload is compared as well."""
    old, new = (
        make_study(skill, datasets=("iris",), regimes=("batch",), replicates=6)
        for skill in (None, {"alpha": 1.0})
    )
    row = compare_studies(old, new).rows[0]
    assert (row.workloads, row.replicates, row.verdict()) == (1, 6, "better")


def test_studies_of_different_replicates_are_paired_in_order() -> None:
    """Without common seeds the replicates of both sides are independent, and still compared."""
    study = make_study(replicates=8)
    halves = [
        Study("synthetic", study.protocol, tuple(c for c in study.cells if c.replicate in part))
        for part in (range(4), range(4, 8))
    ]
    row = compare_studies(*halves).rows[0]
    assert (row.workloads, row.replicates) == (9, 4)
    assert row.verdict() != "worse"


def test_the_verdicts_of_several_optimizers_are_corrected_together() -> None:
    """The p-value of an optimizer next to others is at least that of the optimizer by itself."""
    old, new = make_study(noise=0.5), make_study({"alpha": 0.3}, noise=0.5, rng_seed=1)
    together = compare_studies(old, new)
    for row in together.rows:
        single = Study(
            "synthetic",
            old.protocol,
            tuple(c for c in old.cells if c.entrant.label == row.optimizer),
        )
        alone = compare_studies(single, new).rows[0]
        for each, by_itself in zip(row.boards, alone.boards, strict=True):
            assert each.p_adjusted is not None
            assert by_itself.p_adjusted is not None
            assert each.p_adjusted >= by_itself.p_adjusted


def test_entrants_of_one_study_are_compared() -> None:
    """B is the second; unknown labels are answered with the nearest."""
    study = make_study({"beta": 1.0})
    row = compare_entrants(study, "alpha", "beta").rows[0]
    assert (row.optimizer, row.verdict()) == ("beta against alpha", "better")
    with pytest.raises(ConfigError, match="did you mean 'alpha'"):
        compare_entrants(study, "alpa", "beta")
    with pytest.raises(ConfigError, match="against itself"):
        compare_entrants(study, "beta", "beta")


def test_unequal_sides_come_with_a_warning() -> None:
    """Protocols and numbers of seeds that differ are named with both values."""
    few, many = make_study(seeds=3), make_study(seeds=5, protocol=StudyProtocol(budget=99))
    assert compare_studies(few, many).warnings == (
        "the protocols differ: budget is 8 in A, 99 in B",
        "the seeds differ, 3 in A and 5 in B; compared on the seeds that both have",
    )


def test_studies_without_a_common_workload_are_refused() -> None:
    """The message names both."""
    with pytest.raises(ConfigError, match="synthetic and synthetic have no optimizer on a common"):
        compare_studies(make_study(datasets=("iris",)), make_study(datasets=("moons",)))
