"""The schedules that come with optbench: values by hand, and to the bit those of stored runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench import Array
from optbench.records import StepControl
from optbench.registry import default_registry
from optbench.schedules import factors


def factors_of(name: str, steps: int, warmup: float = 0.0, final: float = 0.0) -> Array:
    """The factors of a built-in schedule."""
    control = StepControl(schedule=name, warmup=warmup, final=final)
    return factors(default_registry().schedule(name), control, steps)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("constant", {}, [1, 1, 1]),
        ("step", {}, [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01]),
        ("linear", {}, [1, 0.75, 0.5, 0.25]),
        ("linear", {"final": 0.5}, [1, 0.875, 0.75, 0.625]),
        ("cosine", {}, [1, 0.5]),
        ("cosine", {"final": 0.5}, [1, 0.75]),
        ("exponential", {}, [1, 0.1]),
        ("exponential", {"final": 0.25}, [1, 0.5]),
        ("linear-warmup", {}, [0.5] + [1.0] * 19),
        ("constant", {"warmup": 0.5}, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]),
        ("linear", {"warmup": 0.5}, [0.5, 1, 1, 0.5]),
        ("one-cycle", {}, [0.04, 0.5 * (1 + np.cos(np.pi * 2 / 7))]),
        ("wsd", {}, [1, 1, 1, 1, 1, 1, 1, 1, 1, 0.5]),
        ("wsd", {"warmup": 0.5, "final": 0.5}, [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1, 1]),
        ("polynomial", {}, [1, 0.5625, 0.25, 0.0625]),
        ("polynomial", {"final": 0.5}, [1, 0.78125, 0.625, 0.53125]),
    ],
)
def test_values_by_hand(name: str, options: dict[str, float], expected: list[float]) -> None:
    """Each schedule has the curve of its name."""
    result = factors_of(name, len(expected), **options)
    np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_one_cycle_rises_then_falls() -> None:
    """It peaks at 0.3 of the run."""
    result = factors_of("one-cycle", 1000)
    assert abs(int(result.argmax()) - 300) <= 1
    assert result.max() == pytest.approx(1.0)
    assert result[-1] < 1e-3


def cosine(s: Array, final: float) -> Array:
    """Expression that stored runs were trained with, as are the others below."""
    return final + (1 - final) * 0.5 * (1 + np.cos(np.pi * s))


def one_cycle(s: Array, final: float) -> Array:
    """See `cosine`."""
    rising = 1 / 25 + (1 - 1 / 25) * 0.5 * (1 - np.cos(np.pi * s / 0.3))
    return np.where(s < 0.3, rising, cosine((s - 0.3) / (1 - 0.3), final))


AS_STORED: dict[str, Callable[[Array, float], Array]] = {
    "constant": lambda s, final: np.ones_like(s),
    "step": lambda s, final: (
        0.1 ** np.searchsorted((0.5, 0.75), s, side="right").astype(np.float64)
    ),
    "exponential": lambda s, final: (final or 0.01) ** s,
    "linear": lambda s, final: 1 - (1 - final) * s,
    "cosine": cosine,
    "linear-warmup": lambda s, final: np.ones_like(s),
    "one-cycle": one_cycle,
}


@pytest.mark.parametrize("name", AS_STORED)
@given(steps=st.integers(0, 300), warmup=st.floats(0, 0.99), final=st.floats(0, 1))
def test_the_numbers_of_stored_runs_stay_the_same(
    name: str, steps: int, warmup: float, final: float
) -> None:
    """To the last bit: the content key of a run does not name a built-in schedule's code."""
    fraction = warmup or {"linear-warmup": 0.1}.get(name, 0.0)
    rising = round(fraction * steps)
    count = np.arange(steps)
    s = np.maximum(count - rising, 0) / max(steps - rising, 1)
    expected = np.asarray(AS_STORED[name](s, final), dtype=np.float64)
    if rising:
        expected = expected * np.minimum((count + 1) / rising, 1.0)
    assert factors_of(name, steps, warmup, final).tobytes() == expected.tobytes()
