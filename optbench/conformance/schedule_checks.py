"""Checks of learning-rate schedules."""

from __future__ import annotations

import numpy as np

from optbench.conformance.driving import read_only
from optbench.conformance.kit import check, require
from optbench.contracts import Array, Schedule

LENGTHS = (1, 2, 3, 10, 1000)
"""Numbers of updates of the runs that a schedule is tried on."""
FINALS = (0.0, 0.1, 1.0)
"""Final factors that a schedule is tried with."""


def fractions(updates: int) -> Array:
    """Return the fraction of the run before each update, shape (updates,)."""
    return np.arange(updates) / updates


@check(("schedule",))
def check_factors_are_numbers(item: type[Schedule]) -> None:
    """It returns a finite factor of at least 0 for every update, above 0 for the first."""
    for updates in LENGTHS:
        for final in FINALS:
            factors = np.asarray(item().factor(fractions(updates), final))
            where = f"for {updates} updates and final={final}"
            require(
                factors.shape == (updates,),
                f"{where} factor returns shape {factors.shape}, not ({updates},)",
            )
            require(factors.dtype.kind in "fiu", f"{where} factor returns {factors.dtype}")
            require(np.isfinite(factors).all(), f"{where} not every factor is finite")
            require(np.all(factors >= 0), f"{where} the smallest factor is {factors.min()}")
            require(factors[0] > 0, f"{where} the first factor is 0, so nothing is trained")


@check(("schedule",))
def check_factor_is_pure(item: type[Schedule]) -> None:
    """The same fractions give the same factors, to the last bit, and are not written to."""
    s = fractions(100)
    with read_only([s], "the fractions it is given"):
        first = np.array(item().factor(s, 0.1))
        second = np.array(item().factor(s, 0.1))
    require(np.array_equal(first, second), "a second call with the same arguments differs")


@check(("schedule",))
def check_factor_is_elementwise(item: type[Schedule]) -> None:
    """The factor of an update depends on its own fraction only."""
    s = fractions(100)
    together = np.asarray(item().factor(s, 0.1))
    apart = np.concatenate([np.asarray(item().factor(s[i : i + 1], 0.1)) for i in range(len(s))])
    require(
        np.allclose(together, apart, rtol=1e-12, atol=0),
        "the factor of one update changes with the others in the same array",
    )
