"""Runs that nobody trained: the one place of the tests that spells out a spec, curve and result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from optbench.records import CURVE_COLUMNS, Curve, RunResult, RunSpec, Status

NAN = float("nan")


def make_run_spec(optimizer: str = "some", **fields: Any) -> RunSpec:
    """Return a spec with no hyperparameters, of the dataset ``"d"``, unless `fields` say otherwise.

    Args:
        fields: of the run and of its workload, side by side.
    """
    return RunSpec(**{"optimizer": optimizer, "hyper": {}, "dataset": "d", **fields})


def make_curve(columns: Mapping[str, ArrayLike]) -> Curve:
    """Return a curve of these columns."""
    return Curve.from_columns(columns)


def empty_curve() -> Curve:
    """Return the curve of a run that ended before its first evaluation."""
    return make_curve(dict.fromkeys(CURVE_COLUMNS, ()))


def make_result(
    spec: RunSpec | None = None,
    curve: Curve | None = None,
    status: Status = Status.OK,
    *,
    test_loss: float = NAN,
    test_metric: float = NAN,
    **measured: Any,
) -> RunResult:
    """Return a result as the engine would: a lost run has a reason, and no test loss or metric.

    Args:
        measured: any other field of a result.
    """
    is_lost = status is not Status.OK
    return RunResult(
        run=spec or make_run_spec(),
        status=status,
        reason=measured.pop("reason", "loss not finite" if is_lost else ""),
        curve=curve or empty_curve(),
        test_loss=NAN if is_lost else test_loss,
        test_metric=NAN if is_lost else test_metric,
        **measured,
    )
