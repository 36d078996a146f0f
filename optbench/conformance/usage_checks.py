"""Checks that everything that an optimizer or an initializer declares makes a difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from optbench.conformance.driving import (
    Journey,
    Problem,
    movement_blamed,
    noisy_quadratic,
    other_values,
    quadratic,
    slope,
    starting_point,
)
from optbench.conformance.initializer_checks import NETWORKS, draw
from optbench.conformance.kit import OPTIMIZERS, check, require
from optbench.contracts import Configurable, Initializer, Optimizer, Rule, Value, Values
from optbench.engine.loops.rule_steps import describe_returned, initial_slots
from optbench.errors import ConfigError
from optbench.hyperparameters import complete

STEPS = 25
"""Number of steps on each problem, more than the usual 10 or 20 between rare events."""
PROBLEMS: Mapping[str, Callable[[], Problem]] = {
    "quadratic": lambda: quadratic,
    "noisy": noisy_quadratic,
    "tiny gradients": lambda: slope(1e-8),  # shows constants that are added to a denominator
    "huge gradients": lambda: slope(1e4),  # shows limits
}
"""Functions that make the problems on which a declaration may matter."""
CHANGED_AT = 6
"""Step before which a state of a Rule is changed."""

Trace = Callable[[str, Mapping[str, Value]], bytes | None]
"""Maps a problem and hyperparameter values to the numbers that result; None for an error."""


@check(OPTIMIZERS)
def check_every_hyperparameter_matters(item: Optimizer) -> None:
    """Another value of each hyperparameter, and each choice, takes it to another point."""
    with movement_blamed(item):
        _require_all_to_matter(item, lambda problem, hyper: _trace(item, problem, hyper), PROBLEMS)


@check(("initializer",), when=lambda item: bool(item.hypers()))
def check_every_hyperparameter_changes_weights(item: type[Initializer]) -> None:
    """Another value of each hyperparameter, and each choice, gives other weights."""

    def trace(network: str, hyper: Mapping[str, Value]) -> bytes | None:
        try:
            parts = draw(item, networks[network], hyper=hyper)
        except Exception:
            return None
        return b"".join(part.tobytes() for part in parts)

    networks = {str(sizes): sizes for sizes in NETWORKS}
    _require_all_to_matter(item, trace, networks)


@check(("rule",), when=lambda item: bool(item.slots or item.scalars))
def check_every_state_matters(item: type[Rule]) -> None:
    """A change of each slot and each scalar changes theta at a later step."""
    for index, name in enumerate((*item.slots, *item.scalars)):
        hypers = [{}, *single_changes(item, "")]
        require(
            any(
                _rule_trace(item, problem, hyper, None) != _rule_trace(item, problem, hyper, index)
                for hyper in hypers
                for problem in PROBLEMS
            ),
            f"a change of the state '{name}' never changes theta; use it in `update`, or take it "
            f"out of {'slots' if index < len(item.slots) else 'scalars'}",
        )


def _require_all_to_matter(
    item: type[Configurable], trace: Trace, problems: Mapping[str, object]
) -> None:
    """Fail the check if a value changes no trace.

    A hyperparameter of numbers needs one value that does; of words, each one has to.
    """
    traces: dict[object, bytes | None] = {}

    def cached(problem: str, hyper: Mapping[str, Value]) -> bytes | None:
        key = (problem, frozenset(hyper.items()))
        if key not in traces:
            traces[key] = trace(problem, hyper)
        return traces[key]

    for name, declared in item.hypers().items():
        values = other_values(declared)
        # Another hyperparameter may switch this one on, as momentum does Nesterov's step.
        contexts = [{}, *single_changes(item, name)]
        groups = [[value] for value in values] if declared.choices else [values]
        for group in groups:
            matters = any(
                _differs(cached, problem, context, {**context, name: value})
                for context in contexts
                for problem in problems
                for value in group
            )
            require(
                matters or not group,
                f"{name}={group[0] if group else ''} changes nothing, here and beside other values "
                f"of each other hyperparameter; use h.{name}, or take it out",
            )


def _differs(
    trace: Trace, problem: str, context: Mapping[str, Value], changed: Mapping[str, Value]
) -> bool:
    """Return whether a change of a context that works changes the numbers or is refused."""
    before = trace(problem, context)
    return before is not None and before != trace(problem, changed)


def single_changes(item: type[Configurable], but: str) -> list[dict[str, Value]]:
    """Return hyperparameters with one of them, other than `but`, at each of its other values."""
    return [
        {name: value}
        for name, declared in item.hypers().items()
        if name != but
        for value in other_values(declared)
    ]


def _trace(item: Optimizer, problem: str, hyper: Mapping[str, Value]) -> bytes | None:
    """Return the bytes of every point of a short path; None if values are refused."""
    try:
        journey = Journey(item, PROBLEMS[problem](), hyper=hyper, total=STEPS)
        return b"".join(array.tobytes() for _ in range(STEPS) for array in journey.walk(1).point)
    except Exception:
        if not hyper:
            raise  # at its defaults, an optimizer has to work
        return None


def _rule_trace(
    item: type[Rule], problem: str, hyper: Mapping[str, Value], changed: int | None
) -> bytes | None:
    """Return the bytes of every theta of a short path on which one state is changed once."""
    try:
        h = Values(complete(item, hyper))
    except ConfigError:
        return None
    theta = starting_point()[0]
    states: list[Any] = [*initial_slots(item, theta, h), *item.scalars.values()]
    gradient, trace = PROBLEMS[problem](), b""
    for t in range(1, STEPS + 1):
        if t == CHANGED_AT and changed is not None:
            states[changed] = 1.5 * states[changed] + 0.1
        result: Any = item.update(theta, gradient([theta])[1][0], *states, t, h)
        require(
            isinstance(result, tuple) and len(result) == 1 + len(states),
            describe_returned(item, result),
        )
        theta, *states = result
        trace += np.asarray(theta).tobytes()
    return trace
