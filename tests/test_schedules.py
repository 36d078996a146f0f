"""Promises of the learning-rate schedules, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.records import StepControl
from optbench.schedules import SCHEDULES, factors

controls = st.builds(
    StepControl,
    schedule=st.sampled_from(sorted(SCHEDULES)),
    warmup=st.floats(0, 0.99),
    final=st.floats(0, 1),
)


@given(controls, st.integers(0, 300))
def test_a_factor_for_every_update_between_0_and_1(control: StepControl, steps: int) -> None:
    """No schedule lengthens a step, whatever the length of the run."""
    found = factors(control, steps)
    assert found.shape == (steps,)
    assert found.dtype == np.float64
    assert np.all(found >= 0)
    assert np.all(found <= 1 + 1e-15)


@given(controls.filter(lambda c: c.schedule != "one-cycle"), st.integers(1, 300))
def test_after_the_warm_up_the_rate_never_rises(control: StepControl, steps: int) -> None:
    """All but one-cycle only fall once warmed up."""
    found = factors(control, steps)
    assert np.all(np.diff(found[int(found.argmax()) :]) <= 1e-15)


@pytest.mark.parametrize(
    ("control", "steps", "expected"),
    [
        (StepControl(), 3, [1, 1, 1]),
        (StepControl(schedule="step"), 8, [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01]),
        (StepControl(schedule="linear"), 4, [1, 0.75, 0.5, 0.25]),
        (StepControl(schedule="linear", final=0.5), 4, [1, 0.875, 0.75, 0.625]),
        (StepControl(schedule="cosine"), 2, [1, 0.5]),
        (StepControl(schedule="cosine", final=0.5), 2, [1, 0.75]),
        (StepControl(schedule="exponential"), 2, [1, 0.1]),
        (StepControl(schedule="exponential", final=0.25), 2, [1, 0.5]),
        (StepControl(schedule="linear-warmup"), 20, [0.5] + [1.0] * 19),
        (StepControl(warmup=0.5), 8, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]),
        (StepControl(schedule="linear", warmup=0.5), 4, [0.5, 1, 1, 0.5]),
        (StepControl(schedule="one-cycle"), 2, [0.04, 0.5 * (1 + np.cos(np.pi * 2 / 7))]),
    ],
)
def test_values_by_hand(control: StepControl, steps: int, expected: list[float]) -> None:
    """Each schedule is the curve that its name says."""
    np.testing.assert_allclose(factors(control, steps), expected, rtol=1e-12)


def test_one_cycle_rises_then_falls() -> None:
    """It peaks at 0.3 of the run."""
    found = factors(StepControl(schedule="one-cycle"), 1000)
    assert abs(int(found.argmax()) - 300) <= 1
    assert found.max() == pytest.approx(1.0)
    assert found[-1] < 1e-3


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_every_schedule_survives_a_run_of_one_update(name: str) -> None:
    """The shortest run still moves."""
    assert factors(StepControl(schedule=name), 1)[0] > 0
