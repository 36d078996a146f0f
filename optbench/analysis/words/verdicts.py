"""Sentences derived from the numbers, so that nobody has to read a table to learn who won.

What they say of two entrants is the verdict of a board. The rest describes one entrant: how many
of its runs were lost, and how wide its range of good learning rates is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from optbench.analysis.board_rows import OverallRow, Verdict
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.words.board_sentences import entrant_sentence, has_verdicts, scope_sentence
from optbench.support.text import count


def verdicts(board: Leaderboard) -> tuple[Verdict, ...]:
    """Return the sentences: first about the whole study, then about each entrant, best first."""
    overall = [each for each in board.boards if each.regime is None]
    these = [each for each in overall if each.statement == "these-workloads"]
    like_these = [each for each in overall if each.statement == "workloads-like-these"]
    sentences = [Verdict(label="", text=scope_sentence(each)) for each in these]
    if not any(map(has_verdicts, these)):
        sentences = sentences[:1]  # four times the same, without a second replicate
    notes = [each.note for each in these if each.note.startswith("No verdicts")]
    sentences += [Verdict(label="", text=note) for note in notes[:1]]
    if len(board.overall) > 1:
        sentences += [Verdict(label="", text=scope_sentence(each)) for each in like_these]
    widths = _lr_widths(board)
    for row in board.overall:
        about_entrant = [entrant_sentence(each, row.label) for each in these if has_verdicts(each)]
        about_entrant += [*_lost_runs(row), *_lr_width(row, widths[row.label])]
        sentences += [Verdict(label=row.label, text=text) for text in about_entrant]
    return tuple(sentences)


def _lr_widths(board: Leaderboard) -> dict[str, list[float]]:
    """Return the known lr widths of each entrant."""
    widths: dict[str, list[float]] = {row.label: [] for row in board.overall}
    for workload in board.workloads:
        for row in workload.rows:
            if row.lr_width is not None:
                widths[row.label].append(row.lr_width)
    return widths


def _lost_runs(row: OverallRow) -> Iterator[str]:
    lost = row.divergence
    if lost.count:
        verb = "diverged"
        if row.failed:
            verb = "failed" if row.failed == lost.count else "failed or diverged"
        yield f"{row.label} {verb} in {lost.count} of {count(lost.total, 'run')} ({lost.rate:.1%})"


def _lr_width(row: OverallRow, widths: Sequence[float]) -> Iterator[str]:
    if widths:
        over = f" (median of {len(widths)} workloads)" if len(widths) > 1 else ""
        yield (
            f"{row.label} stays within 10% of its best loss over {np.median(widths):.1f} "
            f"decades of lr{over}"
        )
