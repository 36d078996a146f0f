"""How the last step of an optimizer depends on the gradients before it and on the last one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optbench.conformance.driving import Arrays
from optbench.conformance.likeness_paths import GIVEN, STEPS, Case, walked_path
from optbench.conformance.likeness_settings import Pair
from optbench.contracts import Array, Optimizer, Value

NEAR = 1e-6
"""Relative difference of two steps below which they are the same."""


def _changed_case(early: float, last: float) -> Case:
    """Return the case of given gradients with a factor on the last one, and one on the others."""

    def problem(params: Arrays, t: int) -> tuple[float, list[Array]]:
        loss, grads = GIVEN.problem(params, t)
        factor = last if t == STEPS else early
        return factor * loss, [factor * g for g in grads]

    return Case(GIVEN.name, problem)


def memory_hint(pair: Pair, values: Mapping[str, Value]) -> str:
    """Return whether the optimizer remembers less than its reference; empty if it does not."""
    ours = _last_steps(pair.item, pair.ours(values))
    theirs = _last_steps(pair.reference, pair.theirs(values))
    name = pair.reference.name
    if _same(ours[0], ours[1]) and not _same(theirs[0], theirs[1]):
        return (
            f"its steps depend on the current gradient only, those of {name} also on earlier ones"
        )
    if _same(ours[2], 2 * ours[0]) and not _same(theirs[2], 2 * theirs[0]):
        return (
            f"its steps are proportional to the current gradient, those of {name} are not; "
            "perhaps a state is used before it is updated"
        )
    return ""


def _last_steps(optimizer: Optimizer, hyper: Mapping[str, Value]) -> list[Array]:
    """Return the last step: as it is, after other gradients, and with twice the last gradient."""
    steps = []
    for early, last in ((1.0, 1.0), (3.0, 1.0), (1.0, 2.0)):
        path = walked_path(optimizer, _changed_case(early, last), hyper)
        with np.errstate(all="ignore"):
            steps.append(path[-1] - path[-2])
    return steps


def _same(one: Array, other: Array) -> bool:
    return bool(np.allclose(one, other, rtol=NEAR, atol=0))
