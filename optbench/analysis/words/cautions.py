"""What a reader must know before believing the leaderboard, one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics import scoring
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.words.prose import count, listed, short_names

FEW_SEEDS = 3
"""With fewer the simulated intervals cover 88% instead of 95%."""


def cautions(board: Leaderboard, study: StudyArrays, measured: RunMetrics) -> tuple[str, ...]:
    """Every warning that applies to a leaderboard."""
    found: list[str] = []
    found += _about_evidence(board, study)
    found += _about_workloads(board, study, measured)
    found += _about_entrants(board, study)
    found += _about_others(board, study, measured)
    return tuple(found)


def _about_evidence(board: Leaderboard, study: StudyArrays) -> Iterator[str]:
    if board.seeds == 1:
        yield "one evaluation seed: there are no intervals; use at least 3 seeds, better 5"
    elif board.seeds < FEW_SEEDS:
        yield f"{board.seeds} evaluation seeds: the 95% intervals cover less than 90%"
    uneven = {len(cell.evaluation) for cell in study.cells.values()}
    if len(uneven) > 1:
        yield f"seeds are uneven ({min(uneven)} to {max(uneven)} a cell): the study is unfinished"


def _about_workloads(board: Leaderboard, study: StudyArrays, measured: RunMetrics) -> Iterator[str]:
    nobody = scoring.unlearned(study.initial_loss, measured.best)
    short = short_names(study.workloads)
    names = [name for name, flat in zip(short, nobody, strict=True) if flat]
    if names:
        yield f"nobody learned (2% below the initial loss) on {listed(names)}: all score 0 there"
    derived = sorted({b.workload.dataset for b in board.workloads if not b.target_frozen})
    if derived:
        yield (
            f"no frozen target for {listed(derived)}: targets there come from this very study, "
            "and times to them cannot be compared with other studies"
        )
    solved = np.isfinite(measured.median_times["examples"]).any(axis=0)
    reached = zip(short, solved | nobody, strict=True)
    unsolved = [name for name, done in reached if not done]
    if unsolved:
        yield (
            f"nobody reached the {board.target_level} target on {listed(unsolved)}: "
            "left out of the performance profiles"
        )


def _about_entrants(board: Leaderboard, study: StudyArrays) -> Iterator[str]:
    for row in board.overall:
        if row.partial:
            yield (
                f"{row.label} was judged on {row.workloads} of {len(board.workloads)} workloads: "
                "its score is over those, its comparisons over the common ones"
            )
        if row.failed:
            reason = _reason(study, study.labels.index(row.label))
            yield f"{row.label}: {count(row.failed, 'run')} failed ({reason}); they score 0"
        for (hyper, side), times in Counter((e.hyper, e.side) for e in row.edges).items():
            yield (
                f"{row.label}: the best {hyper} lies at the {side} edge of its search range on "
                f"{count(times, 'workload')}, after widening too; it may be better than shown"
            )


def _reason(study: StudyArrays, s: int) -> str:
    """Why the first failed run of an entrant failed."""
    rows = np.flatnonzero(study.failed & (study.place[:, 0] == s))
    return next((study.runs[i].reason for i in rows if study.runs[i].reason), "no reason given")


def _about_others(board: Leaderboard, study: StudyArrays, measured: RunMetrics) -> Iterator[str]:
    flips = scoring.leave_one_out(study.test_loss, study.initial_loss, study.labels)
    apart = {(pair.first, pair.second) for pair in board.pairs if pair.separated}
    for a, b, out in sorted(flips, key=lambda flip: (flip[0], flip[1]) not in apart)[:3]:
        tie = "" if (a, b) in apart else " (a tie in any case)"
        yield f"without {out}, {b} would score above {a}{tie}: their order hangs on a third entrant"
    for profile in board.profiles:
        if profile.axis == "examples":
            for a, b, out in profile.flips[:3]:
                yield f"without {out}, {b} would be ahead of {a} in the performance profile"
