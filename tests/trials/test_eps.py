"""Reports of the class "NaN after the first update": a division by zero that eps should prevent.

Adam, RMSprop and AdaGrad divide by the root of an average of squared gradients. It is exactly zero
where the input is constant, and in float32 also where a gradient is below about 1e-23, since its
square underflows. With ``eps=0`` the update is then 0 / 0 or a number over 0.
"""

from __future__ import annotations

import pytest

import optbench
from optbench.engine.divergence import zero_eps
from optbench.records import RunResult, Status

ADAPTIVE = ["adam", "adamw", "rmsprop", "adagrad", "nadam"]


def train(optimizer: str, **options: object) -> RunResult:
    """Train on digits, whose corner pixels are constant."""
    return optbench.train(optimizer, dataset="digits", epochs=2, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ADAPTIVE)
def test_a_reason_names_eps_where_it_is_zero(name: str) -> None:
    """Every adaptive optimizer diverges at once on constant inputs, and the reason says why."""
    result = train(f"{name}[eps=0]")
    assert result.status is Status.DIVERGED
    assert "eps=0, so an update divides 0 by 0" in result.reason
    assert train(name).status is Status.OK


def test_an_eps_that_underflows_is_zero() -> None:
    """1e-50 is zero in float32 and not in float64."""
    assert "eps=1e-50 is 0 in float32" in train("adam[eps=1e-50]").reason
    assert zero_eps({"eps": 1e-50}, "float64") == ""


def test_other_causes_do_not_blame_eps() -> None:
    """A learning rate that is far too large is not a matter of eps."""
    result = train("sgd[lr=1e30]")
    assert result.status is Status.DIVERGED
    assert "eps" not in result.reason
