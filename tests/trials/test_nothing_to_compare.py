"""Optimizers that never train anything: no verdict calls them equal, and none may be the best."""

from __future__ import annotations

from typing import Any

import numpy as np

import optbench
from optbench import Rule, Study, hyper
from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.words.board_sentences import board_sentence
from optbench.report.format.board_layout import place_text
from optbench.report.markdown import leaderboard_markdown


class Raising(Rule):
    """A rule that reads a hyperparameter it does not have."""

    lr: float = hyper(0.01, "learning rate", low=0)

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
        """Raise an error."""
        return (theta - h.rate * grad,)


class Diverging(Rule):
    """A rule whose steps overflow."""

    lr: float = hyper(0.01, "learning rate", low=0)

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
        """Take an endless step."""
        return (theta - h.lr * grad * np.exp(1e6 * abs(grad) + 1e6),)


class Climbing(Rule):
    """A rule with the sign of its step flipped."""

    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-4, 1e-2))

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
        """Climb."""
        return (theta + h.lr * grad,)


def study_of(*optimizers: Any, epochs: int = 3) -> Study:
    """Return a study of two replicates on one workload."""
    return optbench.compare(
        list(optimizers),
        datasets=["iris"],
        regimes=["mini-batch"],
        epochs=epochs,
        hidden=4,
        replicates=2,
        seeds=2,
        ruleset="defaults",
    )


def test_optimizers_that_never_trained_have_no_verdict() -> None:
    """Neither between them nor as the best; against one that trained, they have."""
    study = study_of(Raising, Diverging, "adam[lr=0.05]", epochs=30)
    for board in select_boards(study.leaderboard.boards):
        pair = board.pair("raising", "diverging")
        assert (pair.verdict, pair.difference, pair.p_equal, pair.needs) == (
            "open", None, None, None,
        )  # fmt: skip
        rows = {row.label: row for row in board.rows}
        assert not rows["raising"].may_be_best
        assert not rows["diverging"].may_be_best
        assert rows["raising"].is_at_floor(board.name)
    board = select_boards(study.leaderboard.boards)[0]
    assert board.rows[0].label == "adam[lr=0.05]"
    assert "No better than guessing: " in board_sentence(board)
    assert "equal" not in board_sentence(board).lower()


def test_who_never_reached_the_target_is_told_with_the_number_of_runs() -> None:
    """The count is that of the evaluation runs, those of lost runs among them."""
    study = study_of(Raising, Diverging, "adam[lr=0.05]", epochs=30)
    speed = select_boards(study.leaderboard.boards)[2]
    missed = "Never reached the target (0 of 4 runs each): raising and diverging"
    assert missed in board_sentence(speed)
    for row in speed.rows:
        runs = [run for cell in study.cells for run in cell.evaluation]
        assert row.runs == sum(run.spec.optimizer == row.label.split("[")[0] for run in runs)


def test_where_nobody_trained_there_is_nothing_to_compare() -> None:
    """All boards say so instead of calling everyone equal, and so do the verdicts."""
    study = study_of(Raising, Diverging)
    final, training, speed, stability = select_boards(study.leaderboard.boards)
    assert board_sentence(final) == "No entrant does better than guessing: nothing to compare."
    assert board_sentence(training) == board_sentence(final)
    assert board_sentence(stability) == "Every run was lost: nothing to compare."
    for board in (final, training, speed, stability):
        assert not any(row.may_be_best for row in board.rows)
        assert {pair.verdict for pair in board.pairs} == {"open"}
    assert not any("equal" in verdict.text for verdict in study.leaderboard.verdicts)
    assert "nothing to compare" in str(study)


def test_runs_that_all_diverged_have_a_caution() -> None:
    """As runs that failed have."""
    warnings = study_of(Raising, Diverging).leaderboard.warnings
    assert any(text.startswith("raising: 4 runs failed") for text in warnings)
    assert "diverging: all 4 runs diverged; they score 0" in warnings


def stability_of(*optimizers: Any, **settings: Any) -> tuple[Board, list[str]]:
    """Return the stability board of a study with two replicates, and all sentences."""
    study = optbench.compare(
        list(optimizers),
        datasets=["iris"],
        regimes=["mini-batch"],
        epochs=10,
        hidden=4,
        replicates=2,
        seeds=2,
        **settings,
    )
    board = select_boards(study.leaderboard.boards)[3]
    assert board.name == "stability"
    return board, [verdict.text for verdict in study.leaderboard.verdicts]


def assert_not_compared(board: Board, label: str) -> None:
    """Assert that an entrant has neither value nor place nor verdict, and leads nowhere."""
    row = next(row for row in board.rows if row.label == label)
    assert (row.value, row.low, row.letters, row.may_be_best) == (None, None, "", False)
    assert row.place == (1, len(board.rows))
    assert place_text(board, row) == "–"
    for pair in board.pairs:
        if label in (pair.first, pair.second):
            assert (pair.verdict, pair.difference, pair.needs) == ("open", None, None)


def test_who_learns_nothing_has_no_place_on_stability() -> None:
    """Standing still or climbing, it loses no run and regrets nothing; the others are compared."""
    names = ("sgd", "momentum", "climbing")
    board, sentences = stability_of("sgd", "momentum", Climbing)
    assert {row.label for row in board.rows} == set(names)
    assert_not_compared(board, "climbing")
    assert {row.place for row in board.rows if row.value is not None} <= {(1, 1), (1, 2), (2, 2)}
    assert board.pair("sgd", "momentum").difference is not None
    assert "No better than guessing, so not compared: climbing." in board_sentence(board)
    assert "against climbing" not in board_sentence(board)
    assert "Stability: not compared" in sentences
    assert not any("Stability: climbing is" in text for text in sentences)


def test_who_never_moved_is_no_better_than_guessing() -> None:
    """On final and training loss too, whatever the initial weights score."""
    study = study_of("adam[lr=0]", "sgd[lr=0.1]", "momentum[lr=0.1]")
    final, training, _, stability = select_boards(study.leaderboard.boards)
    for board in (final, training):
        assert "No better than guessing: adam[lr=0]." in board_sentence(board)
    assert_not_compared(stability, "adam[lr=0]")
    sentence = board_sentence(stability)
    assert "No better than guessing, so not compared: adam[lr=0]. Nothing was tuned" in sentence


def test_a_fixed_rate_has_no_regret_to_compare() -> None:
    """Beside tuned optimizers; where nothing is tuned, the lost runs are compared."""
    board, sentences = stability_of("sgd", "momentum[lr=0.1]")
    assert_not_compared(board, "momentum[lr=0.1]")
    expected = (
        "Nothing to compare. "
        "Not tuned, unlike others, so without a comparable regret: momentum[lr=0.1]."
    )
    assert board_sentence(board) == expected
    assert f"Stability on this workload (2 replicates): {expected}" in sentences
    board, _ = stability_of("sgd", "momentum[lr=0.1]", ruleset="defaults")
    assert [row.value for row in board.rows] == [1, 1]
    assert board.pairs[0].difference == 0
    assert board_sentence(board).endswith("Nothing was tuned, so only lost runs count.")


def test_a_study_of_one_optimizer_says_once_that_there_is_no_other() -> None:
    """Not for each board and each statement."""
    study = study_of("sgd")
    lone = "There is no other optimizer to compare with."
    markdown = leaderboard_markdown(study.leaderboard, (), environment={}, command="")
    for text in (str(study), markdown):
        assert " ".join(text.split()).count(lone) == 1
    assert len([v for v in study.leaderboard.verdicts if not v.label]) == 1
