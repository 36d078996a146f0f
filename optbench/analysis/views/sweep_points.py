"""The points of a sweep: the median over seeds at each, and an interval for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optbench.contracts import Value
from optbench.records import RunResult, Status

COVERAGE = 0.9
"""Least probability that the interval contains the true median, if there are enough seeds."""


@dataclass(frozen=True)
class SweepPoint:
    """One point of a sweep.

    Attributes:
        optimizer: Spelling of the optimizer.
        at: Value of each swept hyperparameter.
        losses: Final validation loss of each seed, infinite for runs that diverged or failed.
        median: Median of the losses.
        low, high: Interval of the median.
        diverged: Number of runs that diverged or failed.
    """

    optimizer: str
    at: Mapping[str, Value]
    losses: tuple[float, ...]
    median: float
    low: float
    high: float
    diverged: int


def sweep_point(
    optimizer: str, at: Mapping[str, Value], results: Sequence[RunResult]
) -> SweepPoint:
    """Summarise the seeds of one point.

    The interval lies between two order statistics, so it assumes nothing about the distribution:
    the narrowest symmetric pair that contains the median with probability `COVERAGE`, or the lowest
    and the highest loss.

    Args:
        optimizer: Spelling of the optimizer.
        at: The swept values.
        results: At least one run, one for each seed.
    """
    losses = sorted(r.final("val_loss") if r.status is Status.OK else math.inf for r in results)
    n = len(losses)
    inside = max((k for k in range((n + 1) // 2) if coverage(n, k) >= COVERAGE), default=0)
    middle = losses[(n - 1) // 2], losses[n // 2]
    return SweepPoint(
        optimizer=optimizer,
        at=dict(at),
        losses=tuple(losses),
        median=math.inf if math.isinf(middle[1]) else sum(middle) / 2,
        low=losses[inside],
        high=losses[n - 1 - inside],
        diverged=sum(math.isinf(loss) for loss in losses),
    )


def coverage(n: int, k: int) -> float:
    """Return the probability that the median lies between the (k+1)-th lowest and highest draw.

    Example:
        >>> coverage(5, 0)
        0.9375
    """
    return float(1 - 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)
