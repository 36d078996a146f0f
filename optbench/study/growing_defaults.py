"""What a study that runs until it is decided has by default."""

from __future__ import annotations

from optbench.suites.overrides import SuiteChanges

MOST_REPLICATES = 32
"""Largest number of replicates of a study that runs until it is decided, unless it is given."""


def growing_changes(changes: SuiteChanges) -> SuiteChanges:
    """Return the changes of a study that runs until it is decided.

    Without a number of replicates, `MOST_REPLICATES` is the largest. Steppers have as many as the
    others, unless their number is given: the results decide who gets fewer.
    """
    grown = changes.copy()
    if grown.get("replicates") is None:
        grown["replicates"] = MOST_REPLICATES
    if grown.get("stepper_replicates") is None:
        grown["stepper_replicates"] = 0
    return grown
