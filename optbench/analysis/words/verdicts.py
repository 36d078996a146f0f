"""Sentences derived from the numbers, so that nobody has to read a table to learn who won.

They say only what the intervals support: "sooner" needs a ratio whose interval lies above 1,
"above" a separated pair, "loses" a difference whose interval lies below 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from optbench.analysis.board_rows import OverallRow, Verdict
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics import scoring
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.words.few_workloads import (
    leader_sentences,
    missing_places_text,
    too_few_workloads,
)
from optbench.analysis.words.prose import IN_REGIME, count, interval_text, join_names
from optbench.analysis.words.speed_verdicts import SpeedComparison

FEWEST_TRIALS = 4
"""Number of trials from which a sentence about more tuning is possible."""


def verdicts(board: Leaderboard, study: StudyArrays, measured: RunMetrics) -> tuple[Verdict, ...]:
    """Return the sentences: first about the whole study, then about each entrant, best first."""
    about_study = [_summary(board)]
    if too_few_workloads(board):
        about_study += leader_sentences(study, measured)
    sentences = [Verdict(label="", text=text) for text in about_study]
    comparison, lr_widths = SpeedComparison(study, measured), _lr_widths(board)
    for row in board.overall:
        about_entrant = (
            *_place(board, row),
            *_comparison(board, row, comparison, _lost_regimes(board, study, measured, row)),
            *_stability(row, lr_widths[row.label]),
            *_tuning(board, row),
        )
        sentences += [Verdict(label=row.label, text=text) for text in about_entrant]
    return tuple(sentences)


def _summary(board: Leaderboard) -> str:
    if len(board.overall) == 1:
        row = board.overall[0]
        score = f"score {row.score.value:.2f}{interval_text(row.score)}"
        return f"{row.label} is the only entrant: {score}"
    if too_few_workloads(board):
        return missing_places_text(board)
    first = [row.label for row in board.overall if row.place[0] == 1]
    scope = f"over {count(len(board.workloads), 'workload')}, {count(board.seeds, 'seed')} each"
    if len(first) == 1:
        return f"{first[0]} comes first {scope}, separated from every other entrant"
    if not any(pair.separated for pair in board.pairs):
        return f"no two of the {len(first)} entrants can be told apart {scope}"
    return f"places 1 to {len(first)} cannot be told apart {scope}: {join_names(first, most=6)}"


def place_text(board: Leaderboard, row: OverallRow) -> str:
    """Return place and score of an entrant in words, as its row of a table shows them."""
    low, high = row.place
    place = f"place {low}" if low == high else f"places {low} to {high}"
    score = f"score {row.score.value:.2f}{interval_text(row.score)}"
    if too_few_workloads(board):
        return f"{row.label}: {score}"
    return f"{row.label}: {place} of {len(board.overall)}, {score}"


def _place(board: Leaderboard, row: OverallRow) -> Iterator[str]:
    above = [p.second for p in board.pairs if p.separated and p.first == row.label]
    below = [p.first for p in board.pairs if p.separated and p.second == row.label]
    text = place_text(board, row)
    text += f"; above {join_names(above)}" if above else ""
    yield text + (f"; below {join_names(below)}" if below else "")


def _comparison(
    board: Leaderboard, row: OverallRow, comparison: SpeedComparison, losses: Sequence[str]
) -> Iterator[str]:
    """Say in one sentence where an entrant is sooner, where it ties, and where it loses."""
    lower_ranked = [other.label for other in board.overall if other.rank > row.rank]
    sooner = comparison.sooner_text(row.label, lower_ranked)
    ties = [
        p.second if p.first == row.label else p.first
        for p in board.pairs
        if row.label in (p.first, p.second) and not p.separated
    ]
    if too_few_workloads(board):
        ties = []  # the summary says it of all entrants
    parts = [f"reaches the target {sooner}"] if sooner else []
    if ties:
        verb = "" if parts else "is "
        parts.append(f"{verb}not distinguishable by score from {join_names(ties)}")
    parts += losses
    if parts:
        yield f"{row.label} {'; '.join(parts)}"


def _lost_regimes(
    board: Leaderboard, study: StudyArrays, measured: RunMetrics, row: OverallRow
) -> list[str]:
    """Name the regimes in which a lower-ranked entrant scores higher, beyond the seeds' spread."""
    regimes = list(dict.fromkeys(w.regime for w in study.workloads))
    if len(regimes) < 2:
        return []
    rank = {other.label: other.rank for other in board.overall}
    lower = [i for i, label in enumerate(study.labels) if rank[label] > row.rank]
    own = measured.score[study.labels.index(row.label)]
    losses = []
    for regime in regimes:
        columns = [w for w, workload in enumerate(study.workloads) if workload.regime == regime]
        gains = measured.score[np.ix_(lower, columns)] - own[columns]
        known = np.flatnonzero(~np.isnan(gains).all(axis=(1, 2)))
        if not len(known):
            continue
        means = np.nanmean(gains[known].reshape(len(known), -1), axis=1)
        gain, winner = max(zip(means.tolist(), known.tolist(), strict=True))
        if gain > 0 and scoring.surely_above_zero(gains[winner]):
            losses.append(f"loses to {study.labels[lower[winner]]} in {IN_REGIME[regime]}")
    return losses


def _lr_widths(board: Leaderboard) -> dict[str, list[float]]:
    """Return the known lr widths of each entrant."""
    widths: dict[str, list[float]] = {row.label: [] for row in board.overall}
    for workload in board.workloads:
        for row in workload.rows:
            if row.lr_width is not None:
                widths[row.label].append(row.lr_width)
    return widths


def _stability(row: OverallRow, lr_widths: Sequence[float]) -> Iterator[str]:
    lost = row.divergence
    if lost.count:
        verb = "diverged"
        if row.failed:
            verb = "failed" if row.failed == lost.count else "failed or diverged"
        yield (
            f"{row.label} {verb} in {lost.count} of {lost.total} runs "
            f"({lost.rate:.0%}; 95% interval {lost.low:.0%} to {lost.high:.0%})"
        )
    if lr_widths:
        over = f" (median of {len(lr_widths)} workloads)" if len(lr_widths) > 1 else ""
        yield (
            f"{row.label} stays within 10% of its best loss over {np.median(lr_widths):.1f} "
            f"decades of lr{over}"
        )


def _tuning(board: Leaderboard, row: OverallRow) -> Iterator[str]:
    """Say whether more tuning could change its rank.

    Compares what the last doubling of trials gained with the distance to the next entrant.
    """
    mean_curves = {b.label: b.score for b in board.budgets if b.workload == ""}
    scores = mean_curves.get(row.label, ())
    ahead = next((other for other in board.overall if other.rank == row.rank - 1), None)
    if row.failed or len(scores) < FEWEST_TRIALS or ahead is None:
        return
    if ahead.score.value is None or row.score.value is None:
        return
    half = len(scores) // 2
    gain, gap = scores[-1] - scores[half - 1], ahead.score.value - row.score.value
    if gap > 0:
        could = "could still change" if gain > gap else "would hardly change"
        yield (
            f"{row.label}: trials {half + 1} to {len(scores)} raised its expected score on the "
            f"tuning seeds by {gain:.2f}, and {ahead.label} is {gap:.2f} ahead on the leaderboard: "
            f"more tuning {could} their order"
        )
