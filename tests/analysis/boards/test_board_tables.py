"""Boards of studies with known truth: order, verdicts, places, and what does not change them."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from optbench.analysis import build_leaderboard
from optbench.analysis.board_records import Board
from optbench.analysis.boards.board_values import VALUE_RANGES
from optbench.analysis.words.board_sentences import board_sentence
from optbench.records import BOARD_NAMES, Cell, Criteria, StudyProtocol
from optbench.suites import Target, Targets
from tests.analysis.synthetic import make_cells

LABELS = ("alpha", "beta", "gamma", "delta", "epsilon")
TARGETS: Targets = {
    (dataset, "32-32 relu"): Target(
        easy=0.8, medium=0.6, hard=0.4, best_train=0.05, best_val=0.05, best_test=0.05
    )
    for dataset in ("moons", "iris", "digits")
}


def cells_of(**options: object) -> list[Cell]:
    return make_cells(
        **{"labels": LABELS, "trials": 3, "seeds": 3, "replicates": 6, **options}  # type: ignore[arg-type]
    )


def boards(cells: list[Cell], targets: Targets | None = None, drawn: bool = False) -> list[Board]:
    board = build_leaderboard(
        cells, StudyProtocol(), TARGETS if targets is None else targets, drawn=drawn
    )
    return list(board.boards)


def first_board(
    cells: list[Cell], name: str = "final-loss", statement: str = "these-workloads"
) -> Board:
    return next(
        b for b in boards(cells) if (b.name, b.statement, b.regime) == (name, statement, None)
    )


def test_every_name_has_both_statements_and_each_regime() -> None:
    """Four boards x two statements over everything, then four boards for each regime."""
    keys = [(b.name, b.statement, b.regime) for b in boards(cells_of())]
    assert keys[:8] == [
        (n, s, None) for n in BOARD_NAMES for s in ("these-workloads", "workloads-like-these")
    ]
    assert keys[8:] == [
        (n, "these-workloads", r) for r in ("batch", "mini-batch", "sgd") for n in BOARD_NAMES
    ]
    assert len(boards(cells_of(regimes=("sgd",)))) == 8


def test_units_are_replicates_or_datasets() -> None:
    """Never runs: seeds under one tuning are not independent evidence."""
    overall, population, *_ = boards(cells_of())
    assert (overall.unit, overall.units, overall.workloads) == ("replicate", 6, 9)
    assert (population.unit, population.units) == ("dataset", 3)
    drawn = boards(cells_of(), drawn=True)[1]
    assert (drawn.unit, drawn.units) == ("drawn workload", 9)


def test_a_better_optimizer_is_better_and_first() -> None:
    """Everything on the board is of the same means: order, pairs, places, letters."""
    board = first_board(cells_of(skill={"gamma": 0.5}))
    assert board.rows[0].label == "gamma"
    assert board.rows[0].place == (1, 1)
    assert board.rows[0].may_be_best
    assert not any(row.may_be_best for row in board.rows[1:])
    values = {row.label: row.value for row in board.rows}
    for pair in board.pairs:
        assert pair.difference == pytest.approx(values[pair.first] - values[pair.second])  # type: ignore[operator]
        assert pair.difference >= 0  # type: ignore[operator]
        if pair.first == "gamma":
            assert pair.verdict == "better"
            assert pair.low > 0  # type: ignore[operator]
            assert pair.needs is None
    letters = {row.label: set(row.letters) for row in board.rows}
    assert not any(letters["gamma"] & letters[other] for other in LABELS if other != "gamma")


def test_twins_under_two_names_are_equal() -> None:
    """The same results: on every board with enough runs, a finding and not an open question."""
    for board in boards(cells_of(seeds=8, twins={"epsilon": "alpha"})):
        if board.statement == "these-workloads" and board.regime is None:
            pair = board.pair("alpha", "epsilon")
            assert (pair.verdict, pair.difference) == ("equal", 0)
            rows = {row.label: row for row in board.rows}
            assert rows["alpha"].place == rows["epsilon"].place
            assert set(rows["alpha"].letters) & set(rows["epsilon"].letters)


def test_open_pairs_say_what_they_need() -> None:
    """Replicates and seconds on these workloads; workloads on the other statement."""
    cells = cells_of(workload_noise=0.01, noise=0.5, tuning_noise=0.3)
    open_pairs = [p for p in first_board(cells).pairs if p.verdict == "open"]
    needs = [p.needs for p in open_pairs if p.needs and p.needs.replicates]
    assert needs
    assert all(n.replicates > 6 and n.workloads is None and n.seconds > 0 for n in needs)  # type: ignore[operator]
    others = [
        p.needs for p in first_board(cells, statement="workloads-like-these").pairs if p.needs
    ]
    assert all(n.replicates is None for n in others)


def test_one_replicate_has_values_and_no_verdicts() -> None:
    """All pairs are open, all places are from first to last, and the board says why."""
    board = first_board(cells_of(replicates=1, skill={"gamma": 2.0}))
    assert board.rows[0].label == "gamma"
    assert {row.place for row in board.rows} == {(1, 5)}
    assert {row.letters for row in board.rows} == {"a"}
    assert all(row.low is None and row.may_be_best for row in board.rows)
    assert {(p.verdict, p.needs, p.p) for p in board.pairs} == {("open", None, None)}
    assert board.note.startswith("No verdicts: with one replicate")


def test_one_dataset_says_nothing_about_others() -> None:
    """It still has verdicts on its own workloads."""
    cells = cells_of(datasets=("moons",), skill={"gamma": 1.0})
    assert any(p.verdict == "better" for p in first_board(cells).pairs)
    board = first_board(cells, statement="workloads-like-these")
    assert all(p.verdict == "open" for p in board.pairs)
    assert "other datasets" in board.note


def test_two_datasets_say_too_little_about_others() -> None:
    """Three are needed for a verdict, an interval and a forecast; two still have their own."""
    skill = {"gamma": 1.0, "beta": -1.0}
    for datasets, drawn in ((("moons", "iris"), False), (("moons",), True)):
        cells = cells_of(datasets=datasets, regimes=("batch", "sgd"), skill=skill)
        for board in boards(cells, drawn=drawn):
            if board.statement == "these-workloads":
                continue
            unit = "drawn workload" if drawn else "dataset"
            assert (board.unit, board.units) == (unit, 2)
            assert {(p.verdict, p.low, p.p, p.needs) for p in board.pairs} == {
                ("open", None, None, None)
            }
            assert {(row.low, row.high, row.place, row.may_be_best) for row in board.rows} == {
                (None, None, (1, 5), True)
            }
            expected = f"2 {unit}s say too little about other {unit}s; at least 3 are needed."
            assert board.note == f"No verdicts: {expected}"
            assert board_sentence(board) == board.note
    three = first_board(
        cells_of(datasets=("moons", "iris", "digits"), skill=skill),
        statement="workloads-like-these",
    )
    assert all(pair.low is not None for pair in three.pairs)


def test_a_pair_with_two_common_datasets_is_open_on_workloads_like_these() -> None:
    """However many datasets the others have."""
    cells = cells_of(datasets=("moons", "iris", "digits"), skill={"gamma": 2.0})
    cells = [c for c in cells if (c.entrant.label, c.workload.dataset) != ("beta", "iris")]
    board = first_board(cells, statement="workloads-like-these")
    assert board.pair("alpha", "gamma").p is not None
    pair = board.pair("beta", "gamma")
    assert (pair.units, pair.verdict, pair.p, pair.low, pair.needs) == (2, "open", None, None, None)


def test_intervals_end_where_the_possible_values_do() -> None:
    """Two replicates of one workload have one degree of freedom, and t intervals of any length."""
    cells = cells_of(datasets=("moons",), regimes=("batch",), replicates=2, tuning_noise=1.0)
    cut = 0
    for board in boards(cells):
        lowest, highest = VALUE_RANGES[board.name]
        for row in board.rows:
            if row.low is not None and row.high is not None and row.value is not None:
                assert lowest <= row.low <= row.value + 1e-9 <= row.high + 2e-9
                assert row.high <= highest
                cut += row.low == lowest or row.high == highest
        for pair in board.pairs:
            if pair.low is not None and pair.high is not None:
                assert max(-pair.low, pair.high) <= highest - lowest
    assert cut > 10


def test_details_are_means_over_the_units_of_their_values() -> None:
    """A dataset counts once on workloads like these, however many of its workloads there are."""
    cells = cells_of(replicates=2, diverging={"beta": 0.3})
    cells = [c for c in cells if c.workload.dataset != "iris" or c.workload.regime == "batch"]
    for board in boards(cells):
        if board.name == "stability":
            for row in board.rows:
                lost = row.details["lost"]
                assert lost is not None
                assert row.details["regret"] is None  # nothing was tuned
                assert row.value == pytest.approx(1 - lost)
                assert (lost > 0) == (row.label == "beta")


def test_an_entrant_more_moves_no_value_and_no_unadjusted_verdict() -> None:
    """With a frozen scale, others' values, differences and own p-values stay the same."""
    few, many = first_board(cells_of(labels=LABELS[:4])), first_board(cells_of())
    values = {row.label: (row.value, row.low, row.high) for row in many.rows}
    for row in few.rows:
        assert values[row.label] == (row.value, row.low, row.high)
    for pair in few.pairs:
        other = many.pair(pair.first, pair.second)
        assert (pair.difference, pair.low, pair.p) == (other.difference, other.low, other.p)
        assert pair.error == other.error


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_the_order_of_entrants_and_cells_does_not_matter(name: str) -> None:
    """The same study in another order is the same board."""
    cells = cells_of(skill={"gamma": 0.5})
    shuffled = [cells[i] for i in np.random.default_rng(0).permutation(len(cells))]
    a, b = first_board(cells, name), first_board(shuffled, name)
    assert {r.label: (r.place, r.may_be_best) for r in a.rows} == {
        r.label: (r.place, r.may_be_best) for r in b.rows
    }
    for pair in a.pairs:
        assert pair.verdict == b.pair(pair.first, pair.second).verdict
        assert pair.p == pytest.approx(b.pair(pair.first, pair.second).p)


def test_a_partial_entrant_is_compared_where_both_were() -> None:
    """Its row says on how many workloads it rests."""
    cells = [
        cell
        for cell in cells_of(skill={"gamma": 0.5})
        if cell.entrant.label != "beta" or cell.workload.dataset != "digits"
    ]
    board = first_board(cells)
    rows = {row.label: row for row in board.rows}
    assert (rows["beta"].workloads, rows["alpha"].workloads) == (6, 9)
    common = first_board([c for c in cells if c.workload.dataset != "digits"])
    assert board.pair("alpha", "beta").difference == pytest.approx(
        common.pair("alpha", "beta").difference
    )


def test_values_without_a_frozen_scale_are_marked() -> None:
    """The board says which datasets it took the scale of from the study itself."""
    notes = [board.note for board in boards(cells_of(), targets={})]
    assert all("No frozen" in note for note in notes)
    assert not any("No frozen" in board.note for board in boards(cells_of()))


def test_the_region_can_be_set() -> None:
    """A wide region makes pairs equal."""
    board = build_leaderboard(
        cells_of(workload_noise=0.01),
        StudyProtocol(),
        TARGETS,
        criteria=Criteria(regions={"final-loss": 0.5}),
    ).boards[0]
    assert board.region == 0.5
    assert {p.verdict for p in board.pairs} == {"equal"}


def test_no_number_is_nan_even_if_cells_are_missing_or_lost() -> None:
    """Unknown numbers are None in every record."""
    cells = cells_of(diverging={"beta": 1.0}, replicates=2)
    cells = [c for c in cells if c.entrant.label != "alpha" or c.replicate == 0]
    cells = [c if c.entrant.label != "delta" else dataclasses.replace(c, trials=()) for c in cells]
    text = msgspec.json.encode(boards(cells, targets={}))
    assert b"NaN" not in text
    for board in msgspec.json.decode(text):
        if board["statement"] == "these-workloads":
            own = [p for p in board["pairs"] if "alpha" in (p["first"], p["second"])]
            assert {p["verdict"] for p in own} == {"open"}


def test_a_partial_entrant_is_not_the_best_of_workloads_that_it_missed() -> None:
    """However far ahead on the others: it is listed last, and puts no other entrant out."""
    cells = cells_of(skill={"gamma": 0.5}, workload_noise=0.0)
    partly = [
        cell for cell in cells if cell.entrant.label != "gamma" or cell.workload.dataset == "digits"
    ]
    board = first_board(partly)
    alone = first_board([cell for cell in cells if cell.entrant.label != "gamma"])
    assert board.rows[-1].label == "gamma"
    assert board.pair("gamma", "alpha").verdict == "better"
    leading = {row.label: row.may_be_best for row in board.rows}
    assert leading == {**{row.label: row.may_be_best for row in alone.rows}, "gamma": False}
    assert "Ranked last because of missing workloads: gamma. Pairs with it use" in board.note
