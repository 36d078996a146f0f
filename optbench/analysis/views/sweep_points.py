"""What a sweep came to: at each point the median over seeds, and an interval for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optbench.contracts import Value
from optbench.records import RunResult, Status

COVERAGE = 0.9
"""Least probability with which the interval holds the true median, where seeds suffice for it."""


@dataclass(frozen=True)
class SweepPoint:
    """One point of a sweep.

    Attributes:
        optimizer: the optimizer as it was spelled.
        at: value of each swept hyperparameter.
        losses: final validation loss of each seed, infinite for runs that diverged or failed.
        median: of the losses.
        low, high: the interval.
        diverged: how many of the runs did not end well.
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

    The interval is between two order statistics, so it asks nothing of the distribution: the
    narrowest symmetric pair that holds the median with probability `COVERAGE`, or all seeds.

    Args:
        optimizer: its spelling.
        at: the swept values.
        results: one run a seed, one at least.
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
    """Probability that the median lies between the (k+1)-th lowest and highest of n draws.

    Example:
        >>> coverage(5, 0)
        0.9375
    """
    return float(1 - 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)
