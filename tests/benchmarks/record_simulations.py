"""Simulations that start from made-up run records and go the whole way to boards and sentences.

Scores, speed, lost runs and clusters are computed from curves as in a real study. The truth is
known since every curve ends at a floor that the simulation chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from optbench.analysis import Leaderboard, build_leaderboard
from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.boards.board_looks import boards_at_looks, open_pairs
from optbench.analysis.statistics.spending import look_sizes, planned_looks
from optbench.analysis.words.board_sentences import scope_sentence
from optbench.records import ALPHA, BOARD_NAMES, Cell, Criteria, StudyProtocol
from optbench.suites import Target, Targets
from tests.analysis.synthetic import make_cells
from tests.benchmarks.figures import Figure, share

LABELS = ("alpha", "beta", "gamma", "delta")
DATASETS = ("moons", "iris", "digits")
TARGETS: Targets = {
    (dataset, "32-32 relu"): Target(
        easy=0.8, medium=0.6, hard=0.4, best_train=0.02, best_val=0.02, best_test=0.02
    )
    for dataset in DATASETS
}
CLAIMS = ("better than", "behind", " is ", " ends ", " trains ")
"""Words of sentences that put one entrant above another one."""
PART = 4
"""Studies of values for each study of records, which takes so much longer."""


def _cells(rng: np.random.Generator, **options: Any) -> list[Cell]:
    usual = {
        "labels": LABELS,
        "datasets": DATASETS,
        "regimes": ("batch", "sgd"),
        "seeds": 3,
        "trials": 2,
        "replicates": 4,
        "noise": 0.2,
        "tuning_noise": 0.2,
        "workload_noise": 0.0,
        "grid_points": 8,
        "rng_seed": int(rng.integers(2**31)),
    }
    return make_cells(**{**usual, **options})


def _board(cells: list[Cell], criteria: Criteria | None = None) -> Leaderboard:
    return build_leaderboard(cells, StudyProtocol(), TARGETS, criteria=criteria)


def _any_better(board: Board) -> bool:
    return any(pair.verdict == "better" for pair in board.pairs)


def null_studies(rng: np.random.Generator, studies: int) -> list[Figure]:
    """1, 2 and 7 from records: all equal, 2.5% of runs lost; pairs, baseline, sentences."""
    false: dict[str, list[bool]] = {"these": [], "like these": [], "baseline": [], "regime": []}
    best: list[bool] = []
    claims: list[bool] = []
    in_study: list[bool] = []
    for _ in range(max(studies // PART, 12)):
        cells = _cells(rng, diverging=dict.fromkeys(LABELS, 0.025))
        board = _board(cells, Criteria(baseline="beta"))
        these = select_boards(board.boards)
        false["these"] += map(_any_better, these)
        false["like these"] += map(_any_better, select_boards(board.boards, "workloads-like-these"))
        false["regime"] += map(_any_better, select_boards(board.boards, regime="sgd"))
        false["baseline"] += [
            any(pair.verdict == "better" for pair in each.baseline.pairs)
            for each in these
            if each.baseline is not None
        ]
        best += [row.may_be_best for each in these for row in each.rows if row.label == "alpha"]
        texts = {
            each.name: [scope_sentence(each)]
            + [v.text for v in board.verdicts if v.label and v.text.startswith(_title(each))]
            for each in these
        }
        told = [any(_claims(text) for text in texts[name]) for name in BOARD_NAMES]
        claims += told
        in_study.append(any(told))
    figures = [
        share(f"records: any false better on a board, {kind}", found, most=0.05)
        for kind, found in false.items()
    ]
    return [
        *figures,
        share("11 records: one of the best stays a candidate", best, least=0.95),
        share("7 records: any false sentence about a board", claims, most=0.05),
        share("7 records: any false sentence about four boards", in_study, most=4 * ALPHA),
    ]


def _title(board: Board) -> str:
    return board.name.replace("-", " ").capitalize() + ": place"


def _claims(text: str) -> bool:
    """Return whether a sentence puts an entrant above another one."""
    sentences = text.split(": ", 1)[1].split(". ")
    return any(
        word in sentence and " or " not in sentence
        for sentence in sentences
        for word in CLAIMS
        if not sentence.startswith(("Open", "Equal"))
    )


def twins(rng: np.random.Generator, studies: int) -> list[Figure]:
    """Two names of the same runs are never told apart, and called equal.

    Stability is left open: a few runs without a loss do not show that none is ever lost.
    """
    better, equal = [], []
    for _ in range(max(studies // PART, 12)):
        cells = _cells(rng, labels=LABELS[:3], twins={"beta": "alpha"}, workload_noise=0.2)
        for each in _board(cells).boards:
            verdict = each.pair("alpha", "beta").verdict
            better.append(verdict == "better")
            equal += [verdict == "equal"] if each.name != "stability" else []
    return [
        share("twins called better, all boards", better, most=0.0),
        share("twins called equal, losses and speed", equal, least=1.0),
    ]


def gaps(rng: np.random.Generator, studies: int) -> list[Figure]:
    """A planted gap is found on the boards that it is on, and never the wrong way round."""
    found, wrong = [], []
    for _ in range(max(studies // PART, 12)):
        board = _board(_cells(rng, skill={"gamma": 1.0}, replicates=6))
        for each in select_boards(board.boards)[:3]:
            pairs = [each.pair("gamma", label) for label in LABELS if label != "gamma"]
            found += [p.verdict == "better" and p.first == "gamma" for p in pairs]
            wrong += [p.verdict == "better" and p.second == "gamma" for p in pairs]
    return [
        share("10 records: planted gaps found, losses and speed", found, least=0.9),
        share("10 records: planted gaps the wrong way round", wrong, most=0.025),
    ]


def growing_studies(rng: np.random.Generator, studies: int) -> list[Figure]:
    """6 from records: entrants end with their pairs on some boards, and others are tested on.

    One entrant is better in loss and speed, and soon ends. All are equally stable, and two are
    equal in everything.
    """
    most = 16
    looks = planned_looks(look_sizes(most), most)
    false: list[bool] = []
    ended: list[int] = []
    for _ in range(max(studies // PART, 12)):
        labels = LABELS[:3]
        cells = _cells(
            rng,
            labels=labels,
            datasets=DATASETS[:2],
            skill={"gamma": 1.0},
            diverging=dict.fromkeys(labels, 0.05),
            replicates=most,
            trials=1,
            seeds=4,
        )
        boards: tuple[Board, ...] = ()
        grown: list[Cell] = []
        active = set(labels)
        size = 0
        claimed: set[tuple[str, str | None, str]] = set()
        for i, look in enumerate(looks):
            new = range(size, look.replicates)
            grown += [c for c in cells if c.replicate in new and c.entrant.label in active]
            size = look.replicates
            boards = boards_at_looks(
                grown, StudyProtocol(), TARGETS, looks=looks[: i + 1], before=boards, first=i
            )
            claimed |= set(_false_claims(boards))
            active = {
                label for pairs in open_pairs(boards).values() for pair in pairs for label in pair
            }
            if not active:
                break
        keys = {(b.name, b.regime, b.statement) for b in boards}
        false += [key in claimed for key in keys]
        ended.append(max(c.replicate for c in grown if c.entrant.label == "gamma") + 1)
    return [
        share("6 records: any false better on a board over looks", false, most=0.05),
        Figure("6 records: replicates of the better one, of 16", float(np.mean(ended)), most=12.0),
    ]


def _false_claims(boards: Iterable[Board]) -> Iterable[tuple[str, str | None, str]]:
    for board in boards:
        pairs = board.pairs if board.name == "stability" else (board.pair("alpha", "beta"),)
        if any(pair.verdict == "better" for pair in pairs):
            yield board.name, board.regime, board.statement


TESTS: tuple[Callable[[np.random.Generator, int], list[Figure]], ...] = (
    null_studies,
    twins,
    gaps,
    growing_studies,
)
"""The simulations, by the order in which they are printed."""
