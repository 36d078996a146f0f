"""Memory and time of an optimizer."""

from __future__ import annotations

import math

import pytest

from optbench.inspection.portraits.costs import state_arrays, update_microseconds
from optbench.inspection.portraits.subject import find_subject
from optbench.registry import default_registry
from tests.inspection.portraits.planted import HeavyBall, Plain, Relative, subject


def test_the_arrays_of_the_state_are_counted_wherever_they_are() -> None:
    """The slots of a Rule; what a Stepper can reach, but not the parameters that it was given."""
    assert state_arrays(subject(Plain)) == 0
    assert state_arrays(subject(HeavyBall)) == 1
    assert state_arrays(subject(Relative)) == pytest.approx(2.5)


def test_the_state_of_registered_optimizers() -> None:
    """Two moments; ten pairs of a history."""
    registry = default_registry()
    assert state_arrays(find_subject("adam", registry)) == 2
    assert state_arrays(find_subject("lbfgs", registry)) >= 20


def test_the_time_of_an_update_is_measured_where_it_can_be() -> None:
    """Optimizers for full batches do not train in mini-batches."""
    registry = default_registry()
    assert update_microseconds(find_subject("sgd", registry)) > 0
    assert math.isnan(update_microseconds(find_subject("lbfgs", registry)))
