"""Promises of the factor on the learning rate, whatever the schedule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench import Array, PluginError, Schedule
from optbench.records import StepControl
from optbench.registry import default_registry
from optbench.schedules import factors

SCHEDULES = {name: entry.item for name, entry in default_registry().entries("schedules").items()}

controls = st.builds(
    StepControl,
    schedule=st.sampled_from(sorted(SCHEDULES)),
    warmup=st.floats(0, 0.99),
    final=st.floats(0, 1),
)


def factors_of(control: StepControl, steps: int) -> Array:
    """The factors of a registered schedule."""
    return factors(SCHEDULES[control.schedule], control, steps)


@given(controls, st.integers(0, 300))
def test_a_factor_for_every_update_between_0_and_1(control: StepControl, steps: int) -> None:
    """No built-in schedule lengthens a step, whatever the length of the run."""
    result = factors_of(control, steps)
    assert result.shape == (steps,)
    assert result.dtype == np.float64
    assert np.all(result >= 0)
    assert np.all(result <= 1 + 1e-15)


@given(controls.filter(lambda c: c.schedule != "one-cycle"), st.integers(1, 300))
def test_after_the_warm_up_the_rate_never_rises(control: StepControl, steps: int) -> None:
    """All built-in schedules but one-cycle only fall once they are warmed up."""
    result = factors_of(control, steps)
    assert np.all(np.diff(result[int(result.argmax()) :]) <= 1e-15)


@given(st.floats(0, 0.99), st.integers(0, 300))
def test_no_schedule_is_a_constant_rate(warmup: float, steps: int) -> None:
    """Code without a registry gets the schedule `constant`."""
    control = StepControl(warmup=warmup)
    np.testing.assert_array_equal(factors(None, control, steps), factors_of(control, steps))


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_every_schedule_survives_a_run_of_one_update(name: str) -> None:
    """The shortest run still trains."""
    assert factors_of(StepControl(schedule=name), 1)[0] > 0


class Halving(Schedule):
    """Half of the rate for the second half."""

    name = "halving"
    warmup = 0.25

    def factor(self, s: Array, final: float) -> Any:  # type: ignore[override]
        return np.where(s < 0.5, 1.0, 0.5)


def test_a_schedule_brings_its_own_warm_up_unless_one_is_given() -> None:
    """The user's warm-up overrides the schedule's."""
    own = factors(Halving, StepControl(), 8)
    assert own.tolist() == [0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5]
    given_one = factors(Halving, StepControl(warmup=0.125), 8)
    assert given_one.tolist() == [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda s: None, r"shape \(\), not \(4,\)"),
        (lambda s: 1.0, r"shape \(\), not \(4,\)"),
        (lambda s: s[:2], r"shape \(2,\), not \(4,\)"),
        (lambda s: ["fast"] * 4, "not finite numbers >= 0"),
        (lambda s: s - 1, "not finite numbers >= 0"),
        (lambda s: s * np.nan, "not finite numbers >= 0"),
        (lambda s: s + np.inf, "not finite numbers >= 0"),
        (lambda s: s + 1j, "not finite numbers >= 0"),
        (lambda s: 1 / 0, r"ZeroDivisionError: division by zero \(test_schedules.py:\d+\)"),
    ],
)
def test_a_schedule_that_returns_nonsense_is_named(result: Any, message: str) -> None:
    """A plugin's fault is reported as the plugin's, in one line."""
    broken = type("Broken", (Halving,), {"factor": staticmethod(lambda s, final: result(s))})
    with pytest.raises(PluginError, match=f"^schedule 'halving': .*({message})"):
        factors(broken, StepControl(), 4)
