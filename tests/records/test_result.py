"""What came of a run."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optbench.records import CURVE_COLUMNS, RunResult, Status
from tests.records.factories import make_curve, make_result, make_run_spec


def test_a_failed_run_is_a_result_without_numbers() -> None:
    """Its numbers are NaN, like those of a run that was never evaluated."""
    result = RunResult.failed(make_run_spec(), "its worker died")
    assert (result.status, result.reason) == (Status.FAILED, "its worker died")
    assert (result.curve.columns, result.curve.rows) == (CURVE_COLUMNS, 0)
    assert math.isnan(result.final("val_loss"))
    assert math.isnan(result.test_loss)
    assert result.params is None


@pytest.mark.parametrize(
    ("val_loss", "row"),
    [([3, 1, 1, 2], 1), ([1, 2, 3], 0), ([2, math.nan, 1, math.inf], 2), ([math.nan] * 2, 0)],
)
def test_the_best_row_has_the_lowest_validation_loss(val_loss: list[float], row: int) -> None:
    """The first one on ties, the untrained network included; what is not finite never wins."""
    columns = {name: np.arange(float(len(val_loss))) for name in CURVE_COLUMNS}
    result = make_result(curve=make_curve({**columns, "val_loss": val_loss}))
    assert result.best_row == row
    assert result.best("updates") == row
    assert math.isnan(result.best("layer1.dead"))


def test_a_run_that_was_never_evaluated_has_no_best_row() -> None:
    """A failed run has an empty curve."""
    result = make_result(status=Status.FAILED)
    assert result.best_row == -1
    assert math.isnan(result.best("val_loss"))
