"""The number of evaluations of a run: bounded by the cost of training, equal for all optimizers."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest

import optbench
from optbench.data.splits import typed_parts
from optbench.engine.curve_parts import SHORT_ROWS, curve_parts
from optbench.engine.curve_points import LEAST, SHARE, plan_curve
from optbench.engine.grid import distinct_points, evaluation_grid, grid_of, thinned
from optbench.engine.problem import build_problem
from optbench.engine.training import train_problem
from optbench.records import RunSpec
from optbench.registry import default_registry
from tests.engine.spec_factory import spec_of


def test_a_short_run_is_evaluated_at_few_points_of_its_grid() -> None:
    """The spec says at how many, the curve has them, and a longer run has more of them."""
    numbers = []
    for epochs in (10, 30, 45):
        spec = spec_of("adam", dataset="digits", epochs=epochs)
        assert spec.curve_points is not msgspec.UNSET
        assert spec.curve_rows == (SHORT_ROWS, 360)
        numbers.append(spec.curve_points)
        if epochs == 10:
            curve = optbench.train("adam", dataset="digits", epochs=epochs).curve
            assert curve.rows == LEAST + 1
            full = evaluation_grid(1078, epochs, 40)
            assert set(grid_of(spec, 1078)) <= set(full)
    assert numbers[0] == LEAST < numbers[1] < numbers[2] < 40


def test_evaluations_cost_what_is_allowed_or_the_least() -> None:
    """In counted operations; on the way to longer runs, the points grow before the sample goes."""
    sizes, parts, batch_size = (64, 32, 32, 10), (1078, 360), 32
    before: tuple[float, float] = (0, 0)
    for epochs in (5, 10, 20, 40, 80, 160, 320, 640):
        rows, points = plan_curve(sizes, parts, batch_size, epochs, 40)
        evaluated = sum(parts if rows is msgspec.UNSET else rows)
        count = 40 if points is msgspec.UNSET else points
        at_the_end = 0 if rows is msgspec.UNSET else parts[0]
        updates = 34 * 18 * (64 * 32 + 32 * 32 + 32 * 10 + 74) / (3392 + 8 * 74)
        training = epochs * (2 * 1078 + updates)
        share = ((count + 1) * evaluated + at_the_end) / training
        assert share <= SHARE or count == LEAST
        assert (evaluated, count) >= before
        before = (evaluated, count)
    assert before == (1438, 40)


@pytest.mark.parametrize("kind", ["compiled", "stepped", "reference"])
def test_the_training_loss_of_a_short_run_is_that_of_the_whole_part_at_its_end(kind: str) -> None:
    """Before, and in the curve, it is that of a sample; training and validation stay the same."""
    spec = spec_of("sgd", dataset="digits", dtype="float64", epochs=2)
    problem = build_problem(spec, default_registry())
    result = train_problem(problem, kind)
    whole = train_problem(
        build_problem(msgspec.structs.replace(spec, curve_rows=msgspec.UNSET), default_registry()),
        kind,
    )
    assert result.params is not None
    source = default_registry().dataset_source("digits")
    (sample, val), train = (
        curve_parts(source, "float64", spec.curve_rows), typed_parts(source, "float64")[0]
    )  # fmt: skip
    assert (len(sample[0]), len(val[0]), len(train[0])) == (SHORT_ROWS, 360, 1078)
    expected = problem.network.evaluate(result.params, *train)
    assert (result.final("train_loss"), result.final("train_metric")) == pytest.approx(expected)
    assert (result.end_train_loss, result.end_train_metric) == pytest.approx(expected, rel=1e-10)
    expected = problem.network.evaluate(result.params, *sample)
    assert (result.curve["train_loss"][-1], result.curve["train_metric"][-1]) == pytest.approx(
        expected, rel=1e-10
    )
    assert result.params_hash == whole.params_hash
    np.testing.assert_array_equal(result.curve["val_loss"], whole.curve["val_loss"])
    assert whole.final("train_loss") == result.final("train_loss")
    assert whole.end_train_loss == whole.curve["train_loss"][-1]
    assert result.guess_train_loss == whole.guess_train_loss


def test_a_run_whose_training_loss_is_not_finite_at_the_end_has_diverged() -> None:
    """An example outside of the sample may overflow alone."""
    spec = spec_of("sgd", dataset="digits", epochs=2)
    problem = build_problem(spec, default_registry())
    assert problem.end_train is not None
    x = problem.end_train[0].copy()
    x[0] = np.inf
    result = train_problem(replace(problem, end_train=(x, problem.end_train[1])))
    assert result.status == "diverged"
    assert result.reason == "loss not finite after 68 updates"
    assert math.isnan(result.end_train_loss)
    assert math.isnan(result.test_loss)


def test_a_diverged_run_has_the_training_loss_of_its_curve() -> None:
    """Nothing is evaluated after the end."""
    result = optbench.train("sgd[lr=1e9]", dataset="digits", epochs=2)
    assert result.status == "diverged"
    assert math.isnan(result.end_train_loss)
    assert result.final("train_loss") == pytest.approx(result.curve["train_loss"][-1], nan_ok=True)


def test_all_points_stay_where_training_costs_more() -> None:
    """A long run is evaluated whole; a grid of few points, at all of them on a sample."""
    for spec, is_long in (
        (spec_of("adam", dataset="digits", epochs=1000), True),
        (spec_of("adam", dataset="digits", epochs=1, grid_points=LEAST), False),
    ):
        assert spec.curve_points is msgspec.UNSET
        assert (spec.curve_rows is msgspec.UNSET) == is_long
        fields = msgspec.json.decode(msgspec.json.encode(spec))
        assert "curve_points" not in fields
        assert ("curve_rows" in fields) != is_long
        assert msgspec.convert(fields, RunSpec).key == spec.key
        assert np.array_equal(
            grid_of(spec, 1078), evaluation_grid(1078, spec.epochs, spec.grid_points)
        )


@pytest.mark.parametrize("regime", ["batch", "mini-batch", "sgd"])
def test_optimizers_share_their_points(regime: str) -> None:
    """The points depend on the workload, not on the optimizer."""
    specs = [spec_of(name, dataset="wine", regime=regime) for name in ("sgd", "adam", "muon")]
    assert len({spec.curve_points for spec in specs}) == 1


def test_points_of_one_update_count_once() -> None:
    """In full batch, the many points before the first update are one."""
    grid = evaluation_grid(1000, 20, 40)
    points = distinct_points(grid, 1000, 1000)
    assert len(points) < 20
    assert len(np.unique(-(-points // 1000))) == len(points)
    assert set(-(-grid // 1000)) == set(-(-points // 1000))
    assert np.array_equal(distinct_points(grid, 1000, 1), grid)


@pytest.mark.parametrize("count", [12, 13, 24, 39])
def test_thinning_keeps_the_last_points(count: int) -> None:
    """The last half stays as it is, with the end of the run; the others are evenly spaced."""
    grid = np.arange(40)
    points = thinned(grid, count)
    assert len(points) == len(np.unique(points)) == count
    assert np.array_equal(points[-(count // 2) :], grid[-(count // 2) :])
    gaps = np.diff(points[: -(count // 2) + 1])
    assert gaps.max() - gaps.min() <= 1
