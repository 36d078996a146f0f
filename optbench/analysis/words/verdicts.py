"""Sentences derived from the numbers, so that nobody has to read a table to learn who won.

Nothing is said that the intervals do not carry: "sooner" needs a ratio whose interval lies above
1, "above" a separated pair, "lost" a difference whose interval lies below 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from optbench.analysis.board_rows import Estimate, OverallRow, Verdict
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.statistics import scoring
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.views.speedups import Speedups, grid_steps, pooled_speedup, speedups
from optbench.analysis.words.few_workloads import leaders, no_places, too_few_workloads
from optbench.analysis.words.prose import IN_REGIME, count, listed, short_names


def verdicts(board: Leaderboard, study: StudyArrays, measured: RunMetrics) -> tuple[Verdict, ...]:
    """What the study says: first about the whole, then about each entrant, best first."""
    found = [Verdict(label="", text=_summary(board))]
    if too_few_workloads(board):
        found += [Verdict(label="", text=text) for text in leaders(study, measured)]
    speeds, widths = _Speeds(study, measured), _lr_widths(board)
    for row in board.overall:
        s = study.labels.index(row.label)
        found += [
            Verdict(label=row.label, text=text)
            for part in (
                _place(board, row),
                _speed(board, row, speeds, _lost(board, study, measured, s)),
                _stability(row, widths[row.label]),
                _tuning(board, row),
            )
            for text in part
        ]
    return tuple(found)


def interval_text(estimate: Estimate, digits: int = 2) -> str:
    """`` (95% interval 1.7 to 2.6)``, or nothing where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (95% interval {estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def _summary(board: Leaderboard) -> str:
    if len(board.overall) == 1:
        row = board.overall[0]
        return f"{row.label} alone was measured: score {row.score.value:.2f}" + interval_text(
            row.score
        )
    if too_few_workloads(board):
        return no_places(board)
    first = [row.label for row in board.overall if row.place[0] == 1]
    where = f"over {count(len(board.workloads), 'workload')}, {count(board.seeds, 'seed')} each"
    if len(first) == 1:
        return f"{first[0]} comes first {where}; it is told apart from every other entrant"
    if not any(pair.separated for pair in board.pairs):
        return f"no two of the {len(first)} entrants can be told apart {where}"
    return f"places 1 to {len(first)} cannot be told apart {where}: {listed(first, most=6)}"


def place_text(board: Leaderboard, row: OverallRow) -> str:
    """Place and score of an entrant in words: what its row of a table says too."""
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
    text += f"; above {listed(above)}" if above else ""
    yield text + (f"; below {listed(below)}" if below else "")


class _Speeds:
    """Speedups between entrants, computed when asked for."""

    def __init__(self, study: StudyArrays, measured: RunMetrics) -> None:
        self.study, self.times = study, measured.times["examples"]
        self.steps = grid_steps(study, measured)
        self.names = short_names(study.workloads)

    def over(self, a: int, b: int) -> Speedups:
        """Speedup of a over b on every workload."""
        return speedups(self.times[a], self.times[b], self.steps[a], self.steps[b])

    def best(self, label: str, others: Sequence[str]) -> str:
        """The surest gain in speed of an entrant, in words; empty when there is none.

        An average over workloads comes before a single one: of many workloads, some are
        flattering by chance.
        """
        index = {name: i for i, name in enumerate(self.study.labels)}
        found: list[tuple[bool, float, str]] = []
        for other in others:
            parts = self.over(index[label], index[other])
            number = int((~np.isnan(parts.value)).sum())
            places = []
            if not np.isnan(parts.low).all():
                w = int(np.nanargmax(parts.low))
                value, low, high = (float(x[w]) for x in (parts.value, parts.low, parts.high))
                places.append((Estimate(value=value, low=low, high=high), f"on {self.names[w]}"))
            if number > 1:
                where = f"on average over {number} workloads that both always solve"
                places.append((pooled_speedup(parts), where))
            for part, where in places:
                if part.value is not None and part.low is not None and part.low > 1:
                    text = f"{part.value:.1f}x sooner than {other} {where}"
                    average = where.startswith("on average")
                    found.append((average, part.low, text + interval_text(part, 1)))
        return max(found)[2] if found else ""


def _speed(
    board: Leaderboard, row: OverallRow, speeds: _Speeds, lost: Sequence[str]
) -> Iterator[str]:
    others = [other.label for other in board.overall if other.rank > row.rank][:MOST_COMPARED]
    best = speeds.best(row.label, others)
    ties = [
        p.second if p.first == row.label else p.first
        for p in board.pairs
        if row.label in (p.first, p.second) and not p.separated
    ]
    if too_few_workloads(board):
        ties = []  # said once, of all
    parts = [f"reaches the target {best}"] if best else []
    parts += [f"not distinguishable by score from {listed(ties)}"] if ties else []
    parts += lost
    if parts:
        yield f"{row.label} " + ("is " if parts[0].startswith("not") else "") + "; ".join(parts)


MOST_COMPARED = 12
"""Speeds are compared with so many of those behind; the sentence names one of them."""


def _lost(board: Leaderboard, study: StudyArrays, measured: RunMetrics, s: int) -> list[str]:
    """Regimes in which someone behind it overall did better, beyond the spread of the seeds."""
    regimes = list(dict.fromkeys(w.regime for w in study.workloads))
    if len(regimes) < 2:
        return []
    rank = {row.label: row.rank for row in board.overall}
    behind = [i for i, name in enumerate(study.labels) if rank[name] > rank[study.labels[s]]]
    found = []
    for regime in regimes:
        here = [w for w, workload in enumerate(study.workloads) if workload.regime == regime]
        gains = measured.score[np.ix_(behind, here)] - measured.score[s, here]
        known = np.flatnonzero(~np.isnan(gains).all(axis=(1, 2)))
        if not len(known):
            continue
        means = np.nanmean(gains[known].reshape(len(known), -1), axis=1)
        gain, winner = max(zip(means.tolist(), known.tolist(), strict=True))
        if gain > 0 and scoring.surely_above_zero(gains[winner]):
            found.append(f"lost in {IN_REGIME[regime]} to {study.labels[behind[winner]]}")
    return found


def _lr_widths(board: Leaderboard) -> dict[str, list[float]]:
    """The known lr widths of each entrant."""
    found: dict[str, list[float]] = {row.label: [] for row in board.overall}
    for workload in board.workloads:
        for row in workload.rows:
            if row.lr_width is not None:
                found[row.label].append(row.lr_width)
    return found


def _stability(row: OverallRow, widths: Sequence[float]) -> Iterator[str]:
    lost = row.divergence
    if lost.count:
        what = "diverged"
        if row.failed:
            what = "failed" if row.failed == lost.count else "failed or diverged"
        yield (
            f"{row.label} {what} in {lost.count} of {lost.total} runs "
            f"({lost.rate:.0%}; 95% interval {lost.low:.0%} to {lost.high:.0%})"
        )
    if widths:
        over = f" (median of {len(widths)} workloads)" if len(widths) > 1 else ""
        yield (
            f"{row.label} stays within 10% of its best loss over {np.median(widths):.1f} decades "
            f"of lr{over}"
        )


def _tuning(board: Leaderboard, row: OverallRow) -> Iterator[str]:
    """Would more tuning change it? Compares the last doubling of trials with the gap ahead."""
    curves = {b.label: b.score for b in board.budgets if b.workload == ""}
    own = curves.get(row.label, ())
    ahead = next((r for r in board.overall if r.rank == row.rank - 1), None)
    if (
        row.failed
        or len(own) < 4
        or ahead is None
        or ahead.score.value is None
        or row.score.value is None
    ):
        return
    half = len(own) // 2
    gain, gap = own[-1] - own[half - 1], ahead.score.value - row.score.value
    if gap > 0:
        could = "could still change" if gain > gap else "would hardly change"
        yield (
            f"{row.label}: trials {half + 1} to {len(own)} raised its expected score on the "
            f"tuning seeds by {gain:.2f}, and {ahead.label} is {gap:.2f} ahead on the leaderboard: "
            f"more tuning {could} their order"
        )
