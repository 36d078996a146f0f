"""Promises of the contracts: what a declaration means, and what a plugin cannot do unseen."""

from __future__ import annotations

import math
import pickle
import re
from typing import Any

import numpy as np
import pytest

from optbench import ConfigError, Initializer, PluginError, Rule, StepContext, Values, hyper
from optbench.contracts import Dataset, Hyper, Need


class Base(Rule):
    """The first line.

    The rest.
    """

    name = "base"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1))
    beta: float = hyper(0.9, low=0, high=1)


class Derived(Base):
    """Another default, one more, one less."""

    name = "derived"
    lr: float = hyper(0.5, low=0)
    beta = 0.25
    eps: float = hyper(1e-8)


def test_hyperparameters_are_inherited_overridden_and_removed() -> None:
    """A subclass changes what it redeclares and keeps the rest."""
    assert {k: v.default for k, v in Base.hypers().items()} == {"lr": 0.1, "beta": 0.9}
    assert {k: v.default for k, v in Derived.hypers().items()} == {"lr": 0.5, "eps": 1e-8}
    assert Base.hypers()["lr"].name == "lr"


def test_the_summary_is_the_first_line_of_the_docstring() -> None:
    """Lists show one line of a plugin."""
    assert Base.summary() == "The first line."

    class Silent(Rule):
        name = "silent"

    Silent.__doc__ = None
    assert Silent.summary() == ""


@pytest.mark.parametrize(
    ("declared", "value", "given_back"),
    [
        (hyper(0.1), 1, 1.0),
        (hyper(0.1), np.float32(0.5), 0.5),
        (hyper(5), 7.0, 7),
        (hyper(5), np.int64(7), 7),
        (hyper(True), False, False),
        (hyper("a", choices=("a", "b")), "b", "b"),
        (hyper("free"), "text", "text"),
        (hyper(0.5, low=0, high=1), 1.0, 1.0),
        (hyper(0.5, low=0, high=1), 0.0, 0.0),
    ],
)
def test_allowed_values_come_back_in_the_declared_type(
    declared: Hyper, value: object, given_back: object
) -> None:
    """The default's type is every value's type; bounds are inclusive."""
    found = declared.check(value)
    assert found == given_back
    assert type(found) is type(given_back)


@pytest.mark.parametrize(
    ("declared", "value", "allowed"),
    [
        (hyper(0.1, low=0), -1.0, "a number >= 0"),
        (hyper(0.1, low=0, high=1), 1.5, "a number >= 0 and <= 1"),
        (hyper(0.1), math.nan, "a number"),
        (hyper(0.1), math.inf, "a number"),
        (hyper(0.1), "x", "a number"),
        (hyper(0.1), True, "a number"),
        (hyper(0.1), None, "a number"),
        (hyper(5, low=1), 0, "a whole number >= 1"),
        (hyper(5), 2.5, "a whole number"),
        (hyper(5), math.nan, "a whole number"),
        (hyper(5), math.inf, "a whole number"),
        (hyper(True), 1, "true or false"),
        (hyper("a", choices=("a", "b")), "c", "one of a, b"),
        (hyper("a"), 3, "a word"),
        (hyper(0.1), 10**400, "a number"),
        (hyper(5), 10**400, "a whole number"),
        (hyper(0.1), 1j, "a number"),
        (hyper(0.1), np.complex128(1), "a number"),
    ],
)
def test_other_values_are_refused_with_what_is_allowed(
    declared: Hyper, value: object, allowed: str
) -> None:
    """The user's fault is one line: the value and what would have been right."""
    with pytest.raises(ConfigError, match="is not allowed") as caught:
        declared.check(value)
    assert allowed in str(caught.value)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"log_range": (1, 0.1)},
        {"log_range": (0, 1)},
        {"one_minus_log_range": (-0.1, 0.5)},
        {"uniform_range": (1, 1)},
        {"log_range": (0.1, 1), "uniform_range": (0, 1)},
    ],
)
def test_a_search_space_that_makes_no_sense_is_refused_where_it_is_declared(
    kwargs: dict[str, Any],
) -> None:
    """A plugin author learns of an empty or doubled range on import."""
    with pytest.raises(PluginError, match="search range"):
        hyper(0.1, **kwargs)


def test_values_read_like_attributes_and_cannot_be_changed() -> None:
    """An optimizer sees its hyperparameters and leaves them alone."""
    h = Values({"lr": 0.1, "eps": 1e-8})
    assert (h.lr, h["eps"], len(h), dict(h)) == (0.1, 1e-8, 2, {"lr": 0.1, "eps": 1e-8})
    with pytest.raises(AttributeError, match="cannot be changed"):
        h.lr = 0.2
    with pytest.raises(AttributeError, match="no hyperparameter 'beta' is declared"):
        _ = h.beta
    assert dict(pickle.loads(pickle.dumps(h))) == dict(h)


@pytest.mark.parametrize("need", ["closure", "total_steps", "rng", "layers"])
def test_what_is_not_declared_is_refused(need: Need) -> None:
    """The needs of an optimizer are what it says they are."""
    context = StepContext(t=1, h=Values({}), declared=frozenset(), _total_steps=3)
    with pytest.raises(PluginError, match=f"uses '{need}' without declaring it"):
        getattr(context, need)


def test_what_is_declared_is_given_and_noted() -> None:
    """The context remembers which needs were used."""
    rng = np.random.default_rng(0)
    context = StepContext(
        t=1,
        h=Values({}),
        declared=frozenset({"rng", "layers", "total_steps", "closure"}),
        _closure=lambda: 2.0,
        _total_steps=3,
        _rng=rng,
        _layers=((0, 1),),
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


def test_an_initializer_without_a_method_says_so() -> None:
    """A half-written initializer is told what is missing."""

    class Nothing(Initializer):
        """Nothing."""

        name = "nothing"

    with pytest.raises(PluginError, match=r"'nothing' defines neither `weight` nor `initialize`"):
        Nothing().weight(np.random.default_rng(0), 2, 3, Values({}))


def test_a_dataset_knows_its_width() -> None:
    """The input layer is as wide as the data."""
    x, y = np.zeros((4, 3)), np.zeros(4, dtype=np.int64)
    data = Dataset("d", "binary", x, y, x, y, x, y, 1, "hash")
    assert data.n_features == 3
