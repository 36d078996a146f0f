"""What may be wrong with a formula whose steps are not those of the reference.

A hint is a change of the reference that gives the steps of the optimizer on every problem, or a
relation between the steps of both that holds at every update.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from optbench.conformance.driving import other_values
from optbench.conformance.likeness_factors import known_factors
from optbench.conformance.likeness_memory import memory_hint
from optbench.conformance.likeness_paths import CASES, GIVEN, TINY, find_parting, walked_path
from optbench.conformance.likeness_settings import Pair, match, spelled
from optbench.contracts import Array, Optimizer, Rule, Value
from optbench.errors import ConfigError
from optbench.registry import Registry
from optbench.registry.kinds import OPTIMIZERS

NEAR = 1e-6
"""Relative difference of two factors below which they are the same."""


def find_hint(pair: Pair, values: Mapping[str, Value], registry: Registry) -> str:
    """Return what may be wrong, in words; empty if nothing is recognized.

    Args:
        pair: The optimizer and its reference, whose steps differ.
        values: Values of the shared hyperparameters.
        registry: Registry whose optimizers are tried.
    """
    paths = [walked_path(pair.item, case, pair.ours(values)) for case in CASES]
    if not any(np.isfinite(path[1]).all() for path in paths):
        return "its first step is not finite (t is 1 at first, where 1 - beta^(t - 1) is 0)"
    for label, hyper in _changed_references(pair, values):
        if _is_path_of(paths, pair.reference, hyper):
            return label
    return (
        _own_option(pair, values)
        or _factor_hint(pair, values)
        or _decay_hint(pair, values)
        or _eps_hint(pair, values)
        or _other_optimizer(pair, paths, values, registry)
        or memory_hint(pair, values)
    )


def _is_path_of(paths: list[Array], optimizer: Optimizer, hyper: Mapping[str, Value]) -> bool:
    try:
        return all(
            find_parting(path, walked_path(optimizer, case, hyper)) is None
            for path, case in zip(paths, CASES, strict=True)
        )
    except Exception:  # values that the reference does not allow, or cannot compute with
        return False


def _changed_references(
    pair: Pair, values: Mapping[str, Value]
) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield other values for the reference, and what they would mean."""
    base, name = pair.theirs(values), pair.reference.name
    numbers = {k: float(v) for k, v in base.items() if type(v) is float}
    for key, declared in pair.reference.hypers().items():
        others: list[Any] = [not base[key]] if isinstance(base[key], bool) else []
        others += [choice for choice in declared.choices if choice != base[key]]
        for value in others:
            text = str(value).lower() if isinstance(value, bool) else value
            yield f"these are the steps of {name}[{key}={text}]", {**base, key: value}
    for one, other in itertools.combinations(numbers, 2):
        if 0 < numbers[one] < 1 and 0 < numbers[other] < 1:
            swapped = {**base, one: numbers[other], other: numbers[one]}
            yield f"{one} and {other} seem to be exchanged", swapped
    for key, value in numbers.items():
        for nothing in (0.0, 1e-30) if value else ():
            yield f"{key} seems to have no effect", {**base, key: nothing}
        if 0 < value < 1:
            yield f"1 - {key} seems to stand where {key} should be", {**base, key: 1 - value}
            yield f"{key} seems to be squared", {**base, key: value**2}
            yield f"the root of {key} seems to be used", {**base, key: math.sqrt(value)}


def _own_option(pair: Pair, values: Mapping[str, Value]) -> str:
    """Return with which other choice the optimizer takes the steps of the reference."""
    paths = [walked_path(pair.reference, case, pair.theirs(values)) for case in CASES]
    given = pair.ours(values)
    for name, declared in pair.item.hypers().items():
        if declared.kind not in (bool, str):
            continue
        for value in other_values(declared):
            if _is_path_of(paths, pair.item, {**given, name: value}):
                return f"with {spelled(name, value)} it takes these steps"
    return ""


# -- factors ----------------------------------------------------------------------------------


def _factor_hint(pair: Pair, values: Mapping[str, Value]) -> str:
    """Return what factor there is on every step, if it is the same for all parameters."""
    values = _distinct_values(pair, values)
    with np.errstate(all="ignore"):
        ours = np.diff(walked_path(pair.item, GIVEN, pair.ours(values)), axis=0)
        theirs = np.diff(walked_path(pair.reference, GIVEN, pair.theirs(values)), axis=0)
        ratios = ours / theirs
    if not np.isfinite(ratios).all() or np.allclose(ratios, 1, rtol=NEAR, atol=0):
        return ""
    middle = np.median(ratios, axis=1)
    if not np.allclose(ratios, middle[:, None], rtol=NEAR, atol=0):
        return _denominator_hint(pair, values, ratios)
    t = np.arange(1, len(middle) + 1).astype(float)
    sign = "with the sign flipped, " if (middle < 0).all() else ""
    with np.errstate(all="ignore"):
        for label, factor in known_factors(pair.theirs(values)):
            if np.allclose(np.abs(middle), factor(t), rtol=NEAR, atol=0):
                return f"{sign}{label}" if label else "the sign of the step is flipped"
    if np.allclose(middle, middle[0], rtol=NEAR, atol=0):
        return f"every step is {middle[0]:.4g} times that of {pair.reference.name}"
    return (
        f"{sign}all parameters have one factor, {middle[0]:.4g} at first and {middle[-1]:.4g} "
        + (f"at update {len(middle)}")
    )


def _distinct_values(pair: Pair, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values from which no factor has two meanings, and a negligible eps."""
    changed = dict(values)
    for position, (name, value) in enumerate(values.items()):
        if type(value) is not float:
            continue
        others = [0.0, 1e-30] if name == "eps" else [value * (0.97 - 0.013 * position)]
        changed[name] = next((x for x in others if pair.allows(name, x)), value)
    return changed


def _denominator_hint(pair: Pair, values: Mapping[str, Value], ratios: Array) -> str:
    """Return whether the denominator has another power than that of the reference."""
    if "eps" not in values or not pair.allows("eps", 1.0):
        return ""
    wider = pair.theirs({**values, "eps": 1.0})
    first, second = (
        np.diff(walked_path(pair.reference, GIVEN, hyper), axis=0)
        for hyper in (pair.theirs(values), wider)
    )
    with np.errstate(all="ignore"):
        denominators = 1 / (first / second - 1)  # first / second is (root + eps) / root
        powers = {
            "the root in the denominator is missing": 1 / denominators,
            "the denominator is missing": denominators,
            "there is an extra root in the denominator": np.sqrt(denominators),
        }
        for text, expected in powers.items():
            if np.allclose(np.abs(ratios), expected, rtol=1e-4, atol=0):
                return text
    return ""


# -- decay and eps ----------------------------------------------------------------------------


def _decay_hint(pair: Pair, values: Mapping[str, Value]) -> str:
    """Return how the weight decay differs, if nothing else does."""
    name = "weight_decay"
    if not values.get(name) or not _agree(pair, {**values, name: 0.0}):
        return ""
    ours, own_step = _first_steps(pair, values, name)
    theirs, _ = _first_steps(pair, values, name, of_reference=True)
    theta = walked_path(pair.reference, GIVEN, pair.theirs(values))[0]
    lead = f"only {name} differs: "
    rate = next((float(values[k]) for k in ("lr",) if k in values), 1.0)
    factors = {1 / rate: "it is not multiplied by lr", rate: "it is multiplied by lr twice"}
    factors |= {-1.0: "it has the wrong sign", 2.0: "it counts twice", 0.5: "it counts half"}
    for factor, text in factors.items():
        if np.allclose(ours, factor * theirs, rtol=1e-5, atol=0):
            return lead + text
    amount = rate * float(values[name])
    if np.allclose(ours, -amount * (theta + own_step), rtol=1e-5, atol=0):
        return lead + "it is applied to the parameters after the step, not before it"
    if _is_multiple(theirs, theta) and not _is_multiple(ours, theta):
        return lead + "it goes through the gradient (coupled), and should shrink the parameters"
    if _is_multiple(ours, theta) and not _is_multiple(theirs, theta):
        return lead + "it shrinks the parameters (decoupled), and should go through the gradient"
    return lead + "it enters the step in another way"


def _first_steps(
    pair: Pair, values: Mapping[str, Value], name: str, of_reference: bool = False
) -> tuple[Array, Array]:
    """Return what a hyperparameter adds to the first step, and the first step without it."""
    steps = []
    for setting in (values, {**values, name: 0.0}):
        hyper = pair.theirs(setting) if of_reference else pair.ours(setting)
        path = walked_path(pair.reference if of_reference else pair.item, GIVEN, hyper)
        steps.append(path[1] - path[0])
    return steps[0] - steps[1], steps[1]


def _is_multiple(vector: Array, of: Array) -> bool:
    ratios = vector / of
    return bool(np.allclose(ratios, ratios[0], rtol=1e-5, atol=0))


def _eps_hint(pair: Pair, values: Mapping[str, Value]) -> str:
    """Return where eps stands, if nothing else differs."""
    name = "eps"
    least = next((e for e in (0.0, 1e-30) if name in values and pair.allows(name, e)), None)
    if least is None or not values.get(name) or not _agree(pair, {**values, name: least}):
        return ""
    eps = float(values[name])
    steps = [
        np.diff(walked_path(optimizer, TINY, side({**values, name: e}))[:2], axis=0)[0]
        for optimizer, side in ((pair.item, pair.ours), (pair.reference, pair.theirs))
        for e in (eps, least)
    ]
    with np.errstate(all="ignore"):
        ours, theirs = steps[1] / steps[0], steps[3] / steps[2]
        root = eps / (theirs - 1)  # theirs is (root + eps) / root
        places = {
            "stands inside the root": np.sqrt(1 + eps / root**2),
            "stands inside the root and is squared": np.sqrt(1 + (eps / root) ** 2),
            "is a lower limit of the denominator": np.maximum(1, eps / root),
            "stands outside the root, and should be inside": 1 + eps / _root_inside(theirs, eps),
        }
        for key, value in pair.theirs(values).items():
            if type(value) is float and 0 < value < 1:
                text = f"is added before the bias correction of {key}"
                places[text] = 1 + eps / (root * math.sqrt(1 - value))
        for text, expected in places.items():
            if np.allclose(ours, expected, rtol=1e-4, atol=0):
                return f"only eps differs: it {text}"
    return "only eps differs: it stands in another place"


def _root_inside(factor: Array, eps: float) -> Array:
    """Return the root of which eps, added under it, increases a denominator by this factor."""
    result: Array = np.sqrt(eps / (factor**2 - 1))
    return result


def _agree(pair: Pair, values: Mapping[str, Value]) -> bool:
    try:
        return all(
            find_parting(
                walked_path(pair.item, case, pair.ours(values)),
                walked_path(pair.reference, case, pair.theirs(values)),
            )
            is None
            for case in CASES
        )
    except Exception:  # a value that one of the two does not allow
        return False


# -- other optimizers -------------------------------------------------------------------------


def _other_optimizer(
    pair: Pair, paths: list[Array], values: Mapping[str, Value], registry: Registry
) -> str:
    """Return the name of a registered optimizer that takes these steps, if there is one."""
    for entry in registry.entries(OPTIMIZERS).values():
        other = entry.item
        if other in (pair.item, pair.reference) or not issubclass(other, Rule):
            continue
        try:
            to_other = match(pair.item, other, {})
        except ConfigError:
            continue
        ours = {**{n: h.default for n, h in pair.item.hypers().items()}, **pair.ours(values)}
        hyper = {name: ours[own] for name, own in to_other.names.items()}
        if _is_path_of(paths, other, hyper):
            return f"these are the steps of {entry.name}"
    return ""
