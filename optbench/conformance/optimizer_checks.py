"""Checks that both kinds of optimizer pass: Rules and Steppers."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from optbench.conformance.driving import (
    Arrays,
    Journey,
    all_finite,
    movement_blamed,
    noisy_quadratic,
    random_state_untouched,
    require_movement,
    same_bits,
    slope,
    starting_point,
    without_decay,
)
from optbench.conformance.kit import OPTIMIZERS, check, require
from optbench.conformance.metadata_checks import search_ends
from optbench.contracts import Array, Hyper, Optimizer, rate_of
from optbench.errors import ConfigError, describe_error

MANY_STEPS = 1000
DESCENT_STEPS = 300
DESCENT_RATES = 7
"""Number of learning rates that are tried."""
DESCENT_GOAL = 0.1
"""Largest fraction of the initial loss that the best learning rate may leave."""


def _allows_a_rate_of_zero(item: Optimizer) -> bool:
    rate = rate_of(item)
    return rate is not None and rate.low <= 0


@check(OPTIMIZERS)
def check_shape_and_dtype_kept(item: Optimizer) -> None:
    """Parameters keep their shape and dtype, in float32 and float64."""
    for dtype in ("float32", "float64"):
        before = starting_point(dtype)
        journey = Journey(item, dtype=dtype).walk(3)
        for start, param, point in zip(before, journey.params, journey.point, strict=True):
            for array, role in ((param, "a parameter"), (point, "an evaluation point")):
                require(
                    array.shape == start.shape and array.dtype == start.dtype,
                    f"{role} of shape {start.shape} and {start.dtype} became "
                    f"{array.shape} and {array.dtype}",
                )


@check(OPTIMIZERS)
def check_something_moves(item: Optimizer) -> None:
    """A gradient moves every parameter array."""
    require_movement(item)


@check(OPTIMIZERS)
def check_same_seed_same_bits(item: Optimizer) -> None:
    """The same start, gradients and seed give the same numbers, to the last bit."""
    first = Journey(item, noisy_quadratic()).walk(10).point
    second = Journey(item, noisy_quadratic()).walk(10).point
    require(
        same_bits(first, second),
        "two equal runs differ; draw random numbers only from context.rng, and keep nothing "
        "outside the state",
    )


@check(OPTIMIZERS)
def check_instances_are_isolated(item: Optimizer) -> None:
    """Two runs that take turns do not disturb each other."""
    other_start = starting_point(seed=1)
    expected = [Journey(item).walk(6).point, Journey(item, start=other_start).walk(6).point]
    shared: Any = item()
    # Calling this class gives the one shared instance, as a harness may use it for several runs.
    sharing: Any = type(item.__name__, (item,), {"__new__": lambda cls: shared})
    for cls, case in ((item, "two instances"), (sharing, "two runs of one instance")):
        together = [Journey(cls), Journey(cls, start=other_start)]
        for _ in range(6):
            for journey in together:
                journey.walk(1)
        require(
            all(same_bits(a, j.point) for a, j in zip(expected, together, strict=True)),
            f"{case} that take turns disturb each other; keep everything in the state",
        )


@check(OPTIMIZERS)
def check_global_random_state_is_left_alone(item: Optimizer) -> None:
    """It does not draw from a random state that the whole process shares."""
    with random_state_untouched():
        Journey(item).walk(5)


@check(OPTIMIZERS)
def check_hyperparameters_are_left_alone(item: Optimizer) -> None:
    """Running it does not change what it declares."""
    before = _attributes(item)
    Journey(item).walk(3)
    require(_attributes(item) == before, "its declared hyperparameters changed while it ran")


def _attributes(item: Optimizer) -> list[object]:
    """Return the attributes that declare hyperparameters, as they are now."""
    return [inspect.getattr_static(item, name, None) for name in item.hypers()]


@check(OPTIMIZERS)
def check_zero_gradient_moves_nothing(item: Optimizer) -> None:
    """Without weight decay, a gradient of 0 from the start moves nothing."""
    journey = Journey(item, slope(0.0), hyper=without_decay(item)).walk(5)
    require(all_finite(journey.point), "a gradient of 0 leads to numbers that are not finite")
    require(
        _near(journey.point, starting_point(), 1e-12),
        "it moves although the gradient is 0; call a decay of the weights weight_decay, so that "
        "this check can switch it off, and declare anything else that moves them on purpose in "
        "expected_failures",
    )


@check(OPTIMIZERS, when=_allows_a_rate_of_zero)
def check_zero_learning_rate_moves_nothing(item: Optimizer) -> None:
    """With a learning rate of 0 nothing moves."""
    rate = rate_of(item)
    assert rate is not None
    journey = Journey(item, hyper={rate.name: 0.0}).walk(5)
    require(all_finite(journey.point), f"{rate.name} = 0 leads to numbers that are not finite")
    require(_near(journey.point, starting_point(), 1e-12), f"it moves although {rate.name} = 0")


@check(OPTIMIZERS)
def check_defaults_descend(item: Optimizer) -> None:
    """With its defaults it reduces a quadratic with curvatures from 0.2 to 1."""
    before = Journey(item).loss
    after = Journey(item, total=DESCENT_STEPS).walk(DESCENT_STEPS).loss
    with movement_blamed(item):
        require(
            after < before,
            f"in {DESCENT_STEPS} steps the loss went from {before:.3g} to {after:.3g}",
        )


@check(OPTIMIZERS)
def check_descends_on_a_quadratic(item: Optimizer) -> None:
    """With some learning rate of its search range it gets close to a quadratic's minimum."""
    before = Journey(item).loss
    least = math.inf
    rate = rate_of(item)
    rates = _rates(rate)
    for value in rates:
        hyper = without_decay(item) | (
            {} if rate is None or math.isnan(value) else {rate.name: value}
        )
        loss = Journey(item, hyper=hyper, total=DESCENT_STEPS).walk(DESCENT_STEPS).loss
        least = min(least, loss if math.isfinite(loss) else math.inf)
        if least <= DESCENT_GOAL * before:
            return
    with movement_blamed(item):
        require(
            False,
            f"the best of {len(rates)} learning rates leaves {least:.3g} of an initial loss of "
            f"{before:.3g} after {DESCENT_STEPS} steps; {DESCENT_GOAL * before:.3g} is expected",
        )


def _rates(lr: Hyper | None) -> list[float]:
    """Return learning rates over the search range, largest first; NaN stands for the default."""
    if lr is None or lr.search is None:
        return [math.nan]
    low, high = search_ends(lr)
    spaced = np.geomspace if low > 0 else np.linspace
    return [math.nan, *(float(x) for x in spaced(high, low, DESCENT_RATES))]


@check(OPTIMIZERS)
def check_finite_after_many_steps(item: Optimizer) -> None:
    """It stays finite over a thousand noisy steps, and near the minimum."""
    journey = Journey(item, noisy_quadratic(), total=MANY_STEPS).walk(MANY_STEPS)
    require(
        all_finite(journey.point),
        f"numbers are not finite after {MANY_STEPS} steps with the defaults",
    )
    furthest = max(float(np.abs(x).max()) for x in journey.point)
    require(
        furthest < 1e3,
        f"after {MANY_STEPS} noisy steps a parameter is {furthest:.3g}; the minimum is at -1",
    )


@check(OPTIMIZERS)
def check_finite_at_extreme_gradients(item: Optimizer) -> None:
    """It stays finite with gradients of 1e-30 and of 1e10 in float32."""
    cures = {
        1e-30: "their squares are 0, so a denominator made of them needs a constant such as eps",
        1e10: "their fourth powers are infinite; divide before you multiply, or limit the step",
    }
    for scale, cure in cures.items():
        journey = Journey(item, slope(scale), dtype="float32").walk(20)
        require(
            all_finite(journey.point),
            f"gradients of size {scale:g} in float32 lead to numbers that are not finite; {cure}",
        )


@check(OPTIMIZERS)
def check_search_space_can_be_trained(item: Optimizer) -> None:
    """At either end of each search range, and at each choice, it takes steps without an error."""
    for name, declared in item.hypers().items():
        values: list[Any] = list(declared.choices)
        if declared.search is not None:
            values += search_ends(declared)
        if declared.kind is bool:
            values += [True, False]
        for value in values:
            try:
                Journey(item, hyper={name: value}).walk(3)
            except ConfigError:
                raise
            except Exception as problem:
                require(False, f"at {name}={value} a step fails: {describe_error(problem, item)}")


def _near(a: Arrays, b: Arrays, tolerance: float) -> bool:
    return all(_close(x, y, tolerance) for x, y in zip(a, b, strict=True))


def _close(x: Array, y: Array, tolerance: float) -> bool:
    return bool(np.allclose(x, y, rtol=tolerance, atol=tolerance))
