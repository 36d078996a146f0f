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
        train: Median final training loss.
    """

    optimizer: str
    at: Mapping[str, Value]
    losses: tuple[float, ...]
    median: float
    low: float
    high: float
    diverged: int
    train: float


def sweep_point(
    optimizer: str, at: Mapping[str, Value], results: Sequence[RunResult]
) -> SweepPoint:
    """Summarize the seeds of one point.

    The interval lies between two order statistics, so it assumes nothing about the distribution:
    the narrowest symmetric pair that contains the median with probability `COVERAGE`, or the lowest
    and the highest loss.

    Args:
        optimizer: Spelling of the optimizer.
        at: The swept values.
        results: At least one run, one for each seed.
    """
    losses, train = (
        sorted(r.final(column) if r.status is Status.OK else math.inf for r in results)
        for column in ("val_loss", "train_loss")
    )
    n = len(losses)
    inside = max((k for k in range((n + 1) // 2) if coverage(n, k) >= COVERAGE), default=0)
    return SweepPoint(
        optimizer=optimizer,
        at=dict(at),
        losses=tuple(losses),
        median=_median(losses),
        low=losses[inside],
        high=losses[n - 1 - inside],
        diverged=sum(math.isinf(loss) for loss in losses),
        train=_median(train),
    )


def _median(losses: Sequence[float]) -> float:
    """Return the median of sorted losses; infinite if one of the two in the middle is."""
    low, high = losses[(len(losses) - 1) // 2], losses[len(losses) // 2]
    return math.inf if math.isinf(high) else (low + high) / 2


def coverage(n: int, k: int) -> float:
    """Return the probability that the median lies between the (k+1)-th lowest and highest draw.

    Example:
        >>> coverage(5, 0)
        0.9375
    """
    return float(1 - 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)
