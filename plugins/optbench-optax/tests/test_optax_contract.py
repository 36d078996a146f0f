"""Every optimizer of optax is held to the promises of the conformance kit."""

from __future__ import annotations

from typing import Any

import jax
import optax
import optax.contrib
import pytest
from optbench_optax.adapter import adapt
from optbench_optax.names import KNOWN, PREFIX, UNABLE

from optbench.conformance import Check, parametrize_with_checks
from tests.support.adapters import cases

LONG = {
    "check_finite_after_many_steps",
    "check_search_space_can_be_trained",
    "check_descends_on_a_quadratic",
    "check_finite_at_extreme_gradients",
    "check_trains_in_every_regime",
    "check_every_hyperparameter_matters",
}
"""Checks of thousands of steps or of a compilation for each value of each hyperparameter."""
IN_FULL = ("adam", "contrib.muon", "contrib.schedule_free_adamw", "contrib.prodigy", "noisy_sgd")
"""One of each way of working; the adapter treats the others alike."""


def wanted(item: Any, check: Check) -> bool:
    """Whether a check is run on an optimizer."""
    return check.name not in LONG or item.name.removeprefix(PREFIX) in IN_FULL


ALL = parametrize_with_checks([adapt(PREFIX + name) for name in KNOWN])


@pytest.mark.parametrize(("item", "check"), cases(ALL, wanted))
def test_promises(item: Any, check: Check) -> None:
    """An adapted transformation is held to what every optimizer is held to."""
    check(item)


def test_every_optimizer_of_optax_is_listed_or_known_to_be_unable() -> None:
    """A transformation that a new optax brings is not forgotten."""
    found = set()
    for module, prefix in ((optax, ""), (optax.contrib, "contrib.")):
        for name, item in vars(module).items():
            made = getattr(item, "func", item)
            hints = getattr(made, "__annotations__", {})
            rate = {"learning_rate", "max_learning_rate"} & set(hints)
            if rate and not name.startswith(("_", "scale_by")) and not isinstance(item, type):
                found.add(f"{prefix}{name}")
    assert found - set(KNOWN) - set(UNABLE) == set()
    assert set(KNOWN) <= found


def test_float64_is_left_as_it_was() -> None:
    """A run in float64 does not change how JAX works for its other users."""
    assert not jax.config.read("jax_enable_x64")  # type: ignore[no-untyped-call]
