"""Comparisons of studies and of entrants: verdicts, and what makes the two sides unequal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

import optbench
from optbench.analysis.board_records import select_boards
from optbench.analysis.statistics.spending import extended_looks, planned_looks
from optbench.analysis.words.prose import looks_notes
from optbench.errors import ConfigError
from optbench.records import ALPHA, BOARD_NAMES, Look, StudyProtocol
from optbench.study import Study
from optbench.study.comparing import compare_entrants, compare_studies
from tests.analysis.synthetic import make_cells

FIXED = (Look(replicates=4, level=ALPHA),)


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
            assert each.p_adjusted >= by_itself.p_adjusted * (1 - 1e-12)  # but for rounding


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
        "the protocols differ: budget is 9 in A, 99 in B",
        "the seeds differ, 3 in A and 5 in B; compared on the seeds that both have",
    )


def test_what_only_one_side_has_is_named() -> None:
    """An optimizer, a workload, or an optimizer on one workload; a part of neither is not."""
    whole = make_study()
    labels = list(dict.fromkeys(cell.workload.label for cell in whole.cells))
    kept = [
        cell
        for cell in whole.cells
        if cell.workload.label != labels[0]
        and (cell.workload.label, cell.entrant.label) != (labels[1], "beta")
    ]
    part = replace(whole, cells=tuple(kept))
    comparison = compare_studies(whole, part)
    assert comparison.missing == (labels[0], f"beta on {labels[1]}")
    assert f"only in A, not compared: {labels[0]}" in comparison.warnings
    assert compare_studies(part, whole).missing == ()
    assert f"only in B, not compared: {labels[0]}" in compare_studies(part, whole).warnings
    alone = replace(whole, cells=tuple(c for c in whole.cells if c.entrant.label == "alpha"))
    assert compare_studies(whole, alone).missing == ("beta",)


def test_studies_without_a_common_workload_are_refused() -> None:
    """The message names both."""
    with pytest.raises(ConfigError, match="synthetic and synthetic have no optimizer on a common"):
        compare_studies(make_study(datasets=("iris",)), make_study(datasets=("moons",)))


def test_many_optimizers_are_compared_jointly_where_their_dependence_is_known() -> None:
    """Twins have the same p-value, and with many units that of one of them by itself."""
    labels = ("alpha", "beta", "gamma")
    twins = {"beta": "alpha", "gamma": "alpha"}
    studies = [
        Study(
            "synthetic",
            StudyProtocol(),
            tuple(make_cells(labels, twins=twins, rng_seed=seed, replicates=12, tuning_noise=0.3)),
        )
        for seed in (0, 1)
    ]
    together = compare_studies(*studies)
    p = [row.boards[0].p_adjusted for row in together.rows]
    assert p[0] is not None
    assert p == [p[0]] * 3
    alone = Study(
        "one", StudyProtocol(), tuple(c for c in studies[0].cells if c.entrant.label == "alpha")
    )
    single = compare_studies(alone, studies[1]).rows[0].boards[0].p_adjusted
    assert p[0] == pytest.approx(single, abs=0.01)  # three times as much by Holm's correction


def test_a_region_can_be_given() -> None:
    """By default it is that of A; a wide one makes the two sides equal."""
    old, new = make_study(), make_study({"alpha": 0.3})
    assert compare_studies(old, new).rows[0].verdict() == "better"
    wide = compare_studies(old, new, regions={"final-loss": 1}).rows[0]
    assert (wide.verdict(), wide.boards[0].region) == ("equal", 1.0)
    marked = old.with_criteria(regions={"final-loss": 1})
    comparison = compare_studies(marked, new)
    assert comparison.rows[0].verdict() == "equal"
    assert comparison.warnings == (
        "the regions of practical equivalence differ; those of A are used",
    )
    assert marked.compare("alpha", "beta").rows[0].boards[0].region == 1.0


def test_a_pair_has_the_differences_of_its_board_whoever_else_is_in_the_study() -> None:
    """Losses that are not frozen are derived from the whole study, as for the boards."""
    cells = make_cells(
        ("alpha", "beta", "gamma"),
        datasets=("unseen", "unheard", "unknown"),
        skill={"beta": 0.3, "gamma": 1.5},
        replicates=4,
    )
    study = Study("synthetic", StudyProtocol(), tuple(cells))
    (row,) = study.compare("alpha", "beta").rows
    boards = {each.name: each for each in select_boards(study.leaderboard.boards)}
    for each in row.boards:
        pair = boards[each.board].pair("alpha", "beta")
        assert pair.difference is not None
        sign = 1 if pair.first == "beta" else -1
        assert each.difference == pytest.approx(sign * pair.difference)
    (speed,) = (each for each in row.boards if each.board == "speed")
    assert speed.difference != 0


def test_the_shares_of_runs_that_reached_the_target_are_those_of_each_side() -> None:
    """They tell whether a factor of speed is a measurement; other boards have none."""
    old, new = make_study({"alpha": -9.0}), make_study({"alpha": 3.0}, noise=0.01)
    alpha, _ = compare_studies(old, new).rows
    (speed,) = (each for each in alpha.boards if each.board == "speed")
    assert speed.solved == (0.0, 1.0)
    assert speed.solved_by_faster_first == (1.0, 0.0)
    assert replace(speed, difference=-1.0).solved_by_faster_first == (0.0, 1.0)
    assert {each.solved for each in alpha.boards if each.board != "speed"} == {None}


def test_a_pair_of_many_is_not_corrected_and_says_so() -> None:
    """A pair that is picked after the results were seen has no error rate of 5%."""
    cells = make_cells(("alpha", "beta", "gamma"), replicates=4)
    study = Study("synthetic", StudyProtocol(), tuple(cells))
    (warning,) = study.compare("alpha", "beta").warnings
    assert warning.startswith("one pair of the 3 of the study, without a correction")
    assert "chosen before the results were seen" in warning


def test_a_study_that_was_analysed_at_looks_is_compared_at_them() -> None:
    """The levels of all looks add up to 5%, so a pair has the verdict of its board."""
    looks = tuple(planned_looks([4, 8], 32))
    study = replace(make_study({"beta": 0.05}, replicates=8, noise=0.3), looks=looks)
    comparison = study.compare("alpha", "beta")
    pair = study.leaderboard.boards[0].pair("alpha", "beta")
    assert comparison.level == pytest.approx(1 - looks[-1].level)
    assert comparison.rows[0].verdict() in (pair.verdict, "worse")
    assert comparison.rows[0].boards[0].p_adjusted == pytest.approx(pair.p_adjusted)
    assert comparison.warnings == tuple(looks_notes(looks))


def test_studies_that_stopped_by_their_results_are_compared_at_a_lower_level() -> None:
    """Which look was the last one depends on the results, so none may claim the whole 5%."""
    looks = tuple(planned_looks([4, 8], 32))
    grown, fixed = replace(make_study(replicates=8), looks=looks), make_study(replicates=8)
    least = min(look.level for look in looks)
    assert compare_studies(grown, fixed).level == pytest.approx(1 - least)
    assert compare_studies(grown, grown).level == pytest.approx(1 - least)
    other = replace(fixed, looks=tuple(planned_looks([4, 8], 16)))
    assert compare_studies(grown, other).level == pytest.approx(1 - least / 2)
    level = f"several looks: verdicts are reached at a level of {100 * least:.1f}% instead of 5%"
    assert level in compare_studies(grown, fixed).warnings[0]
    assert compare_studies(fixed, fixed).level == 0.95


def test_a_study_that_ended_earlier_at_the_same_looks_halves_no_level() -> None:
    """The levels of all looks at which both may have ended add up to 5% as they are."""
    looks = tuple(planned_looks([4, 8, 16], 32))
    study = make_study(replicates=8)
    early, late = (replace(study, looks=looks[:n]) for n in (2, 3))
    least = min(look.level for look in looks)
    assert compare_studies(early, late).level == pytest.approx(1 - least)
    extended = replace(study, looks=tuple(extended_looks(extended_looks(FIXED, 6), 8)))
    (warning,) = compare_studies(study, extended).warnings
    assert "level of 1.2% instead of 5%, and those of all looks" in warning
    assert warning.endswith("add up to 8.8%")


def test_what_cannot_be_tested_is_named() -> None:
    """With one replicate nothing can; the names are those of the rows."""
    one = make_study(replicates=1)
    assert compare_studies(one, one).untested() == ["alpha", "beta"]
    assert compare_studies(make_study(), make_study()).untested(BOARD_NAMES) == []


def test_machines_that_round_otherwise_are_named() -> None:
    """A BLAS library with another kernel is a warning; another processor alone is none."""
    here, there = (
        replace(make_study(), environment={"processor": name, "blas": f"openblas {name}"})
        for name in ("Haswell", "SkylakeX")
    )
    (warning,) = compare_studies(here, there).warnings
    assert warning.startswith("BLAS is openblas Haswell on one and openblas SkylakeX on the other")
    same = replace(there, environment={"processor": "SkylakeX", "blas": "openblas Haswell"})
    assert compare_studies(here, same).warnings == ()


def test_fixed_rates_are_compared_on_stability_by_their_lost_runs() -> None:
    """Before and after a change, also where the other optimizers of the studies are tuned."""
    fixed = ("momentum[lr=0.1]",)
    study = optbench.compare(
        ["sgd", *fixed], datasets="iris", regimes="mini-batch", epochs=10, replicates=2, seeds=2
    )
    (row,) = (row for row in compare_studies(study, study).rows if row.optimizer in fixed)
    (stability,) = (each for each in row.boards if each.board == "stability")
    assert (stability.difference, stability.verdict) == (0, "equal")


def test_a_target_that_neither_side_reaches_does_not_fail_a_gate() -> None:
    """There is nothing to compare, before and after; a target that was reached before is judged."""
    slow = make_study(skill={"alpha": -9.0})
    comparison = compare_studies(slow, slow)
    (alpha,) = (row for row in comparison.rows if row.optimizer == "alpha")
    speed = next(each for each in alpha.boards if each.board == "speed")
    assert (speed.at_floor, speed.verdict) == (True, "open")
    assert comparison.untested(BOARD_NAMES) == []
    assert "alpha" in compare_studies(make_study(), slow).worse(["speed"])


def test_a_side_that_does_no_better_than_guessing_has_no_stability() -> None:
    """B cannot be worse than A that learned nothing; B that learned nothing is not judged."""
    learned, idle = make_study(), make_study({"alpha": -9.0})
    before, after = compare_studies(idle, learned), compare_studies(learned, idle)
    for comparison, side in ((before, "A"), (after, "B")):
        alpha = next(row for row in comparison.rows if row.optimizer == "alpha")
        stability = next(each for each in alpha.boards if each.board == "stability")
        assert (stability.idle, stability.difference) == ((side,), None)
        assert stability.verdict == "open"
    assert before.untested(["stability"]) == before.worse(["stability"]) == []
    assert after.untested(["stability"]) == after.idle(["stability"]) == ["alpha"]
    assert after.worse(["final-loss"]) == ["alpha"]
    assert compare_studies(idle, idle).untested(["stability"]) == []
