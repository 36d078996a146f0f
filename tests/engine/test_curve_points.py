"""The number of evaluations of a run: bounded by the cost of training, equal for all optimizers."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

import optbench
from optbench.engine.curve_points import LEAST
from optbench.engine.grid import distinct_points, evaluation_grid, grid_of, thinned
from optbench.records import RunSpec
from tests.engine.spec_factory import spec_of


def test_a_short_run_is_evaluated_at_few_points_of_its_grid() -> None:
    """The spec says at how many, the curve has them, and a longer run has more of them."""
    numbers = []
    for epochs in (10, 40, 80):
        spec = spec_of("adam", dataset="digits", epochs=epochs)
        assert spec.curve_points is not msgspec.UNSET
        numbers.append(spec.curve_points)
        if epochs == 10:
            curve = optbench.train("adam", dataset="digits", epochs=epochs).curve
            assert curve.rows == LEAST + 1
            full = evaluation_grid(1078, epochs, 40)
            assert set(grid_of(spec, 1078)) <= set(full)
    assert numbers[0] == LEAST < numbers[1] < numbers[2] < 40


def test_all_points_stay_where_training_costs_more() -> None:
    """A long run, and a grid of few points, are evaluated at all points; their keys stay."""
    for spec in (
        spec_of("adam", dataset="digits", epochs=1000),
        spec_of("adam", dataset="digits", epochs=1, grid_points=LEAST),
    ):
        assert spec.curve_points is msgspec.UNSET
        fields = msgspec.json.decode(msgspec.json.encode(spec))
        assert "curve_points" not in fields
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
