"""Invariances of optimizers whose invariances are known, and of those that lack them."""

from __future__ import annotations

import math

import pytest

from optbench.inspection.portraits.invariances import loss_scale, parameter_scale, rotation
from tests.inspection.portraits.planted import Plain, Relative, Sign, subject

ROUNDING = 1e-10


def test_steps_of_one_size_do_not_depend_on_the_scale_of_the_loss() -> None:
    """A sign does not change with the scale; a gradient that is 1000 times as large diverges."""
    assert loss_scale(subject(Sign)) == 0
    assert loss_scale(subject(Relative)) < ROUNDING
    assert loss_scale(subject(Plain)) > 1


def test_steps_in_proportion_to_the_parameters_do_not_depend_on_their_units() -> None:
    """A step of one size is ten times as long in the old units."""
    assert parameter_scale(subject(Relative)) < ROUNDING
    assert parameter_scale(subject(Sign, lr=0.001)) == pytest.approx(9)
    assert parameter_scale(subject(Plain)) > 1


def test_gradient_descent_rotates_with_the_axes() -> None:
    """A sign of each coordinate depends on the axes."""
    assert rotation(subject(Plain)) < ROUNDING
    assert rotation(subject(Relative)) < ROUNDING
    assert rotation(subject(Sign)) > 0.1


def test_an_optimizer_that_stands_still_has_no_invariance() -> None:
    """There is no way to compare the change with."""
    assert math.isinf(loss_scale(subject(Plain, lr=0.0)))
