"""Portraits: values, criteria, and how they are written."""

from __future__ import annotations

import math

import pytest

from optbench.errors import ConfigError
from optbench.inspection.portraits.portrait import PROPERTIES, Measured, Property, draw_portrait
from optbench.inspection.portraits.subject import find_subject
from optbench.registry import default_registry
from tests.inspection.portraits.planted import Plain, Sign, subject

BY_NAME = {each.name: each for each in PROPERTIES}


def test_a_portrait_has_every_property_with_a_source() -> None:
    """Figures without a criterion are the only ones without a source."""
    assert len(BY_NAME) == len(PROPERTIES) == 12
    for each in PROPERTIES:
        assert bool(each.source) == bool(each.criterion), each.name


def test_criteria_tell_optimizers_apart() -> None:
    """What gradient descent has, and a step of one size lacks, and the other way round."""
    names = ("scale of the loss", "rotation", "larger batches")
    properties = [BY_NAME[name] for name in names]
    plain = [each.passed for each in draw_portrait(subject(Plain), properties)]
    sign = [each.passed for each in draw_portrait(subject(Sign), properties)]
    assert plain == [False, True, True]
    assert sign == [True, False, False]


@pytest.mark.parametrize(
    ("name", "value", "text", "passed"),
    [
        ("scale of the loss", 0.005, "0.5%", True),
        ("scale of the loss", 0.0, "0%", True),
        ("scale of the loss", 1e-9, "<0.01%", True),
        ("scale of the loss", 8.71, "871%", False),
        ("scale of the loss", 1e9, "over 1000%", False),
        ("scale of the loss", math.inf, "diverges", False),
        ("narrow valley", math.inf, "never", False),
        ("saddle", 1.0, "1 update", True),
        ("rare gradients", 4.362, "4.36×", True),
        ("choice of the rate", math.nan, "–", None),
        ("memory", 2.0, "2", None),
    ],
)
def test_values_are_written_for_people(
    name: str, value: float, text: str, passed: bool | None
) -> None:
    """With unit, and infinite or missing values in words."""
    measured = Measured(BY_NAME[name], value)
    assert (str(measured), measured.passed) == (text, passed)


def test_a_criterion_says_its_direction() -> None:
    """At most, at least, or nothing."""
    low = Property("a", "?", " updates", "", lambda subject: 0.0, most=3)
    assert low.criterion == "at most 3 updates"
    assert BY_NAME["rare gradients"].criterion == "at least 2×"
    assert BY_NAME["memory"].criterion == ""


def test_rates_are_tried_over_the_search_range_and_beyond() -> None:
    """Unless one is given; times 1 - momentum where the range holds the rate over that."""
    registry = default_registry()
    assert find_subject("sgd[lr=0.1]", registry).rates == (None,)
    low, high = registry.optimizer("sgd").hypers()["lr"].search or (0, 0)
    rates = find_subject("sgd", registry).rates
    assert rates[0] == pytest.approx(low)
    assert rates[-1] == pytest.approx(10 * high)
    with pytest.raises(ConfigError, match="did you mean 'adam'"):
        find_subject("adamm", registry)
