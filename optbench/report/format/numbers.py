"""Numbers, intervals and rates as short text."""

from __future__ import annotations

import math

from optbench.analysis.board_rows import AxisSummary, Estimate, Number, Rate, Spread
from optbench.analysis.words import prose

UNKNOWN = prose.UNKNOWN
NEVER = "never"


def number(value: Number, digits: int = 3, infinite: str = NEVER) -> str:
    """Return a number in short: ``1.23``, ``12.3k``, ``never`` for infinity, a dash if unknown."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return infinite if value > 0 or infinite == UNKNOWN else "-" + infinite
    for unit, size in (("M", 1e6), ("k", 1e4)):
        if abs(value) >= size:
            return f"{value / (1e6 if unit == 'M' else 1e3):.{digits}g}{unit}"
    return f"{value:.{max(digits, 4)}g}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def fixed(value: Number, places: int = 2) -> str:
    """Return a number with a fixed count of decimals, for columns that are read downwards."""
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.{places}f}"


def significant(value: float, digits: int) -> str:
    """Return a number with a fixed count of significant digits, zeros at its end included.

    Example:
        >>> significant(0.6, 2), significant(2.0, 4), significant(12, 2), significant(math.inf, 2)
        ('0.60', '2.000', '12', 'inf')
    """
    return f"{value:#.{digits}g}".removesuffix(".")


def interval(estimate: Estimate, places: int = 2) -> str:
    """Return ``0.93 [0.90, 0.95]``, or only the number if there is no interval."""
    text = fixed(estimate.value, places)
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{fixed(estimate.low, places)}, {fixed(estimate.high, places)}]"


def lost(value: Rate, failed: int, brief: bool = False) -> str:
    """Return how many runs diverged, and apart from them how many failed with an error.

    Args:
        value: Rate of lost runs, diverged or failed.
        failed: Number of runs that failed.
        brief: Leave out the total and the percentage of diverged runs.

    Example:
        >>> lost(Rate(count=15, total=15, rate=1, low=0.8, high=1), 12)
        '3 of 15 (20%), failed 12 of 15'
    """
    diverged = value.count - failed
    of = "" if brief else f" of {value.total}"
    parts = []
    if diverged or not failed:
        share = f" ({diverged / value.total:.0%})" if diverged and not brief else ""
        parts.append(f"{diverged}{of}{share}")
    if failed:
        parts.append(f"failed {failed} of {value.total}")
    return ", ".join(parts)


def solved(summary: AxisSummary | None, of: str) -> str:
    """Return ``3/4`` with `of` between, or a dash if there is nothing to solve."""
    if summary is None or not summary.workloads:
        return UNKNOWN
    return f"{summary.solved}{of}{summary.workloads}"


def loss(spread: Spread, all_failed: bool = False) -> str:
    """Return the median loss; ``diverged`` if the median run did, or ``failed`` if all failed."""
    return number(spread.median, infinite="failed" if all_failed else "diverged")
