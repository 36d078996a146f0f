"""Learning rates to try where the rate of an optimizer is left open."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optbench.contracts import Array, Hyper, Value
from optbench.tuning.space import scale_at

BEYOND = 10.0
"""Factor by which a tried rate may exceed the search range. The range is meant for networks, in
which weights move less far than on small problems."""


def tried_rates(rate: Hyper, values: Mapping[str, Value], count: int) -> Array:
    """Return rates that are log-spaced over the search range and beyond, shape (count,).

    Args:
        rate: The hyperparameter that is the learning rate, with a search range.
        values: Hyperparameter values. Where the range holds the rate over 1 - momentum, and the
            momentum is among them, the rates are multiplied by 1 - momentum.
        count: Number of rates.

    Raises:
        ValueError: The rate has no search range.
    """
    if rate.search is None:
        raise ValueError(f"{rate.name} has no search range")
    low, high = rate.search
    rates: Array = scale_at(rate, values) * np.geomspace(low, high * BEYOND, count)
    return rates
