"""Checks of what a plugin declares about itself."""

from __future__ import annotations

import math
from typing import Any

from optbench.conformance.kit import (
    EVERYTHING,
    OPTIMIZERS,
    PLUGINS,
    Kind,
    check,
    kind_of,
    require,
)
from optbench.contracts import KEBAB, Configurable, Hyper, Plugin, rate_of
from optbench.errors import ConfigError

KNOWN_NEEDS: dict[Kind, frozenset[str]] = {
    "rule": frozenset(),
    "stepper": frozenset({"closure", "layers", "total_steps", "rng", "full-batch"}),
    "initializer": frozenset({"data"}),
    "schedule": frozenset(),
}
LONGEST_SUMMARY = 120
"""Largest number of characters in the first line of a docstring."""


def _has_rate(item: type[Plugin]) -> bool:
    return rate_of(item) is not None


@check(EVERYTHING)
def check_name_is_kebab_case(item: Any) -> None:
    """Its name is in kebab-case."""
    require(
        isinstance(item.name, str) and KEBAB.fullmatch(item.name),
        f"the name {item.name!r} is not kebab-case, as in 'my-optimizer'",
    )


@check(EVERYTHING)
def check_summary_is_one_line(item: Any) -> None:
    """The first line of its docstring says what it is."""
    summary = item.summary()
    require(summary, "the class has no docstring; lists show its first line")
    require(
        len(summary) <= LONGEST_SUMMARY,
        f"the first line of the docstring has {len(summary)} characters, over {LONGEST_SUMMARY}",
    )


@check(EVERYTHING)
def check_source_is_named(item: Any) -> None:
    """It names its source."""
    require(item.source.strip(), "`source` is empty; name the paper, or say 'own work'")


@check(PLUGINS)
def check_variant_is_named(item: type[Plugin]) -> None:
    """It says which variant of the formula it is."""
    require(
        item.variant.strip(),
        "`variant` is empty; say how the published forms differ, and which of them this is",
    )


@check(PLUGINS)
def check_needs_are_known(item: type[Plugin]) -> None:
    """Its needs exist."""
    known = KNOWN_NEEDS[kind_of(item)]
    unknown = sorted(set(item.needs) - known)
    require(not unknown, f"`needs` holds {unknown}; allowed are {sorted(known) or 'none'}")


@check(EVERYTHING)
def check_hyperparameters_are_explained(item: type[Configurable]) -> None:
    """Every hyperparameter has a meaning in one line."""
    unexplained = [name for name, declared in item.hypers().items() if not declared.meaning.strip()]
    require(not unexplained, f"no meaning is given for {', '.join(unexplained)}")


@check(EVERYTHING)
def check_defaults_are_allowed(item: type[Configurable]) -> None:
    """Every default lies in its own valid range."""
    for declared in item.hypers().values():
        declared.check(declared.default)


@check(EVERYTHING)
def check_invalid_values_are_refused(item: type[Configurable]) -> None:
    """Values that make no sense are refused."""
    for declared in item.hypers().values():
        for value in _senseless(declared, kind_of(item) in OPTIMIZERS):
            try:
                declared.check(value)
            except ConfigError:
                continue
            require(
                False,
                f"{declared.name}={value} is accepted; declare `low` and `high` for what the "
                "formula can take",
            )


def _senseless(declared: Hyper, of_optimizer: bool) -> list[Any]:
    """Return values that a hyperparameter of this type and search space must refuse."""
    if declared.kind in (bool, str):
        return [None, 0.5]
    values: list[Any] = [math.nan, math.inf, "text", None]
    if of_optimizer and (declared.prior == "log" or declared.name == "lr" or declared.rate):
        values.append(-1 if declared.kind is int else -1.0)
    if declared.prior == "one-minus-log":
        values += [-0.5, 1.5]
    return values


@check(EVERYTHING)
def check_search_space_is_sane(item: type[Configurable]) -> None:
    """Tuning proposes only values that are allowed."""
    hypers = item.hypers()
    for declared in hypers.values():
        if declared.search is None:
            continue
        for end in search_ends(declared):
            declared.check(end)
        scale = declared.scaled_by
        require(
            scale is None or scale in hypers,
            f"{declared.name} is scaled by '{scale}', which is not declared",
        )


@check(OPTIMIZERS, when=_has_rate)
def check_learning_rate_can_be_tuned(item: type[Plugin]) -> None:
    """The learning rate declares a search range, and the default lies in it."""
    rate = rate_of(item)
    assert rate is not None
    require(rate.search, f"{rate.name} declares no search range, so nothing would be tuned")
    low, high = search_ends(rate)
    if rate.scaled_by is None:
        require(
            low <= float(rate.default) <= high,
            f"the default {rate.name}={rate.default} lies outside the search range "
            f"{low:g} to {high:g}",
        )


def _has_a_range_but_no_rate(item: type[Plugin]) -> bool:
    searched = (declared.prior == "log" for declared in item.hypers().values())
    return rate_of(item) is None and any(searched)


@check(OPTIMIZERS, when=_has_a_range_but_no_rate)
def check_rate_is_marked(item: type[Plugin]) -> None:
    """One hyperparameter is its rate, which tuning and schedules have to find."""
    names = [name for name, declared in item.hypers().items() if declared.prior == "log"]
    require(
        False,
        f"no hyperparameter is called lr or marked with rate=True, so ruleset lr tunes nothing; "
        f"mark the rate, such as {names[0]}, or list this check in expected_failures",
    )


def search_ends(declared: Hyper) -> tuple[Any, Any]:
    """Return the smallest and the largest value that tuning proposes."""
    if declared.search is None:
        raise ValueError(f"{declared.name} has no search range")
    low, high = declared.search
    if declared.prior == "one-minus-log":
        low, high = 1 - high, 1 - low
    return (math.ceil(low), math.floor(high)) if declared.kind is int else (low, high)
