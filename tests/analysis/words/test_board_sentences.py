"""Boards in words: sentences follow from the pairs, and say what would decide the open ones."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optbench.analysis import build_leaderboard
from optbench.analysis.board_records import Baseline, Board, Needs, PairVerdict, select_boards
from optbench.analysis.statistics.spending import planned_looks
from optbench.analysis.words.board_sentences import (
    baseline_sentence,
    board_sentence,
    entrant_sentence,
    equal_groups,
    joint_needs,
)
from optbench.analysis.words.board_text import (
    difference_interval,
    difference_text,
    evidence_texts,
    interval_level,
    needs_text,
    region_text,
    statement_title,
    value_text,
)
from optbench.records import BOARD_NAMES, StudyProtocol
from optbench.report.format.board_layout import assign_lanes, value_limits, verdict_matrix
from optbench.suites import Target
from optbench.support.durations import duration_text
from tests.analysis.synthetic import make_cells
from tests.report.board_samples import make_board, make_boards


def near(*means: float, spread: float = 0.004, replicates: int = 6) -> dict[str, list[float]]:
    """Values of entrants a, b, ... around their means."""
    rng = np.random.default_rng(0)
    noise = spread * rng.standard_normal((len(means), replicates))
    return {
        chr(97 + i): list(mean + row)
        for i, (mean, row) in enumerate(zip(means, noise, strict=True))
    }


def test_the_first_is_named_only_where_it_beats_everyone() -> None:
    """One entrant above all others leads; where a pair is open, all candidates are named."""
    assert board_sentence(make_board(near(0.9, 0.8, 0.7))) == "a has the lowest test loss."
    open_board = make_board(near(0.9, 0.88, 0.7, spread=0.03))
    assert board_sentence(open_board).startswith(
        "a or b has the lowest test loss. Open: a against b; to decide: "
    )


def test_the_only_candidate_may_have_an_open_pair() -> None:
    """Who may be the best is tested on one side; the sentence says so and does not conflict."""
    board = make_board(near(0.9, 0.88, 0.7, spread=0.03))
    first, *others = board.rows
    others = [msgspec.structs.replace(row, may_be_best=False) for row in others]
    board = msgspec.structs.replace(board, rows=(first, *others))
    assert board_sentence(board).startswith(
        "a has the lowest test loss by one-sided tests (pairs are tested on both sides). "
        "Open: a against b; "
    )


def test_speed_is_a_ratio() -> None:
    """A lead in speed is said as how many times sooner the target is reached."""
    board = make_board(near(3.0, 2.0, 0.0), "speed")
    assert board_sentence(board) == "a is fastest, 2.0x sooner than b."
    assert value_text("speed", 2.0) == "25%"
    assert difference_text("speed", -1.0) == "2.0x later"
    assert difference_text("speed", 21.0) == "above 1000x sooner"
    assert region_text(board) == "within 10%"


def test_a_factor_made_of_misses_is_a_bound_or_nothing() -> None:
    """A miss counts as a fixed cost: the slower one may be slower still, and so may the faster."""

    def with_solved(*shares: float) -> Board:
        board = make_board(near(3.0, 2.0), "speed")
        rows = tuple(
            msgspec.structs.replace(row, details={"solved": share})
            for row, share in zip(board.rows, shares, strict=True)
        )
        return msgspec.structs.replace(board, rows=rows)

    assert board_sentence(with_solved(1.0, 1.0)) == "a is fastest, 2.0x sooner than b."
    bound = with_solved(1.0, 0.9)
    assert board_sentence(bound) == "a is fastest, at least 2.0x sooner than b."
    assert entrant_sentence(bound, "a").endswith("better than b (at least 2.0x sooner)")
    assert entrant_sentence(bound, "b").endswith("behind a (at least 2.0x later)")
    assert evidence_texts(bound, bound.pairs[0])[0] == "at least 2.0x sooner"
    unknown = with_solved(0.9, 0.5)
    assert board_sentence(unknown) == "a is fastest."
    assert entrant_sentence(unknown, "b").endswith("behind a")
    assert evidence_texts(unknown, unknown.pairs[0])[0] == "–"


def test_ratios_near_1_have_two_decimals() -> None:
    """An interval has the same number on both sides, and no difference is sooner by nothing."""
    assert difference_text("speed", 0.03) == difference_text("speed", -0.03) == "as fast"
    assert difference_text("speed", 0.1) == "1.1x sooner"
    assert difference_interval("speed", -0.06, 0.06) == "0.96x to 1.04x"
    assert difference_interval("speed", 0.02, 1.2) == "1.01x to 2.30x"  # it is above 1
    assert difference_interval("speed", 0.4, 2.0) == "1.3x to 4.0x"
    assert difference_interval("speed", -9.0, 11.0) == "below 0.01x to above 1000x"


def test_nobody_leads_where_all_are_equal() -> None:
    """Even where one-sided tests leave a single candidate."""
    board = make_board(near(0.9, 0.899, 0.898, spread=0.001))
    assert [row.may_be_best for row in board.rows].count(True) >= 1
    assert {pair.verdict for pair in board.pairs} == {"equal"}
    first, *others = board.rows
    others = [msgspec.structs.replace(row, may_be_best=False) for row in others]
    for rows in (board.rows, (first, *others)):
        board = msgspec.structs.replace(board, rows=tuple(rows))
        assert board_sentence(board) == "All 3 are equal within 0.03."


def test_nobody_leads_who_never_reached_the_target() -> None:
    """The other candidates may be fastest, and an open pair with one on the floor counts."""
    board = make_board(near(1.9, 1.5, 0.7, spread=1.0, replicates=3), "speed")
    assert {pair.verdict for pair in board.pairs} == {"open"}
    rows = [
        msgspec.structs.replace(row, may_be_best=True, runs=4, details={"solved": share})
        for row, share in zip(board.rows, (0.5, 0.5, 0.0), strict=True)
    ]
    board = msgspec.structs.replace(board, rows=tuple(rows))
    assert board_sentence(board).startswith("a or b may be fastest. Open: 3 of 3 pairs")
    assert board_sentence(board).endswith("Never reached the target: c (0 of 4 runs).")
    rows = [rows[0], *(msgspec.structs.replace(row, may_be_best=False) for row in rows[1:])]
    decided = [
        msgspec.structs.replace(pair, verdict="better" if pair.second == "b" else "open")
        for pair in board.pairs
    ]
    board = msgspec.structs.replace(board, rows=tuple(rows), pairs=tuple(decided))
    expected = "a is fastest by one-sided tests (pairs are tested on both sides). Open: "
    assert board_sentence(board).startswith(expected)


def test_equal_entrants_are_grouped() -> None:
    """Entrants that are pairwise equal are one group; groups may overlap, and none is inside."""
    board = make_board(near(0.91, 0.9, 0.61, 0.6, spread=0.002))
    assert equal_groups(board) == [(0, 1), (2, 3)]
    assert "Equal within 0.03: a and b; c and d" in board_sentence(board)
    both = make_board(near(0.9, 0.9))
    assert board_sentence(both) == "Both are equal within 0.03."
    everyone = make_board(near(0.9, 0.9, 0.9))
    assert board_sentence(everyone).endswith("All 3 are equal within 0.03.")


@given(st.lists(st.sampled_from(["equal", "open"]), min_size=10, max_size=10))
def test_groups_are_the_maximal_runs_of_equal_rows(verdicts: list[PairVerdict]) -> None:
    """By brute force: every run of rows that are pairwise equal lies inside one group."""
    board = make_board(near(0.9, 0.8, 0.7, 0.6, 0.5))
    pairs = tuple(
        msgspec.structs.replace(pair, verdict=verdict)
        for pair, verdict in zip(board.pairs, verdicts, strict=True)
    )
    board = msgspec.structs.replace(board, pairs=pairs)
    equal = {(p.first, p.second) for p in pairs if p.verdict == "equal"}
    names = [row.label for row in board.rows]
    runs = [
        (i, j)
        for i, j in itertools.combinations(range(5), 2)
        if all(pair in equal for pair in itertools.combinations(names[i : j + 1], 2))
    ]
    maximal = [
        (i, j) for i, j in runs if not any((a, b) != (i, j) and a <= i and j <= b for a, b in runs)
    ]
    groups = equal_groups(board)
    assert groups == maximal
    lanes = assign_lanes(groups)
    for (one, lane), (other, other_lane) in itertools.combinations(
        zip(groups, lanes, strict=True), 2
    ):
        assert lane != other_lane or one[1] < other[0] or other[1] < one[0]


def test_the_matrix_mirrors_the_pairs() -> None:
    """Better on one side of the diagonal is worse on the other; equal and open are on both."""
    rows = verdict_matrix(make_board(near(0.9, 0.899, 0.5)))
    assert rows == [" =>", "= >", "<< "]


def test_one_replicate_gives_a_reason_and_no_verdict() -> None:
    """Without intervals, the sentence is the board's note."""
    board = make_board(near(0.9, 0.5, replicates=1))
    assert board_sentence(board) == board.note
    bare = msgspec.structs.replace(board, note="")
    assert board_sentence(bare) == "No verdicts: there is only one replicate."


def test_needs_are_enough_for_every_open_pair() -> None:
    """The largest number counts for every entrant of an open pair, and so does its time."""
    pair = make_board(near(0.9, 0.8)).pairs[0]
    needs = [Needs(replicates=8, seconds=20.0), Needs(replicates=30, seconds=400.0)]
    pairs = [
        msgspec.structs.replace(pair, second=second, needs=need)
        for second, need in zip(("b", "c"), needs, strict=True)
    ]
    assert needs_text(joint_needs(pairs)) == "30 replicates, about 6.7m more"
    assert needs_text(Needs(workloads=2), "dataset") == "2 datasets"
    assert needs_text(Needs(), "replicate") == "more than 512 replicates"
    assert needs_text(None) == ""
    assert [duration_text(s) for s in (0.2, 50, 7200, 1e9)] == [
        "1s",
        "50s",
        "2h",
        "more than 100h",
    ]


def test_the_two_statements_have_names_of_their_own() -> None:
    """Boards on these workloads say how many; boards of a regime say which."""
    boards = make_boards(["a", "b"], regimes=("sgd",))
    assert statement_title(select_boards(boards)) == "On these 9 workloads"
    regime = select_boards(boards, regime="sgd")
    assert statement_title(regime) == "On these 3 workloads in single examples"
    likes = select_boards(boards, "workloads-like-these")
    assert statement_title(likes) == "On workloads like these"
    assert [board.name for board in likes] == list(BOARD_NAMES)


def test_limits_hold_every_interval() -> None:
    """Values without intervals, and equal values, have an axis of some length too."""
    for board in make_boards(["a", "b", "c"]):
        low, high = value_limits(board.rows)
        ends = [v for r in board.rows for v in (r.low, r.value, r.high) if v is not None]
        assert len(ends) == 9
        assert low < min(ends) <= max(ends) < high
    single: Board = make_board({"a": [0.5]})
    low, high = value_limits(single.rows)
    assert low < 0.5 < high


def test_the_baseline_is_compared_as_the_others_see_it() -> None:
    """Better, worse, equal and open ones are named, with their difference from the baseline."""
    board = make_board(near(0.9, 0.8, 0.799, 0.7, spread=0.002))
    pairs = tuple(pair for pair in board.pairs if "b" in (pair.first, pair.second))
    against = msgspec.structs.replace(board, baseline=Baseline(label="b", pairs=pairs))
    assert baseline_sentence(board) == ""
    sentence = baseline_sentence(against)
    assert sentence.startswith("Against b: better: a (+0.")
    assert "; worse: d (-0." in sentence
    assert sentence.endswith("; equal within 0.03: c.")
    on_speed = make_board(near(3.0, 2.0, spread=0.002), "speed")
    on_speed = msgspec.structs.replace(on_speed, baseline=Baseline(label="a", pairs=on_speed.pairs))
    assert baseline_sentence(on_speed) == "Against a: worse: b (2.0x later)."


def test_legends_have_the_level_of_the_last_look() -> None:
    """A study that is analysed at several looks has wider intervals than 95%."""
    board = make_board(near(0.9, 0.8))
    assert interval_level(board) == "95%"
    looks = tuple(planned_looks([4, 8, 16, 32], 32))
    assert interval_level(msgspec.structs.replace(board, looks=looks[:2])) == "99.2%"


def test_a_target_that_nobody_reached_is_told_with_the_number_of_runs() -> None:
    """The runs of all entrants on all workloads are counted."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch", "sgd"), seeds=3, replicates=2)
    workload = cells[0].workload
    targets = {(workload.dataset, workload.network): Target(easy=1e-9, medium=1e-9, hard=1e-9)}
    board = build_leaderboard(cells, StudyProtocol(replicates=2), targets)
    speed = next(each for each in board.boards if each.name == "speed")
    expected = "No entrant reached the target in any of 24 runs: nothing to compare."
    assert board_sentence(speed) == expected
