"""Promises of every plugin class: its hyperparameters and its summary."""

from __future__ import annotations

from optbench import Rule, hyper
from optbench.contracts import rate_of


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


def test_the_rate_is_the_marked_hyperparameter_or_else_lr() -> None:
    """A mark wins over the name; without either there is no rate."""

    class Marked(Base):
        eta: float = hyper(0.1, rate=True)

    class Without(Rule):
        eta: float = hyper(0.1, log_range=(0.01, 1))

    rates = [rate_of(item) for item in (Base, Derived, Marked, Without)]
    assert [rate and rate.name for rate in rates] == ["lr", "lr", "eta", None]


def test_the_summary_is_the_first_line_of_the_docstring() -> None:
    """Lists show one line of a plugin."""
    assert Base.summary() == "The first line."

    class Silent(Rule):
        name = "silent"

    Silent.__doc__ = None
    assert Silent.summary() == ""
