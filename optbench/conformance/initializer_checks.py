"""Checks of initializers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from optbench.conformance.driving import random_state_untouched, read_only, same_bits
from optbench.conformance.kit import check, require
from optbench.conformance.metadata_checks import search_ends
from optbench.contracts import Array, InitContext, Initializer, Value, Values
from optbench.hyperparameters import complete
from optbench.network import ACTIVATIONS

NETWORKS = ((4, 3), (5, 8, 2), (1, 1, 1), (3, 16, 16, 1), (40, 2, 40))
"""Widths of networks with no, one or two hidden layers, narrow and wide."""


def draw(
    item: type[Initializer],
    sizes: tuple[int, ...],
    seed: int = 0,
    hyper: Mapping[str, Value] | None = None,
    x: Array | None = None,
    activation: str = "relu",
) -> list[Array]:
    """Return the arrays W1, b1, ..., WL, bL that an initializer draws."""
    rng = np.random.default_rng(seed)
    data = inputs(sizes[0]) if x is None else x
    needs_data = "data" in item.needs
    context = InitContext(
        sizes, activation, ACTIVATIONS[activation][0], data if needs_data else None
    )
    pairs = item().initialize(rng, context, Values(complete(item, hyper or {})))
    return [part for pair in pairs for part in pair]


def inputs(width: int, seed: int = 0) -> Array:
    """Return inputs, shape (64, width)."""
    return np.random.default_rng(seed).normal(size=(64, width))


@check(("initializer",))
def check_shapes_fit_the_network(item: type[Initializer]) -> None:
    """It makes a weight (n_in, n_out) and a bias (n_out,) for every layer of any network."""
    for sizes in NETWORKS:
        expected = [shape for a, b in pairwise(sizes) for shape in ((a, b), (b,))]
        for activation in ACTIVATIONS:
            shapes = [np.shape(part) for part in draw(item, sizes, activation=activation)]
            require(
                shapes == expected,
                f"for widths {sizes} with {activation} the shapes are {shapes}, not {expected}",
            )


@check(("initializer",))
def check_weights_are_finite_float64(item: type[Initializer]) -> None:
    """Every number that it draws is finite and float64; the harness casts it for the run."""
    for sizes in NETWORKS:
        for part in draw(item, sizes):
            require(
                isinstance(part, np.ndarray) and part.dtype == np.float64,
                f"for widths {sizes} it makes {getattr(part, 'dtype', type(part))}, not float64",
            )
            require(np.isfinite(part).all(), f"for widths {sizes} not every number is finite")


@check(("initializer",))
def check_biases_start_at_zero(item: type[Initializer]) -> None:
    """Biases start at 0."""
    for sizes in NETWORKS:
        biases = draw(item, sizes)[1::2]
        require(
            all(not bias.any() for bias in biases),
            "biases do not start at 0, so initializers differ by more than the weights",
        )


@check(("initializer",))
def check_same_seed_same_weights(item: type[Initializer]) -> None:
    """The same seed gives the same weights, to the last bit, at every call."""
    first, second = draw(item, NETWORKS[1]), draw(item, NETWORKS[1])
    require(
        same_bits(first, second), "two draws with one seed differ; draw only from the given rng"
    )


@check(("initializer",))
def check_other_seeds_give_other_weights(item: type[Initializer]) -> None:
    """Another seed gives other weights in every layer, unless it is declared deterministic."""
    for sizes in (NETWORKS[1], NETWORKS[3]):
        first, *others = (draw(item, sizes, seed)[::2] for seed in range(3))
        same = [
            number
            for number, weight in enumerate(first, 1)
            if all(same_bits([weight], [other[number - 1]]) for other in others)
        ]
        if item.deterministic:
            require(
                len(same) == len(first),
                "another seed gives other weights, although it declares `deterministic = True`",
            )
            continue
        # A layer of equal numbers, such as zeros, needs no random numbers if another layer does.
        drawn = [number for number in same if np.ptp(first[number - 1])]
        require(
            not drawn and len(same) < len(first),
            f"for widths {sizes} every seed gives the same weights in layer "
            f"{', '.join(map(str, drawn or same))}; draw them from the given rng, or declare "
            "`deterministic = True`",
        )


@check(("initializer",))
def check_initializer_leaves_global_random_state_alone(item: type[Initializer]) -> None:
    """It does not draw from a random state that the whole process shares."""
    with random_state_untouched():
        draw(item, NETWORKS[1])


@check(("initializer",))
def check_data_is_used_as_declared(item: type[Initializer]) -> None:
    """It uses data if it declares so, and does not write to it."""
    if "data" not in item.needs:
        return  # `draw` gives it no data, so the other checks show that it needs none
    sizes = NETWORKS[1]
    x = inputs(sizes[0])
    with read_only([x], "the inputs"):
        first = draw(item, sizes, x=x)
    second = draw(item, sizes, x=3 * inputs(sizes[0], seed=1))
    require(not same_bits(first, second), "`needs` declares data, but other inputs change nothing")


@check(("initializer",))
def check_search_space_can_be_drawn(item: type[Initializer]) -> None:
    """At either end of each search range, and at each choice, it draws finite weights."""
    for name, declared in item.hypers().items():
        values: list[Any] = list(declared.choices)
        values += [True, False] if declared.kind is bool else []
        values += search_ends(declared) if declared.search is not None else []
        for value in values:
            parts = draw(item, NETWORKS[1], hyper={name: value})
            require(
                all(np.isfinite(part).all() for part in parts),
                f"at {name}={value} not every number is finite",
            )
