"""The scale of the picture of bias and variance, the same in files and on the page."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from optbench.analysis.view_records import BiasVariance
from optbench.analysis.views.bias_variance import HIGH
from optbench.contracts import Array

SCALE_NAME = "asinh scale: linear up to 10%, logarithmic beyond"
UNIT = "% of the way from the initial to the reference loss"
LINEAR_WIDTH = HIGH
"""Share around 0 in which the scale is about linear."""
PADDING, LEAST_PADDING = 0.25, 0.01
"""Room beyond the shares: as a part of them, and at least."""
TICKS = (-100, -10, -1, -0.3, -0.1, 0, 0.1, 0.3, 1, 3, 10, 100)


def squeeze(share: float | Array) -> Array:
    """Return the place of a share on the scale: ``asinh(share / LINEAR_WIDTH)``.

    Example:
        >>> round(float(squeeze(0.1)), 3), round(float(squeeze(-10.0)), 3)
        (0.881, -5.298)
    """
    return np.arcsinh(np.asarray(share, dtype=float) / LINEAR_WIDTH)


def scale_limits(shares: Iterable[float]) -> tuple[float, float]:
    """Return limits of an axis that holds these shares, 0, and the limit of what counts as high.

    Example:
        >>> low, high = scale_limits([0.02])
        >>> low < 0 < HIGH < high
        True
    """
    every = list(shares)
    low, high = min([-HIGH / 2, *every]), max([1.5 * HIGH, *every])
    return low * (1 + PADDING) - LEAST_PADDING, high * (1 + PADDING) + LEAST_PADDING


def ticks_within(low: float, high: float) -> list[float]:
    """Return the ticks between two limits, at least those at 0 and 10% for `scale_limits`."""
    return [tick for tick in TICKS if low <= tick <= high]


def relative_term(entry: BiasVariance, term: str) -> float | None:
    """Return a term of the decomposition as a share of the way from initial to reference loss."""
    value = getattr(entry, term).value
    if value is None or not np.isfinite(value) or entry.delta <= 0:
        return None
    return float(value / (entry.delta / HIGH))
