"""From cells to the leaderboard: whole studies with known truth."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from optbench.analysis import Leaderboard, build_leaderboard, from_json, to_json
from optbench.analysis.board_records import Board
from optbench.analysis.cost_axes import COST_AXES
from optbench.analysis.derived_targets import derive_targets
from optbench.analysis.leaderboard import DIGITS
from optbench.errors import ConfigError
from optbench.records import Cell, Status, StudyProtocol
from optbench.suites import LEVELS, Target
from tests.analysis.synthetic import INITIAL, make_cells
from tests.records.factories import empty_curve

QUICK = ("alpha", "beta", "gamma", "delta", "epsilon")


def build(cells: list[Cell], **options: Any) -> Leaderboard:
    return build_leaderboard(cells, StudyProtocol(), **options)


def final_loss(board: Leaderboard) -> Board:
    """Return the first board: final loss on these workloads."""
    return board.boards[0]


def texts(board: Leaderboard) -> str:
    return "\n".join(v.text for v in board.verdicts)


def test_an_optimizer_entered_twice_is_equal_to_itself() -> None:
    """Under two names it has the same score and place, and the pair differs on no board."""
    board = build(make_cells(QUICK, skill={"gamma": 0.5}, twins={"epsilon": "alpha"}, replicates=4))
    rows = {row.label: row for row in board.overall}
    assert set(rows["alpha"].tie_groups) & set(rows["epsilon"].tie_groups)
    assert rows["alpha"].score == rows["epsilon"].score
    assert rows["alpha"].place == rows["epsilon"].place
    for each in board.boards:
        pair = each.pair("epsilon", "alpha")
        rows_of_twins = [row for row in each.rows if row.label in ("epsilon", "alpha")]
        if all(row.is_at_floor(each.name) for row in rows_of_twins):
            assert (pair.difference, pair.verdict) == (None, "open")
            continue
        assert pair.difference == 0
        assert pair.verdict == "equal"


def test_a_planted_better_optimizer_is_better_than_all_others() -> None:
    """In a study of the size of the quick suite it has the first place, and shares no letter."""
    board = build(make_cells(QUICK, skill={"gamma": 0.5}, workload_noise=0.0, replicates=6))
    first = board.overall[0]
    assert (first.label, first.place) == ("gamma", (1, 1))
    pairs = [p for p in final_loss(board).pairs if "gamma" in (p.first, p.second)]
    assert [(p.first, p.verdict) for p in pairs] == [("gamma", "better")] * 4
    assert not any(set(first.tie_groups) & set(row.tie_groups) for row in board.overall[1:])
    assert "gamma has the lowest test loss" in board.verdicts[0].text


@pytest.mark.parametrize("rng_seed", range(4))
def test_equal_optimizers_share_their_places(rng_seed: int) -> None:
    """Where no entrant is better, places are ranges that reach from the first to the last."""
    cells = make_cells(QUICK, rng_seed=rng_seed, workload_noise=0.0, replicates=4)
    board = build(cells)
    assert all(row.place == (1, 5) for row in board.overall)
    assert {row.tie_groups for row in board.overall} == {"a"}


def test_the_same_cells_give_the_same_leaderboard() -> None:
    """Simulations are seeded: not one digit depends on the call."""
    cells = make_cells(QUICK, diverging={"beta": 0.2})
    assert to_json(build(cells)) == to_json(build(cells))


def test_json_keeps_everything_and_is_strict() -> None:
    """Infinity is the string inf, what is not known is null, and reading gives back the rest."""
    board = build(make_cells(QUICK, diverging={"beta": 0.7}, initializers=("he-normal", "zeros")))
    text = to_json(board)
    assert b'"inf"' in text
    assert b"null" in text
    assert b"NaN" not in text
    assert b"Infinity" not in text
    read = from_json(text)
    assert to_json(read) == text
    assert msgspec.json.encode(read).count(b",") == msgspec.json.encode(board).count(b",")
    exact, short = (numbers_of(msgspec.to_builtins(b)) for b in (board, read))
    assert short == pytest.approx(exact, rel=0.5 * 10 ** (1 - DIGITS), abs=0)
    assert sum(a != b for a, b in zip(short, exact, strict=True)) > 0
    with pytest.raises(msgspec.ValidationError):
        from_json(b"{}")


def test_json_has_six_significant_digits() -> None:
    """No number takes more room than its precision needs; counts are whole."""
    text = to_json(build(make_cells(QUICK)))
    written = re.findall(rb"(?<=[:,\[])-?\d+\.[\d.e+-]*", text)
    fractions = [number for number in written if not number.endswith(b".0")]
    digits = [re.sub(rb"e.*|[-.]", b"", number).strip(b"0") for number in fractions]
    assert max(map(len, digits)) == DIGITS


def numbers_of(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [x for item in value.values() for x in numbers_of(item)]
    if isinstance(value, list | tuple):
        return [x for item in value for x in numbers_of(item)]
    return [value] if isinstance(value, float) else []


def test_no_number_is_ever_nan() -> None:
    """What is not known is None, even when whole cells diverge, fail, or have one seed."""
    cells = make_cells(QUICK, diverging={"beta": 1.0, "gamma": 0.5}, seeds=3)
    cells += make_cells(("alpha", "beta"), datasets=("wine",), diverging={"alpha": 1, "beta": 1})
    cells += make_cells(("zeta",), datasets=("moons",), seeds=1, trials=1)
    for number in numbers_of(msgspec.to_builtins(build(cells))):
        assert not math.isnan(number)


def test_a_diverged_run_is_the_worst_and_never_dropped() -> None:
    """It scores 0, its time is infinite, it is counted, and the sentence says so."""
    board = build(make_cells(("alpha", "beta"), diverging={"beta": 1.0}))
    row = next(r for r in board.overall if r.label == "beta")
    assert row.score.value == 0
    assert row.stability.value == 0
    assert (row.divergence.count, row.divergence.total) == (45, 45)
    assert all(summary.solved == 0 for summary in row.times)
    assert all(summary.ratio == math.inf for summary in row.times)
    cell = next(r for r in board.workloads[0].rows if r.label == "beta")
    assert cell.val_loss.median == math.inf
    assert cell.time.updates == math.inf
    assert cell.log_area.updates == math.inf
    assert cell.seed_spread == math.inf
    assert "beta diverged in 45 of 45 runs" in texts(board)


def test_the_score_is_read_from_the_test_part() -> None:
    """Configurations are selected on validation, so validation does not judge them."""
    cells = [
        replace(cell, evaluation=tuple(replace(r, test_loss=0.9) for r in cell.evaluation))
        if cell.entrant.label == "beta"
        else cell
        for cell in make_cells(("alpha", "beta"), skill={"beta": 1.0})
    ]
    board = build(cells)
    assert [row.label for row in board.overall] == ["alpha", "beta"]
    row = board.workloads[0].rows[1]
    assert row.label == "beta"
    assert row.val_loss.median < board.workloads[0].rows[0].val_loss.median  # type: ignore[operator]


def test_a_run_that_diverges_after_it_reached_the_target_has_missed_it() -> None:
    """Whoever blows up in the end has not solved the problem."""
    cells = [
        replace(cell, evaluation=tuple(replace(r, status=Status.DIVERGED) for r in cell.evaluation))
        if cell.entrant.label == "beta"
        else cell
        for cell in make_cells(("alpha", "beta"))
    ]
    for workload in build(cells).workloads:
        row = next(r for r in workload.rows if r.label == "beta")
        assert (row.reached, row.time.examples) == (0, math.inf)


def test_p_values_are_corrected_for_all_pairs_together() -> None:
    """Ten pairs of five entrants: the adjusted p-value decides, not that of the pair by itself."""
    skill = {"gamma": 0.06, "delta": 0.03}
    cells = make_cells(QUICK, skill=skill, workload_noise=0.0, noise=0.3, replicates=4)
    pairs = final_loss(build(cells)).pairs
    assert len(pairs) == 10
    corrected = 0
    for pair in pairs:
        assert pair.p is not None
        assert pair.p_adjusted is not None
        assert pair.p_adjusted >= pair.p
        assert pair.verdict != "better" or pair.p_adjusted <= 0.05
        corrected += pair.p < 0.05 < pair.p_adjusted
    assert corrected


def test_a_run_that_failed_counts_like_one_that_diverged_and_is_named() -> None:
    """A plugin that raises gets no better place than one that blows up."""
    cells = make_cells(("alpha", "beta"))
    empty = empty_curve()
    broken = [
        replace(
            cell,
            evaluation=tuple(
                replace(r, status=Status.FAILED, reason="ValueError: no", curve=empty)
                for r in cell.evaluation
            ),
        )
        if cell.entrant.label == "beta"
        else cell
        for cell in cells
    ]
    board = build(broken)
    row = board.overall[1]
    assert (row.label, row.failed, row.score.value) == ("beta", 45, 0)
    assert any("beta: 45 runs failed (ValueError: no)" in w for w in board.warnings)


def test_an_entrant_that_misses_workloads_is_marked() -> None:
    """One that exists in full batch only is compared there, and the reader is told."""
    cells = make_cells(QUICK, replicates=2)
    cells += make_cells(("full",), regimes=("batch",), replicates=2)
    board = build(cells)
    row = next(r for r in board.overall if r.label == "full")
    assert (row.workloads, row.partial) == (3, True)
    assert any("full was evaluated on 3 of 9 workloads" in w for w in board.warnings)
    assert board.critical_difference is not None
    assert "full" not in board.critical_difference.labels


def test_a_study_of_few_workloads_has_verdicts() -> None:
    """Replicates are the unit of these workloads, so one workload is enough for a clear case."""
    cells = make_cells(("alpha", "beta"), ("moons",), ("batch",), skill={"beta": 1.0}, replicates=6)
    board = build(cells)
    (pair,) = final_loss(board).pairs
    assert (pair.first, pair.verdict, pair.units) == ("beta", "better", 6)


@pytest.mark.parametrize("replicates", [1, 4])
def test_one_replicate_gives_no_interval(replicates: int) -> None:
    """There is nothing to estimate the variance from: no interval, all pairs open, one reason."""
    board = build(make_cells(QUICK, skill={"gamma": 1.0}, replicates=replicates))
    single = replicates == 1
    assert board.replicates == replicates
    assert all((row.score.low is None) == single for row in board.overall)
    assert all((pair.low is None) == single for pair in final_loss(board).pairs)
    if single:
        assert {pair.verdict for pair in final_loss(board).pairs} == {"open"}
        assert {row.place for row in board.overall} == {(1, 5)}
        assert sum("replicate" in verdict.text for verdict in board.verdicts) >= 1
        assert not any(verdict.label and "better" in verdict.text for verdict in board.verdicts)


def test_times_are_given_on_every_cost_axis() -> None:
    """Updates, examples, epochs and seconds of one moment agree with one another."""
    board = build(make_cells(("alpha", "beta"), regimes=("mini-batch",)))
    row = board.workloads[0].rows[0]
    assert row.time.examples is not None
    assert math.isfinite(row.time.examples)
    assert row.time.updates == pytest.approx(row.time.examples / 32)
    assert row.time.epochs == pytest.approx(row.time.examples / 600)
    assert row.time.seconds == pytest.approx(row.time.examples * 1e-5)
    assert {p.axis for p in board.profiles} == set(COST_AXES)


def test_frozen_targets_are_used_and_derived_ones_marked() -> None:
    """A target from the file wins; where there is none the leaderboard says so."""
    cells = make_cells(("alpha", "beta"), ("moons", "iris"))
    board = build(cells, targets={("moons", "32-32 relu"): Target(easy=0.9, medium=0.77, hard=0.5)})
    targets = {b.workload.dataset: (b.target, b.target_frozen) for b in board.workloads}
    assert targets["moons"] == (0.77, True)
    assert not targets["iris"][1]
    assert any("no frozen target for iris" in w for w in board.warnings)


def test_derived_targets_lie_between_the_first_and_the_best_loss() -> None:
    """Easy, medium, hard at 1/2, 3/4 and 9/10 of the way in log loss, for all regimes alike."""
    cells = make_cells(("alpha", "beta"), ("moons",))
    targets = derive_targets(cells)
    assert set(targets) == {("moons", "32-32 relu")}
    levels = targets["moons", "32-32 relu"]
    low = min(
        float(np.median([np.maximum(c[:-1], c[1:]).min() for c in curves]))
        for curves in ([r.curve["val_loss"] for r in cell.evaluation] for cell in cells)
    )
    way = [math.log(1.1 / levels.loss(x)) / math.log(1.1 / low) for x in LEVELS]
    assert way == pytest.approx([0.5, 0.75, 0.9])
    assert levels.best_val == low


def test_targets_count_from_guessing_and_test_losses_from_the_best_evaluation() -> None:
    """Whatever the initial loss is; runs that know neither have the initial and the final loss."""
    cells = make_cells(("alpha",), ("moons",), ("batch",))
    (plain,) = derive_targets(cells).values()
    known = [
        replace(cell, evaluation=tuple(
            replace(run, guess_val_loss=0.7, best_test_loss=0.9 * run.test_loss)
            for run in cell.evaluation
        ))
        for cell in cells
    ]  # fmt: skip
    (target,) = derive_targets(known).values()
    assert target.best_test == pytest.approx(0.9 * plain.best_test)
    assert target.best_val == plain.best_val
    assert target.easy == pytest.approx(math.sqrt(0.7 * target.best_val))


def test_targets_come_from_several_studies_together() -> None:
    """The same entrant in two studies counts twice; the best of both decides."""
    weak = make_cells(("alpha",), ("moons",))
    strong = make_cells(("alpha",), ("moons",), skill={"alpha": 1.0})
    key = ("moons", "32-32 relu")
    assert derive_targets(weak + strong)[key] == derive_targets(strong + weak)[key]
    assert derive_targets(weak + strong)[key] == derive_targets(strong)[key]
    assert derive_targets(weak)[key].hard > derive_targets(strong)[key].hard


def test_edges_are_marked_in_row_and_warning() -> None:
    """A best trial at the edge after widening may be better than shown."""
    cells = [
        replace(cell, edges={"lr": "high"}) if cell.entrant.label == "beta" else cell
        for cell in make_cells(("alpha", "beta"))
    ]
    board = build(cells)
    row = next(r for r in board.overall if r.label == "beta")
    assert len(row.edges) == 9
    assert any("beta: the best lr lies at the high edge" in w for w in board.warnings)


def test_nothing_is_compared_when_nothing_has_run() -> None:
    """An empty study and an entrant that comes twice are the user's fault, in one line."""
    with pytest.raises(ConfigError, match="no evaluation run"):
        build([])
    with pytest.raises(ConfigError, match="alpha is entered twice on moons"):
        build(make_cells(("alpha",), ("moons",), ("batch",)) * 2)


def test_one_entrant_by_itself_has_a_leaderboard_too() -> None:
    """Without another entrant, there is a score and no pair."""
    board = build(make_cells(("alpha",), ("moons",), ("batch",)))
    assert all(each.pairs == () for each in board.boards)
    assert board.overall[0].place == (1, 1)
    assert "no verdicts" in board.verdicts[0].text


def test_workloads_on_which_no_entrant_learned_have_short_names() -> None:
    """By what differs between them, not by the whole label; of many, three and how many more."""
    cells = [
        replace(
            cell,
            evaluation=tuple(replace(run, test_loss=INITIAL) for run in cell.evaluation),
        )
        for cell in make_cells(("alpha", "beta"), [f"d{i}" for i in range(6)], ("batch",))
    ]
    caution = next(w for w in build(cells).warnings if "guessing" in w)
    assert caution.startswith("no entrant does better than guessing on d0, d1, d2 and 3 more")
