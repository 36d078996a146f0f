"""A check of Steppers: that they write to the state that they keep."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

import numpy as np

from optbench.conformance.driving import Journey
from optbench.conformance.kit import check, require
from optbench.conformance.usage_checks import PROBLEMS, STEPS, single_changes
from optbench.contracts import Array, Stepper, Value


@check(("stepper",))
def check_every_state_changes(item: type[Stepper]) -> None:
    """Every array in the state that `init` returns changes at some step."""
    constant = _constant_arrays(item, "quadratic", {})
    # A hyperparameter may switch a state on, as that of momentum does.
    for hyper, problem in itertools.product([{}, *single_changes(item, "")], PROBLEMS):
        if constant:
            constant = _constant_arrays(item, problem, hyper, constant)
    require(
        not constant,
        f"state{min(constant, default='')} never changes in {STEPS} steps; write into it, as in "
        "`m[...] = ...`, or return the new one; if it is constant on purpose, list "
        "this check in expected_failures",
    )


def _constant_arrays(
    item: type[Stepper], problem: str, hyper: Mapping[str, Value], constant: set[str] | None = None
) -> set[str]:
    """Return the places in the state whose arrays are the same after every step as in `init`.

    Args:
        item: The Stepper.
        problem, hyper: What it is run on and with; a value that it refuses ends the path.
        constant: The places in question; None for all.
    """
    try:
        journey = Journey(item, PROBLEMS[problem](), hyper=hyper, total=STEPS)
        first = _contents(journey)
        constant = set(first) if constant is None else constant & set(first)
        for _ in range(STEPS):
            now = _contents(journey.walk(1))
            constant = {place for place in constant if now.get(place) == first[place]}
    except Exception:
        if not hyper:
            raise  # at its defaults, an optimizer has to work
    return constant or set()


def _contents(journey: Journey) -> dict[str, bytes]:
    """Return the bytes of the arrays in the state that `init` and `step` return, by their place."""
    _, state = cast(tuple[Stepper, Any], journey.updater.state)
    return {place: array.tobytes() for place, array in _arrays(state, "", ()) if array.size}


def _arrays(state: Any, place: str, outer: tuple[int, ...]) -> Iterator[tuple[str, Array]]:
    """Yield every array in nested containers and dataclasses, with its place, as in ``['m']``."""
    parts: dict[str, Any] = {}
    if isinstance(state, np.ndarray):
        yield place, state
    elif isinstance(state, Mapping):
        parts = {f"[{key!r}]": part for key, part in state.items()}
    elif isinstance(state, tuple | list):
        parts = {f"[{index}]": part for index, part in enumerate(state)}
    elif is_dataclass(state) and not isinstance(state, type):
        parts = {f".{each.name}": getattr(state, each.name, None) for each in fields(state)}
    for name, part in parts.items():
        if id(part) not in outer:  # a state may contain itself
            yield from _arrays(part, place + name, (*outer, id(part)))
