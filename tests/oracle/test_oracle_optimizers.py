"""Every optimizer follows the path of an independent implementation, step by step in float64."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import optbench
from optbench.hyperparameters import complete
from optbench.records import StepControl
from optbench.registry import default_registry
from optbench.schedules import factors
from tests.oracle.problems import PROBLEMS, start
from tests.oracle.table import TABLE, Row

CONTROLS: dict[str, dict[str, Any]] = {
    "constant": {},
    "cosine": {"schedule": "cosine", "warmup": 0.1, "final": 0.05},
}


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_follows_its_oracle(row: Row, problem: str, control: str) -> None:
    """Every step agrees with the oracle's to 1e-12 of the point's largest coordinate.

    Of the largest, since a coordinate on its way through 0 has no digits of its own to agree in.
    """
    registry = default_registry()
    optimizer = registry.optimizer(row.optimizer)
    h = SimpleNamespace(**complete(optimizer, row.hyper))
    around = CONTROLS[control]
    rates = h.lr * factors(registry.schedule(control), StepControl(**around), row.steps)
    x0 = start(row.shape)
    expected = row.oracle.path(PROBLEMS[problem](), x0, rates, h)
    actual = optbench.trajectory(
        optimizer, PROBLEMS[problem](), x0, row.steps, **row.hyper, **around
    )
    assert np.isfinite(expected).all()
    assert np.abs(expected[-1] - x0).max() > 1e-6
    axes = tuple(range(1, expected.ndim))
    error = np.abs(actual - expected).max(axis=axes) / np.abs(expected).max(axis=axes)
    assert error.max() <= 1e-12, f"first at step {np.argmax(error > 1e-12)}"


def test_every_builtin_optimizer_has_an_oracle() -> None:
    """No optimizer ships that nothing has proven."""
    registry = default_registry()
    entries = registry.entries("optimizers").values()
    builtin = {e.name for e in entries if e.item.__module__.startswith("optbench_builtin")}
    assert len(builtin) >= 25
    assert builtin == {row.optimizer for row in TABLE}
