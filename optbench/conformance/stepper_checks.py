"""Checks of Steppers: declared needs, gradients that are only read, the evaluation point."""

from __future__ import annotations

import numpy as np

from optbench.conformance.driving import (
    Journey,
    quadratic,
    read_only,
    same_bits,
)
from optbench.conformance.kit import check, require
from optbench.contracts import Array, Stepper

UNOBSERVED_NEEDS = frozenset({"full-batch"})
"""Needs that the harness meets itself, so that their use cannot be observed."""


@check(("stepper",))
def check_declared_needs_are_used(item: type[Stepper]) -> None:
    """It uses everything that it declares in `needs`, and nothing else."""
    journey = Journey(item).walk(5)  # a need that is not declared is refused on use
    unused = item.needs - journey.updater.used - UNOBSERVED_NEEDS
    require(not unused, f"`needs` declares {', '.join(sorted(unused))}, which it never uses")


@check(("stepper",), when=lambda item: "closure" not in item.needs)
def check_gradients_are_not_mutated(item: type[Stepper]) -> None:
    """It does not write to the gradients that it is given."""
    journey = Journey(item)
    loss, grads = quadratic(journey.params)
    with read_only(grads, "the gradients"):
        for _ in range(3):
            journey.updater.step(grads, loss)


@check(("stepper",))
def check_gradients_are_not_kept(item: type[Stepper]) -> None:
    """It remembers copies of gradients, because the buffer is written again."""
    same_buffer = Journey(item).walk(6).point
    journey = Journey(item)
    for _ in range(6):
        loss, grads = quadratic(journey.params)
        journey.grads = [grad.copy() for grad in grads]
        journey.updater.step(journey.grads, loss, journey.evaluate)
    require(
        same_bits(same_buffer, journey.point),
        "its path changes when each gradient has an array of its own; copy what you keep",
    )


@check(("stepper",))
def check_parameters_are_changed_in_place(item: type[Stepper]) -> None:
    """It writes to the arrays in `params`, and does not replace them."""
    journey = Journey(item)
    before = [id(array) for array in journey.params]
    journey.walk(2)
    require(
        before == [id(array) for array in journey.params],
        "it puts other arrays into `params`; write params[i][...] = value",
    )


@check(("stepper",))
def check_evaluation_leaves_training_alone(item: type[Stepper]) -> None:
    """Asking for the evaluation point changes nothing, however often."""
    quiet, asked = Journey(item), Journey(item)
    for _ in range(6):
        quiet.walk(1)
        asked.walk(1)
        before = [array.copy() for array in asked.params]
        first, second = asked.point, asked.point
        require(
            same_bits(first, second), "`eval_params` returns another point when it is called again"
        )
        require(same_bits(before, asked.params), "`eval_params` changes the parameters")
    require(same_bits(quiet.params, asked.params), "`eval_params` changes the training")


@check(("stepper",))
def check_any_list_of_arrays_is_trained(item: type[Stepper]) -> None:
    """It trains vectors and single numbers that are not layers of a network."""
    import optbench

    def bowl(x: Array) -> tuple[float, Array]:
        return float((x * x).sum()), 2 * x

    for shape in ((5,), (1,), (3, 2)):
        path = optbench.trajectory(item, bowl, np.ones(shape), 3)
        require(np.isfinite(path).all(), f"on an array of shape {shape} it does not stay finite")
