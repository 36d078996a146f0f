"""Rates of lost runs."""

from __future__ import annotations

from functools import cache

import numpy as np

from optbench.analysis.board_rows import Rate
from optbench.analysis.statistics.hypothesis_tests import wilson
from optbench.contracts import Array


def rate_of(flags: Array) -> Rate:
    """Return the share of ones with its Wilson interval; NaN entries are not counted."""
    total, count = int((~np.isnan(flags)).sum()), int(np.nansum(flags))
    return make_rate(count, total)


@cache
def make_rate(count: int, total: int) -> Rate:
    """Return `count` of `total` with its Wilson interval; the rate is 0 if `total` is 0."""
    low, high = wilson(count, total)
    return Rate(count=count, total=total, rate=count / max(total, 1), low=low, high=high)
