"""Promises of the context of a Stepper: declared needs are given, others are refused."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from optbench import PluginError, StepContext, Values
from optbench.contracts import Need


@pytest.mark.parametrize("need", ["closure", "total_steps", "rng", "layers"])
def test_what_is_not_declared_is_refused(need: Need) -> None:
    """The needs of an optimizer are what it says they are."""
    context = StepContext(t=1, h=Values({}), declared=frozenset(), total_steps=3)
    with pytest.raises(PluginError, match=f"uses '{need}' without declaring it"):
        getattr(context, need)


def test_what_is_declared_is_given_and_noted() -> None:
    """The context remembers which needs were used."""
    rng = np.random.default_rng(0)
    context = StepContext(
        t=1,
        h=Values({}),
        declared=frozenset({"rng", "layers", "total_steps", "closure"}),
        closure=lambda: 2.0,
        total_steps=3,
        rng=rng,
        layers=((0, 1),),
    )
    assert context.rng is rng
    assert (context.total_steps, context.layers, context.closure()) == (3, ((0, 1),), 2.0)
    assert context.used == {"rng", "layers", "total_steps", "closure"}


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ("closure", "a closure exists in `step` only, not in `init`"),
        ("total_steps", "the total number of steps is not known here"),
        ("rng", "no random stream exists here"),
    ],
)
def test_what_is_declared_but_absent_is_named(need: Need, words: str) -> None:
    """Asking for a thing that does not exist here is the plugin's error, in words."""
    context = StepContext(t=0, h=Values({}), declared=frozenset({need}))
    with pytest.raises(PluginError, match=f"^{re.escape(words)}$"):
        getattr(context, need)


def test_a_context_moves_from_step_to_step() -> None:
    """The closure is that of the current step; what was used is remembered."""
    context = StepContext(0, Values({}), frozenset({"closure"}))
    assert (context.t, math.isnan(context.loss)) == (0, True)
    context.begin_step(1, Values({"lr": 0.1}), 2.0, lambda: 3.0)
    assert (context.t, context.h.lr, context.loss, context.closure()) == (1, 0.1, 2.0, 3.0)
    context.begin_step(2, Values({"lr": 0.2}), 1.0)
    with pytest.raises(PluginError, match="a closure exists in `step` only"):
        _ = context.closure
    assert context.used == {"closure"}
