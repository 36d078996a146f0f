"""Comparisons of studies and of entrants: verdicts, their scope, and what makes sides unequal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.study import Study
from optbench.study.comparing import compare_entrants, compare_studies
from tests.analysis.synthetic import make_cells


def make_study(
    skill: Mapping[str, float] | None = None, protocol: StudyProtocol | None = None, **how: Any
) -> Study:
    cells = tuple(make_cells(("alpha", "beta"), skill=skill, **how))
    return Study("synthetic", protocol or StudyProtocol(), cells)


def test_a_study_equals_itself() -> None:
    """Every probability is one half, and nothing is distinguishable."""
    study = make_study()
    comparison = compare_studies(study, study)
    assert [row.optimizer for row in comparison.rows] == ["alpha", "beta"]
    assert {row.improvement for row in comparison.rows} == {0.5}
    assert {row.verdict for row in comparison.rows} == {"not distinguishable"}
    assert comparison.worse == []
    assert comparison.warnings == ()


def test_an_optimizer_that_got_better_is_better_in_one_direction_and_worse_in_the_other() -> None:
    """The verdict is seen from B."""
    old, new = make_study(), make_study({"alpha": 1.0})
    there = {row.optimizer: row for row in compare_studies(old, new).rows}
    assert (there["alpha"].verdict, there["beta"].verdict) == ("better", "not distinguishable")
    assert there["alpha"].improvement > 0.9
    assert there["alpha"].scope == "any workload"
    assert compare_studies(new, old).worse == ["alpha"]


@pytest.mark.parametrize(("regimes", "words"), [(1, "this workload"), (3, "these 3 workloads")])
def test_few_workloads_are_spoken_of_only(regimes: int, words: str) -> None:
    """Below six workloads the statement names how many there are."""
    names = ("batch", "mini-batch", "sgd")[:regimes]
    old, new = (
        make_study(skill, datasets=("iris",), regimes=names) for skill in (None, {"alpha": 1.0})
    )
    row = compare_studies(old, new).rows[0]
    assert row.scope == "these workloads"
    assert row.statement == f"better on {words}"


def test_entrants_of_one_study_are_compared() -> None:
    """B is the second; unknown labels are answered with the nearest."""
    study = make_study({"beta": 1.0})
    row = compare_entrants(study, "alpha", "beta").rows[0]
    assert (row.optimizer, row.verdict) == ("beta against alpha", "better")
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
