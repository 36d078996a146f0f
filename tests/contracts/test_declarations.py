"""Promises of hyperparameters: what a declaration means, and how values are read."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from optbench import ConfigError, Values, decay, hyper
from optbench.contracts import Hyper


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


def test_values_read_like_attributes_and_cannot_be_changed() -> None:
    """An optimizer sees its hyperparameters and leaves them alone."""
    h = Values({"lr": 0.1, "eps": 1e-8})
    assert (h.lr, h["eps"], len(h), dict(h)) == (0.1, 1e-8, 2, {"lr": 0.1, "eps": 1e-8})
    with pytest.raises(AttributeError, match="cannot be changed"):
        h.lr = 0.2
    with pytest.raises(AttributeError, match="no hyperparameter 'beta' is declared"):
        _ = h.beta
    assert dict(pickle.loads(pickle.dumps(h))) == dict(h)


def test_a_decay_is_a_number_below_1_searched_by_its_distance_from_1() -> None:
    """The short form declares what the long one does."""
    long = hyper(0.9, "mean", low=0, high=0.999999, one_minus_log_range=(0.01, 0.5))
    assert decay(0.9, "mean", span=(0.01, 0.5)) == long
    assert decay(0.9, "mean").search is None
    with pytest.raises(ConfigError, match=r"a number >= 0 and <= 0\.999999"):
        decay(0.9).check(1.0)
