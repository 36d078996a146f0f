"""Families of pairs: all of them, those with a baseline, and those without further results."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from optbench.analysis import build_leaderboard
from optbench.analysis.board_records import BoardPair, select_boards
from optbench.analysis.boards.board_looks import open_pairs
from optbench.analysis.boards.board_pairs import Sample, Stage, baseline_pairs, every_pair
from optbench.analysis.statistics.spending import planned_looks
from optbench.contracts import Array
from optbench.errors import ConfigError
from optbench.records import ALPHA, REGIONS, Criteria, StudyProtocol
from tests.analysis.boards.test_board_tables import TARGETS
from tests.analysis.synthetic import make_cells

LABELS = ("alpha", "beta", "gamma")


def sample_of(values: Array, before: int = 0) -> Sample:
    """A sample of entrants a, b, ... with the given values."""
    known = np.isfinite(values[:, :, before:]).reshape(len(values), -1).astype(float)
    return Sample(
        labels=[chr(ord("a") + i) for i in range(len(values))],
        values=values,
        clusters=range(values.shape[1]),
        least_errors=np.zeros(len(values)),
        is_above_floor=np.ones(len(values), dtype=bool),
        common=np.full((len(values), len(values)), values.shape[-1]),
        identical=np.eye(len(values), dtype=bool),
        grown=known @ known.T > 0,
        unit="replicate",
        unit_seconds=1.0,
    )


def pair_of(pairs: tuple[BoardPair, ...], *names: str) -> BoardPair:
    return next(pair for pair in pairs if {pair.first, pair.second} == set(names))


def test_a_baseline_has_a_pair_with_everyone_else() -> None:
    """On every board; estimates and intervals are those of all pairs."""
    cells = make_cells(LABELS, trials=2, seeds=2, replicates=6, tuning_noise=0.1)
    boards = build_leaderboard(
        cells, StudyProtocol(), TARGETS, criteria=Criteria(baseline="beta")
    ).boards
    for board in boards:
        assert board.baseline is not None
        assert board.baseline.label == "beta"
        assert len(board.baseline.pairs) == 2
        for pair in board.baseline.pairs:
            same = board.pair(pair.first, pair.second)
            assert (pair.difference, pair.low, pair.high) == (same.difference, same.low, same.high)
    plain = build_leaderboard(cells, StudyProtocol(), TARGETS).boards
    assert all(board.baseline is None for board in plain)
    assert [board.pairs for board in plain] == [board.pairs for board in boards]


def test_an_unknown_baseline_is_answered_with_the_nearest_entrant() -> None:
    """Before anything is compared."""
    cells = make_cells(LABELS, trials=2, seeds=2)
    with pytest.raises(ConfigError, match="baseline 'alphaa'; did you mean 'alpha'"):
        build_leaderboard(cells, StudyProtocol(), TARGETS, criteria=Criteria(baseline="alphaa"))


def test_a_study_with_a_baseline_waits_for_its_pairs_only() -> None:
    """Other pairs may stay open."""
    cells = make_cells(LABELS, trials=2, seeds=2, replicates=4, tuning_noise=0.5, noise=0.5)
    boards = build_leaderboard(
        cells, StudyProtocol(), TARGETS, criteria=Criteria(baseline="beta")
    ).boards
    pairs = open_pairs(boards)
    assert set(pairs) == {"final-loss", "speed"}
    assert all("beta" in pair for board in pairs.values() for pair in board)


def test_fewer_comparisons_decide_more() -> None:
    """With five entrants, a baseline has four pairs instead of ten."""
    rng = np.random.default_rng(0)
    counts = np.zeros(2)
    for _ in range(100):
        values = 0.05 * rng.normal(size=(5, 3, 6))
        values[0] += 0.07
        sample, order, stage = sample_of(values), np.arange(5), Stage(ALPHA, 6)
        among_all = every_pair(sample, order, 0.001, stage)
        with_baseline = baseline_pairs(sample, order, 0, 0.001, stage)
        for i, pairs in enumerate((among_all, with_baseline)):
            counts[i] += sum(
                pair.verdict == "better" for pair in pairs if "a" in (pair.first, pair.second)
            )
    assert counts[1] > counts[0] > 0


def test_a_pair_without_further_results_is_not_tested_again() -> None:
    """At a later look with a higher level it would be claimed from the data of the earlier one."""
    rng = np.random.default_rng(2)
    values = rng.normal(size=(3, 3, 8))
    values[0] += 1.6
    values[:2, :, 4:] = np.nan  # a and b got no further runs
    first = every_pair(sample_of(values[..., :4]), np.arange(3), 0.1, Stage(1e-9, 4))
    again = Stage(0.5, 8, first)
    pair = pair_of(every_pair(sample_of(values, before=4), np.arange(3), 0.1, again), "a", "b")
    assert pair.p is not None
    assert pair.p < 0.1
    assert pair.verdict == "open"
    assert pair.p_adjusted == pair_of(first, "a", "b").p_adjusted
    anew = every_pair(sample_of(values), np.arange(3), 0.1, Stage(0.5, 8))
    assert pair_of(anew, "a", "b").verdict == "better"


def test_few_runs_without_a_loss_leave_everyone_a_candidate_for_stability() -> None:
    """Who may be the best is tested with the same standard errors as the pairs."""
    cells = make_cells(LABELS, ("iris",), trials=4, seeds=2, replicates=4)
    for board in build_leaderboard(cells, StudyProtocol(), TARGETS).boards:
        if board.name == "stability" and all(pair.verdict == "open" for pair in board.pairs):
            assert all(row.may_be_best for row in board.rows)
            break
    else:
        pytest.fail("the example should leave stability open")


def test_verdicts_against_a_baseline_stand_over_looks() -> None:
    """They are carried over as those of all pairs are."""
    cells = make_cells(
        LABELS, trials=2, seeds=2, replicates=8, skill={"gamma": 1.0}, tuning_noise=0.2
    )
    boards = build_leaderboard(
        cells,
        StudyProtocol(),
        TARGETS,
        criteria=Criteria(baseline="alpha"),
        looks=planned_looks([4, 8], 8),
    ).boards
    assert boards[0].baseline is not None
    pair = pair_of(boards[0].baseline.pairs, "gamma", "alpha")
    assert (pair.first, pair.verdict, pair.decided_at) == ("gamma", "better", 4)


def test_a_wider_region_makes_more_pairs_equal_and_changes_nothing_else() -> None:
    """Half and double the region: what is equal stays equal, and no estimate or p-value moves."""
    cells = make_cells(LABELS, trials=2, seeds=3, replicates=6, tuning_noise=0.2, noise=0.2)
    equal: set[object] = set()
    evidence, sizes = [], []
    for factor in (0.5, 1.0, 2.0, 4.0, 8.0):
        criteria = Criteria(regions={name: factor * width for name, width in REGIONS.items()})
        boards = build_leaderboard(cells, StudyProtocol(), TARGETS, criteria=criteria).boards
        evidence.append(
            {
                (b.name, b.regime, b.statement, frozenset((p.first, p.second))): (
                    abs(p.difference or 0.0),
                    p.p_adjusted,
                )
                for b in boards
                for p in b.pairs
            }
        )
        now: set[object] = {
            (b.name, b.regime, b.statement, frozenset((p.first, p.second)))
            for b in boards
            for p in b.pairs
            if p.verdict == "equal"
        }
        assert equal <= now
        equal = now
        sizes.append(len(now))
    assert evidence == evidence[:1] * 5
    assert sizes[0] < sizes[-1]


def test_two_entrants_on_the_floor_have_no_verdict() -> None:
    """Nothing was measured of either; the other pairs keep their p-values and verdicts."""
    rng = np.random.default_rng(0)
    values = np.zeros((4, 3, 6))
    values[:2] = 0.5 + 0.01 * rng.standard_normal((2, 3, 6))
    sample = sample_of(values)
    floored = replace(sample, is_above_floor=np.array([True, True, False, False]))
    everyone, some = (every_pair(s, np.arange(4), 0.1, Stage(ALPHA, 6)) for s in (sample, floored))
    assert pair_of(everyone, "c", "d").verdict == "equal"
    pair = pair_of(some, "c", "d")
    assert (pair.verdict, pair.needs, pair.difference, pair.low) == ("open", None, None, None)
    for before, after in zip(everyone, some, strict=True):
        if {after.first, after.second} != {"c", "d"}:
            assert (after.verdict, after.p_adjusted) == (before.verdict, before.p_adjusted)
    assert pair_of(some, "a", "b").verdict == "equal"


def test_a_study_does_not_wait_for_pairs_on_the_floor() -> None:
    """Equal entrants that reach their target are equal; without a target reached, none is."""
    cells = make_cells(LABELS, trials=2, seeds=2, replicates=6, noise=0.001, workload_noise=0.0)
    reached = build_leaderboard(cells, StudyProtocol(), TARGETS).boards
    unreachable = {
        key: msgspec.structs.replace(target, easy=1e-9, medium=1e-9, hard=1e-9)
        for key, target in TARGETS.items()
    }
    missed = build_leaderboard(cells, StudyProtocol(), unreachable).boards
    (before, after) = (select_boards(each)[2] for each in (reached, missed))
    assert {pair.verdict for pair in before.pairs} <= {"equal", "better"}
    assert {pair.verdict for pair in after.pairs} == {"open"}
    assert open_pairs(missed)["speed"] == []
