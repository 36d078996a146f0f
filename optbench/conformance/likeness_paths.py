"""Small problems on which two optimizers with the same formula take the same steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from optbench.conformance.driving import SHAPES, Arrays, Journey, quadratic, starting_point
from optbench.contracts import Array, Optimizer, Value

STEPS = 40
TOLERANCE = 1e-7
"""Difference between two paths that counts, as a fraction of the largest step so far."""
ROUNDING = 1e-14
"""Difference between two paths that never counts, as a fraction of the parameters."""
SIZES = tuple(int(np.prod(shape)) for shape in SHAPES)


@dataclass(frozen=True)
class Case:
    """One problem in float64.

    Attributes:
        name: Name in a sentence.
        problem: Maps the parameters and the number of the update to loss and gradients.
    """

    name: str
    problem: Callable[[Arrays, int], tuple[float, list[Array]]]


def _steady(params: Arrays, t: int) -> tuple[float, list[Array]]:
    return quadratic(params)


def _noisy(params: Arrays, t: int) -> tuple[float, list[Array]]:
    rng = np.random.default_rng(t)
    loss, grads = quadratic(params)
    return loss, [g + rng.normal(size=g.shape) for g in grads]


def _tiny(params: Arrays, t: int) -> tuple[float, list[Array]]:
    loss, grads = quadratic(params)
    return 1e-8 * loss, [1e-8 * g for g in grads]


def _bursts(params: Arrays, t: int) -> tuple[float, list[Array]]:
    rng = np.random.default_rng(1000 + t)
    loss, grads = quadratic(params)
    return loss, [g * 10 ** rng.uniform(-3, 1) * (rng.random(g.shape) < 0.6) for g in grads]


def _given(params: Arrays, t: int) -> tuple[float, list[Array]]:
    rng = np.random.default_rng(2000 + t)
    grads = [rng.normal(size=x.shape) for x in params]
    return sum(float((g * x).sum()) for g, x in zip(grads, params, strict=True)), grads


GIVEN = Case("gradients that do not depend on the parameters", _given)
TINY = Case("a quadratic with gradients of 1e-8", _tiny)
CASES = (
    Case("a quadratic", _steady),
    Case("a quadratic with noise", _noisy),
    Case("gradients that come in bursts", _bursts),
    TINY,
    GIVEN,
)


def walked_path(optimizer: Optimizer, case: Case, hyper: Mapping[str, Value]) -> Array:
    """Return every point that an optimizer visits, shape (STEPS + 1, number of parameters)."""
    path = np.empty((STEPS + 1, sum(SIZES)))
    update = 1

    def problem(params: Arrays) -> tuple[float, list[Array]]:
        return case.problem(params, update)  # the same for every gradient of an update

    with np.errstate(all="ignore"):
        journey = Journey(optimizer, problem, hyper=hyper, total=STEPS, start=starting_point())
        path[0] = _flat(journey.point)
        for update in range(1, STEPS + 1):
            path[update] = _flat(journey.walk(1).point)
    return path


def _flat(arrays: Arrays) -> Array:
    return np.concatenate([x.ravel() for x in arrays])


@dataclass(frozen=True)
class Parting:
    """The first update after which two paths differ.

    Attributes:
        update: Number of the update, 1 for the first.
        index: Parameter that differs most, in the flat order.
        ours: Step of this parameter.
        theirs: The same in the other path.
    """

    update: int
    index: int
    ours: float
    theirs: float

    @property
    def size(self) -> float:
        """Difference of the steps over the larger one, at most 2; 2 if one is not finite."""
        larger = max(abs(self.ours), abs(self.theirs))
        size = abs(self.ours - self.theirs) / larger if larger else 0.0
        return size if math.isfinite(size) else 2.0

    @property
    def text(self) -> str:
        """Number of the update, the parameter, and both steps."""
        array = int(np.searchsorted(np.cumsum(SIZES), self.index, side="right"))
        place = np.unravel_index(self.index - sum(SIZES[:array]), SHAPES[array])
        role = "weight" if len(SHAPES[array]) == 2 else "bias"
        factor = ""
        if self.theirs and math.isfinite(self.ours):
            ratio = self.ours / self.theirs
            factor = (
                f", {ratio:.4g} times it"
                if abs(ratio - 1) > 1e-3
                else (f", which is {ratio - 1:+.1e} of it off")
            )
        return (
            f"at update {self.update} the {role} [{', '.join(map(str, place))}] moves by "
            f"{self.ours:.4g}, not by {self.theirs:.4g}{factor}"
        )


def find_parting(ours: Array, theirs: Array) -> Parting | None:
    """Return where two paths part; None if they are the same."""
    with np.errstate(all="ignore"):
        moved = np.abs(np.diff(theirs, axis=0)).max(axis=1, initial=0.0)
        scale = np.maximum.accumulate(np.concatenate([[0.0], np.nan_to_num(moved)]))[:, None]
        difference = np.abs(ours - theirs)
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        apart = ~same & ~(difference <= TOLERANCE * scale + ROUNDING * (1 + np.abs(theirs)))
        if not apart.any():
            return None
        update = int(apart.any(axis=1).argmax())
        index = int(
            np.where(apart[update], np.nan_to_num(difference[update], nan=np.inf), -1).argmax()
        )
        before = max(update - 1, 0)
        return Parting(
            update,
            index,
            float(ours[update, index] - ours[before, index]),
            float(theirs[update, index] - theirs[before, index]),
        )
