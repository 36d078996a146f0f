"""Measures what fewer evaluations along a run change on the boards.

    python -m tests.benchmarks.thinned_curves [--suite quick] [--least 12 8]

A study is trained with every point of the grid, and again with fewer points in runs whose curves
would cost too much, but with at least so many. The training is the same; which trial is chosen,
when a run reaches its target and where its test loss is read may change. Each line has the
evaluations that are left, the largest change of a difference on each board beside the region of
equivalence, and the verdicts that change.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from optbench import Leaderboard, Study, compare
from optbench.engine import curve_points
from optbench.records import BOARD_NAMES, BoardName
from optbench.suites.overrides import SuiteLike

EVERY_POINT = 10**9
"""More points than any grid has."""


@dataclass(frozen=True)
class Changes:
    """What differs between the boards of two studies of the same entrants and workloads.

    Attributes:
        largest: Board -> largest change of a difference of a pair, over all statements and regimes.
        regions: Board -> half width of its region of practical equivalence.
        verdicts: Number of verdicts that differ.
        pairs: Number of verdicts.
    """

    largest: dict[BoardName, float]
    regions: dict[BoardName, float]
    verdicts: int
    pairs: int

    def __str__(self) -> str:
        parts = [f"{n} {self.largest[n]:.3f} (region {self.regions[n]:g})" for n in self.largest]
        return f"{', '.join(parts)}; {self.verdicts} of {self.pairs} verdicts"


@contextmanager
def least_points(least: int) -> Iterator[None]:
    """Plan runs with at least so many points, whatever they cost."""
    before, curve_points.LEAST = curve_points.LEAST, least
    try:
        yield
    finally:
        curve_points.LEAST = before


def study_with(least: int, suite: SuiteLike) -> Study:
    """Return the study of a suite whose curves have at least so many points."""
    with least_points(least):
        return compare(suite=suite)


def evaluations(study: Study) -> int:
    """Return at how many points the runs of a study were evaluated."""
    return sum(len(run.curve["val_loss"]) for run in study.runs)


def changes(before: Leaderboard, after: Leaderboard) -> Changes:
    """Compare the boards of two studies, pair by pair."""
    largest, changed, pairs = dict.fromkeys(BOARD_NAMES, 0.0), 0, 0
    for old, new in zip(before.boards, after.boards, strict=True):
        for pair in old.pairs:
            other = new.pair(pair.first, pair.second)
            sign = 1 if other.first == pair.first else -1
            if pair.difference is not None and other.difference is not None:
                change = abs(pair.difference - sign * other.difference)
                largest[old.name] = max(largest[old.name], change)
            turned = pair.verdict == other.verdict == "better" and sign < 0
            changed += pair.verdict != other.verdict or turned
            pairs += 1
    regions = {board.name: board.region for board in before.boards}
    return Changes(largest, regions, changed, pairs)


def main() -> None:
    """Train the studies and print what changes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--suite", default="quick")
    parser.add_argument("--least", type=int, nargs="+", default=[curve_points.LEAST, 8])
    options = parser.parse_args()
    full = study_with(EVERY_POINT, options.suite)
    points = evaluations(full)
    print(f"every point: {points:,} evaluations in {len(full.runs):,} runs", flush=True)
    for least in options.least:
        thinned = study_with(least, options.suite)
        left = f"{evaluations(thinned):,} evaluations in {len(thinned.runs):,} runs"
        found = changes(full.leaderboard, thinned.leaderboard)
        print(f"at least {least}: {left}; {found}", flush=True)


if __name__ == "__main__":
    main()
