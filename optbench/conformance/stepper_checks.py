"""Checks of Steppers: declared needs, gradients left alone, an evaluation point of its own."""

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

ON_THE_HARNESS = frozenset({"full-batch"})
"""Needs that the harness sees to; nothing in the context tells whether they are used."""


@check(("stepper",))
def check_declared_needs_are_used(item: type[Stepper]) -> None:
    """It uses everything that it declares in `needs`, and nothing else."""
    journey = Journey(item).walk(5)  # the undeclared is refused on use
    idle = item.needs - journey.updater.used - ON_THE_HARNESS
    require(not idle, f"`needs` declares {', '.join(sorted(idle))}, which it never uses")


@check(("stepper",), when=lambda item: "closure" not in item.needs)
def check_gradients_are_not_mutated(item: type[Stepper]) -> None:
    """It leaves the gradients that it is given as they are."""
    journey = Journey(item)
    loss, grads = quadratic(journey.params)
    with read_only(grads, "the gradients"):
        for _ in range(3):
            journey.updater.step(grads, loss)


@check(("stepper",))
def check_gradients_are_not_kept(item: type[Stepper]) -> None:
    """What it remembers of a gradient is a copy, because the buffer is written again."""
    same_buffer = Journey(item).walk(6).here
    journey = Journey(item)
    for _ in range(6):
        loss, grads = quadratic(journey.params)
        journey.grads = [grad.copy() for grad in grads]
        journey.updater.step(journey.grads, loss, journey.evaluate)
    require(
        same_bits(same_buffer, journey.here),
        "it goes elsewhere when each gradient has an array of its own; copy what you keep",
    )


@check(("stepper",))
def check_parameters_are_changed_in_place(item: type[Stepper]) -> None:
    """It writes to the arrays in `params`, and does not replace them."""
    journey = Journey(item)
    given = [id(array) for array in journey.params]
    journey.walk(2)
    require(
        given == [id(array) for array in journey.params],
        "it puts other arrays into `params`; write params[i][...] = value",
    )


@check(("stepper",))
def check_evaluation_leaves_training_alone(item: type[Stepper]) -> None:
    """Asking for the evaluation point changes nothing, however often one asks."""
    quiet, asked = Journey(item), Journey(item)
    for _ in range(6):
        quiet.walk(1)
        asked.walk(1)
        before = [array.copy() for array in asked.params]
        first, second = asked.here, asked.here
        require(same_bits(first, second), "`eval_params` gives another point when asked again")
        require(same_bits(before, asked.params), "`eval_params` changes the parameters")
    require(same_bits(quiet.params, asked.params), "`eval_params` changes the course of training")


@check(("stepper",))
def check_any_list_of_arrays_is_trained(item: type[Stepper]) -> None:
    """It trains vectors and single numbers, of no network's layers, as `trajectory` has them."""
    import optbench

    def bowl(x: Array) -> tuple[float, Array]:
        return float((x * x).sum()), 2 * x

    for shape in ((5,), (1,), (3, 2)):
        path = optbench.trajectory(item, bowl, np.ones(shape), 3)
        require(np.isfinite(path).all(), f"on an array of shape {shape} it does not stay finite")
