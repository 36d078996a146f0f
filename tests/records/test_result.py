"""What came of a run."""

from __future__ import annotations

import math

from optbench.records import CURVE_COLUMNS, RunResult, Status
from tests.records.factories import make_run_spec


def test_a_failed_run_is_a_result_without_numbers() -> None:
    """Its numbers are NaN, like those of a run that was never evaluated."""
    result = RunResult.failed(make_run_spec(), "its worker died")
    assert (result.status, result.reason) == (Status.FAILED, "its worker died")
    assert (result.curve.columns, result.curve.rows) == (CURVE_COLUMNS, 0)
    assert math.isnan(result.final("val_loss"))
    assert math.isnan(result.test_loss)
    assert result.params is None
