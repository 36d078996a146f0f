"""Declarations of hyperparameters that are refused, by the name of the hyperparameter."""

from __future__ import annotations

from typing import Any

import pytest

import optbench
from optbench import ConfigError, decay
from optbench.registry.hyper_faults import hyper_fault

hyper: Any = optbench.hyper  # takes what a type checker would refuse


def rule_with(declared: Any) -> type[optbench.Rule]:
    """Return a Rule with one hyperparameter, `eta`."""

    class Mine(optbench.Rule):
        """Descent."""

        name = "mine"
        eta = declared

        @staticmethod
        def update(theta: Any, grad: Any, t: Any, h: Any) -> Any:
            return (theta - h.eta * grad,)

    return Mine


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        (
            hyper(0.1, log_range=(1, 0.1)),
            "eta = 0.1 with the search range (1, 0.1); low must be below high: write (0.1, 1)",
        ),
        (hyper(0.1, uniform_range=(1, 1)), "with the search range (1, 1); low must be below high"),
        (decay(0.9, span=(0.5, 0.01)), "low must be below high: write (0.01, 0.5)"),
        (hyper(0.1, log_range=(0, 1)), "both ends of a logarithmic range must be above 0"),
        (hyper(0.9, one_minus_log_range=(-0.1, 1)), "a logarithmic range must be above 0"),
        (hyper(0.1, log_range=(1e-3, 1), uniform_range=(0, 1)), "eta = 0.1 with two search ranges"),
        (hyper(0.1, log_range=5), "with the search range 5, not two finite numbers (low, high)"),
        (hyper(0.1, log_range=(1, 2, 3)), "not two finite numbers"),
        (hyper(0.1, log_range=("a", "b")), "not two finite numbers"),
        (hyper(0.1, log_range=(1e-3, float("inf"))), "not two finite numbers"),
        (hyper("a", uniform_range=(0, 1)), "eta = 'a' with the search range (0, 1), which only"),
        (hyper(0.1, low=2, high=1), "eta = 0.1 with low=2 and high=1; low must not be above high"),
        (hyper(0.1, low="a"), "eta = 0.1 with low='a', not a number"),
        (hyper(0.1, high=float("nan")), "eta = 0.1 with high=nan, not a number"),
        (hyper(0.1, low=1, high=2), "eta=0.1 is not allowed; a number >= 1 and <= 2"),
        (hyper("a", choices=()), "eta = 'a' with choices=(); a tuple of one or more words"),
        (hyper("a", choices="ab"), "eta = 'a' with choices='ab'; a tuple of one or more words"),
        (hyper("a", choices=("a", 1)), "eta = 'a' with choices=('a', 1), not words"),
        (hyper("c", choices=("a", "b")), "eta=c is not allowed; one of a, b"),
        (hyper(0.1, 3), "eta = 0.1 with the meaning 3, not a text"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused_by_its_name(
    declared: Any, fault: str
) -> None:
    """A plugin author learns the hyperparameter, the value and what is allowed."""
    assert fault in hyper_fault(rule_with(declared))


def test_a_class_that_is_passed_is_refused_too() -> None:
    """The error names the class before the first step."""
    reversed_range = rule_with(hyper(0.1, log_range=(10, 0.001)))
    with pytest.raises(ConfigError, match=r"'mine' declares eta = 0\.1 with the search range"):
        optbench.train(reversed_range, dataset="iris", epochs=1)


def test_a_sound_declaration_has_no_fault() -> None:
    """Equal bounds, and words without a list of choices, are allowed."""
    for declared in (hyper(1.0, low=1, high=1), hyper("free"), hyper(0.1, log_range=[0.01, 1])):
        assert hyper_fault(rule_with(declared)) == ""
