"""What a reader must know before believing the leaderboard, one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics import scoring
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.words.equal_terms import unequal_terms
from optbench.analysis.words.prose import count, join_names, short_names

FEW_SEEDS = 3
"""With fewer seeds, the intervals cover 88% instead of 95% in simulations."""
MOST_FLIPS = 3
"""Number of lines about orders that depend on a third entrant, for scores and for profiles."""


def cautions(board: Leaderboard, study: StudyArrays, measured: RunMetrics) -> tuple[str, ...]:
    """Return every caution that applies to a leaderboard."""
    return (
        *_about_seeds(board, study),
        *_about_workloads(board, study, measured),
        *_about_entrants(board, study),
        *_about_third_entrants(board, study),
    )


def _about_seeds(board: Leaderboard, study: StudyArrays) -> Iterator[str]:
    if board.seeds == 1:
        yield "one evaluation seed: there are no intervals; use at least 3 seeds, preferably 5"
    elif board.seeds < FEW_SEEDS:
        yield f"{board.seeds} evaluation seeds: the 95% intervals cover less than 90%"
    seeds = {len(cell.evaluation) for cell in study.cells.values()}
    if len(seeds) > 1:
        yield f"cells have {min(seeds)} to {max(seeds)} evaluation seeds: the study is unfinished"


def _about_workloads(board: Leaderboard, study: StudyArrays, measured: RunMetrics) -> Iterator[str]:
    unlearned = scoring.unlearned(study.initial_loss, measured.best)
    names = short_names(study.workloads)
    flat = [name for name, is_flat in zip(names, unlearned, strict=True) if is_flat]
    if flat:
        yield (
            f"no entrant learned on {join_names(flat)} (no loss is 2% below the initial loss): "
            "all score 0 there"
        )
    derived = sorted({b.workload.dataset for b in board.workloads if not b.target_frozen})
    if derived:
        yield (
            f"no frozen target for {join_names(derived)}: targets there are derived from this "
            "study, so times to them cannot be compared with other studies"
        )
    solved = np.isfinite(measured.median_times["examples"]).any(axis=0)
    named = zip(names, solved | unlearned, strict=True)
    unsolved = [name for name, explained in named if not explained]
    if unsolved:
        yield (
            f"no entrant reached the {board.target_level} target on {join_names(unsolved)}: "
            "left out of the performance profiles"
        )


def _about_entrants(board: Leaderboard, study: StudyArrays) -> Iterator[str]:
    yield from unequal_terms(study.cells.values(), board.protocol)
    for row in board.overall:
        if row.partial:
            yield (
                f"{row.label} was evaluated on {row.workloads} of {len(board.workloads)} "
                "workloads: its score is over those, its comparisons over the common ones"
            )
        if row.failed:
            reason = _first_reason(study, study.labels.index(row.label))
            yield f"{row.label}: {count(row.failed, 'run')} failed ({reason}); they score 0"
        for (hyper, side), times in Counter((e.hyper, e.side) for e in row.edges).items():
            yield (
                f"{row.label}: the best {hyper} lies at the {side} edge of its search range on "
                f"{count(times, 'workload')}, even after widening; a better one may lie beyond"
            )


def _first_reason(study: StudyArrays, s: int) -> str:
    """Return why the first failed run of an entrant failed."""
    rows = np.flatnonzero(study.failed & (study.place[:, 0] == s))
    return next((study.runs[i].reason for i in rows if study.runs[i].reason), "no reason given")


def _about_third_entrants(board: Leaderboard, study: StudyArrays) -> Iterator[str]:
    """Name orders that change when a third entrant is left out, separated pairs first."""
    flips = scoring.leave_one_out(study.test_loss, study.initial_loss, study.labels)
    separated = {(pair.first, pair.second) for pair in board.pairs if pair.separated}
    flips.sort(key=lambda flip: (flip[0], flip[1]) not in separated)
    for a, b, left_out in flips[:MOST_FLIPS]:
        tie = "" if (a, b) in separated else " (a tie in any case)"
        yield (
            f"without {left_out}, {b} would score above {a}{tie}: "
            "their order depends on a third entrant"
        )
    for profile in board.profiles:
        if profile.axis == "examples":
            for a, b, left_out in profile.flips[:MOST_FLIPS]:
                yield f"without {left_out}, {b} would be ahead of {a} in the performance profile"
