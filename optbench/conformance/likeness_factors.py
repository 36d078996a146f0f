"""Factors on the steps of an optimizer, and the slips in a formula that lead to them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from optbench.contracts import Array, Value

Factor = Callable[[Array], Array]
"""Maps the numbers of the updates to the factor on each step."""


def known_factors(values: Mapping[str, Value]) -> Iterator[tuple[str, Factor]]:
    """Yield factors and what they mean; the factor 1 has no meaning of its own."""
    yield "", np.ones_like
    numbers = {k: float(v) for k, v in values.items() if type(v) is float and v > 0}
    for key, value in numbers.items():
        yield f"every step is multiplied by {key} once more", _constant(value)
        yield f"{key} is missing as a factor of the step", _constant(1 / value)
    decays = {key: value for key, value in numbers.items() if 0.3 < value < 1}
    for key, value in decays.items():
        yield f"the factor 1 - {key} is missing", _constant(1 / (1 - value))
        yield f"the root of 1 - {key} is missing", _constant(math.sqrt(1 - value))
        yield f"there is an extra factor 1 - {key}", _constant(1 - value)
    corrections = [list(_corrections(key, value)) for key, value in decays.items()]
    yield from itertools.chain(*corrections)
    for first, second in itertools.permutations(corrections, 2):
        for (label, factor), (other_label, other) in itertools.product(first, second):
            yield f"{label}, and {other_label}", _product(factor, other)
    yield "the step shrinks like 1 / sqrt(t)", lambda t: 1 / np.sqrt(t)
    yield "the step shrinks like 1 / t", lambda t: 1 / t


def _corrections(key: str, decay: float) -> Iterator[tuple[str, Factor]]:
    """Yield the factors that a wrong correction for bias leaves on a step."""

    def left(power: float, shift: int | None) -> Factor:
        def factor(t: Array) -> Array:
            wrong = 1.0 if shift is None else 1 - decay ** (t + shift)
            result: Array = ((1 - decay**t) / wrong) ** power
            return result

        return factor

    for power in (1.0, -0.5):  # of a mean in the numerator, or a mean square under the root
        yield f"the bias correction of {key} is missing", left(power, None)
        yield f"the bias correction of {key} uses t + 1", left(power, 1)
        yield f"the bias correction of {key} uses t - 1", left(power, -1)


def _constant(value: float) -> Factor:
    return lambda t: np.full_like(t, value)


def _product(one: Factor, other: Factor) -> Factor:
    return lambda t: one(t) * other(t)
