"""Every sentence says what the numbers say, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from optbench.analysis import Leaderboard, build_leaderboard
from optbench.analysis.board_records import Board
from optbench.analysis.words.prose import short_names
from optbench.records import Cell, StudyProtocol
from optbench.suites import Target
from optbench.support.text import join_names
from tests.analysis.synthetic import make_cells
from tests.records.factories import make_curve

TARGETS = {
    (name, "32-32 relu"): Target(easy=0.9, medium=0.8, hard=0.7)
    for name in ("moons", "iris", "digits")
}
QUICK = ("alpha", "beta", "gamma", "delta", "epsilon")


def build(cells: list[Cell], **options: Any) -> Leaderboard:
    return build_leaderboard(cells, StudyProtocol(), **options)


def texts(board: Leaderboard) -> str:
    return "\n".join(v.text for v in board.verdicts)


def test_the_sentence_on_speed_is_the_number_in_the_cells() -> None:
    """A planted 3x is reported as about 3x, against the entrant that is slower."""
    datasets = [f"d{i}" for i in range(4)]
    cells = []
    for cell in make_cells(("fast", "slow"), datasets, ("mini-batch",), replicates=4):
        factor = 3.0 if cell.entrant.label == "fast" else 1.0
        runs = []
        for i, run in enumerate(cell.evaluation):
            columns = dict(run.curve)
            luck = 1 + 0.02 * (i - 2)
            columns["val_loss"] = np.exp(-factor * luck * columns["examples"] / 1500)
            runs.append(replace(run, curve=make_curve(columns)))
        cells.append(replace(cell, evaluation=tuple(runs)))
    target = {(name, "32-32 relu"): Target(easy=0.5, medium=0.3, hard=0.2) for name in datasets}
    board = build(cells, targets=target)
    sentence = next(
        v.text for v in board.verdicts if v.label == "fast" and v.text.startswith("Speed: ")
    )
    assert sentence.startswith("Speed: place 1 of 2; better than slow (")
    assert float(sentence.split("slow (")[1].split("x")[0]) == pytest.approx(3, rel=0.3)


def test_workloads_are_named_by_what_differs_between_them() -> None:
    """The dataset always; the regime, the initializer, the batch size where there are several."""
    [one] = make_cells(("alpha",), ("moons",), ("batch",))
    assert short_names([one.workload]) == ["moons"]
    many = [c.workload for c in make_cells(("alpha",), ("moons",), initializers=("a", "b"))]
    assert short_names(many)[:2] == ["moons (a, full batch)", "moons (b, full batch)"]
    small = msgspec.structs.replace(many[2], batch_size=8)
    assert short_names([many[2], small]) == ["moons (B=32)", "moons (B=8)"]


@pytest.mark.parametrize(
    ("names", "text"),
    [("a", "a"), ("ab", "a and b"), ("abcd", "a, b, c and d"), ("abcde", "a, b, c and 2 more")],
)
def test_lists_of_names_read_as_prose(names: str, text: str) -> None:
    """Never "and 1 more": the one more is named."""
    assert join_names(list(names)) == text


def test_sentences_say_what_the_pairs_say() -> None:
    """Every entrant that is better, behind, equal or open on a board is named as such."""
    cells = make_cells(QUICK, skill={"gamma": 0.5, "delta": 0.2}, replicates=4)
    board = build(cells)
    these = {
        each.name: each
        for each in board.boards
        if each.statement == "these-workloads" and each.regime is None
    }
    n_sentences = 0
    for verdict in board.verdicts:
        title = verdict.text.split(":")[0].lower().replace(" ", "-")
        if verdict.label and title in these:
            assert named(verdict.text) == counted(these[title], verdict.label)
            n_sentences += 1
    assert n_sentences == len(QUICK) * 4


def counted(board: Board, label: str) -> dict[str, int]:
    """Return how often an entrant has each outcome on a board."""
    own = [pair for pair in board.pairs if label in (pair.first, pair.second)]
    better = [pair for pair in own if pair.verdict == "better"]
    numbers = {
        "better than": sum(pair.first == label for pair in better),
        "behind": sum(pair.second == label for pair in better),
        "equal to": sum(pair.verdict == "equal" for pair in own),
        "open against": sum(pair.verdict == "open" for pair in own),
    }
    return {outcome: number for outcome, number in numbers.items() if number}


def named(sentence: str) -> dict[str, int]:
    """Return how many entrants a sentence names for each outcome."""
    numbers = {}
    for part in sentence.split("; ")[1:]:
        outcome = next(
            o for o in ("better than", "behind", "equal to", "open against") if o in part
        )
        numbers[outcome] = sum(label in part for label in QUICK)
    return numbers


def test_a_study_without_a_decided_pair_claims_no_order() -> None:
    """With one replicate the first sentences say why, and no entrant is above another one."""
    board = build(make_cells(QUICK, ("moons",), skill={"alpha": 1.0}))
    assert board.verdicts[0].text.startswith("Final loss on these 3 workloads")
    assert board.verdicts[0].text.endswith("no verdicts")
    assert "No verdicts" in board.verdicts[1].text
    assert "better" not in texts(board)
    assert "behind" not in texts(board)


@pytest.mark.parametrize("rng_seed", range(3))
def test_no_entrant_is_called_better_than_its_twin(rng_seed: int) -> None:
    """The same results under two names are equal in the sentences too."""
    cells = make_cells(("alpha", "beta"), twins={"beta": "alpha"}, rng_seed=rng_seed, replicates=4)
    sentences = texts(build(cells, targets=TARGETS))
    assert "better than" not in sentences
    assert "Final loss: places 1 to 2 of 2; equal to beta (within 0.03)" in sentences


def test_one_workload_with_replicates_has_places() -> None:
    """The sentences name who is the best there, and count the replicates."""
    names = ("alpha", "beta", "gamma")
    cells = make_cells(names, ("digits",), ("batch",), skill={"alpha": 1.0}, replicates=6)
    sentences = texts(build(cells))
    assert sentences.startswith(
        "Final loss on this workload (6 replicates): alpha has the lowest test loss."
    )
    assert "Final loss: place 1 of 3; better than " in sentences
