"""Search points: equal budgets, the right coordinates, and widened ranges."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

from optbench.contracts import Rule
from optbench.errors import ConfigError
from optbench.tuning.search_points import (
    _plain_sobol,
    refined_points,
    scrambled_sobol,
    search_points,
    widened_points,
)
from optbench.tuning.space import SearchSpace
from tests.tuning.optimizers import PLAIN, RICH, Bare, Plain, Rich


@pytest.mark.parametrize("ruleset", ["lr", "full"])
@pytest.mark.parametrize("optimizer", [Plain, Rich])
@pytest.mark.parametrize("budget", [2, 5, 8])
def test_every_optimizer_has_the_same_number_of_trials(
    ruleset: str, optimizer: type[Rule], budget: int
) -> None:
    """The number of trials is the budget, however many dimensions are searched; no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = search_points(SearchSpace(optimizer, {}, ruleset), budget)
    assert len(points) == budget
    assert len({tuple(p.items()) for p in points}) == budget


def test_a_larger_budget_repeats_no_run() -> None:
    """The points of a small budget are the first of a large one; another stream gives others."""
    assert search_points(RICH, 16)[:6] == search_points(RICH, 6)
    other = search_points(RICH, 6, "another")
    assert all(p not in search_points(RICH, 6) for p in other[1:])


def test_the_default_configuration_is_the_first_trial() -> None:
    """It takes one of the trials of the budget, whatever the stream."""
    assert search_points(RICH, 6)[0] == search_points(RICH, 6, "another")[0] == RICH.values_at()
    assert search_points(PLAIN, 2)[0] == {"lr": 0.1}


def test_eight_learning_rates_lie_in_the_eight_parts_of_the_range() -> None:
    """The sequence is stratified in the log of lr; the default is one trial more."""
    points = search_points(PLAIN, 9)[1:]
    u = sorted((math.log10(float(p["lr"])) + 3) / 4 for p in points)
    assert [int(8 * x) for x in u] == list(range(8))


def test_lr_is_searched_as_the_length_of_the_step_once_momentum_has_built_up() -> None:
    """With mu fixed, lr / (1 - mu) spans the declared range."""
    plain = search_points(PLAIN, 8)[1:]
    scaled = search_points(SearchSpace(Rich, {"mu": 0.99}, "lr"), 8)[1:]
    for one, other in zip(plain, scaled, strict=True):
        assert float(other["lr"]) / 0.01 == pytest.approx(float(one["lr"]))
        assert other["mu"] == 0.99


def test_the_full_ruleset_searches_everything_in_its_own_prior() -> None:
    """Each value lies in its range, whole numbers are whole, and every choice is tried."""
    points = search_points(RICH, 64)
    for p in points:
        assert 1e-3 <= float(p["lr"]) / (1 - float(p["mu"])) <= 10
        assert 1e-3 <= 1 - float(p["mu"]) <= 0.5
        assert isinstance(p["history"], int)
        assert 5 <= p["history"] <= 20
        assert p["fixed"] == 1e-8
    assert {p["form"] for p in points} == {"a", "b", "c"}
    rest = np.log10([1 - float(p["mu"]) for p in points])
    assert np.median(rest) == pytest.approx((math.log10(1e-3) + math.log10(0.5)) / 2, abs=0.1)


@pytest.mark.parametrize(
    ("optimizer", "given", "ruleset", "budget"),
    [
        (Plain, {}, "defaults", 8),
        (Plain, {"lr": 0.5}, "lr", 8),
        (Bare, {}, "lr", 8),
        (Plain, {}, "lr", 1),
    ],
)
def test_with_nothing_to_tune_there_is_one_trial(
    optimizer: type[Rule], given: dict[str, float], ruleset: str, budget: int
) -> None:
    """The only configuration is tried once; repeating it would waste the budget."""
    values = {name: h.default for name, h in optimizer.hypers().items()}
    points = search_points(SearchSpace(optimizer, given, ruleset), budget)
    assert points == [{**values, **given}]


def test_a_budget_of_zero_is_refused() -> None:
    """The message says what is allowed."""
    with pytest.raises(ConfigError, match="budget=0 is not allowed; a whole number >= 1"):
        search_points(PLAIN, 0)


def test_widening_searches_only_beyond_the_edge() -> None:
    """Half the budget is spent in the two decades above the declared four."""
    points = widened_points(PLAIN, 8, {"lr": "high"})
    assert len(points) == 4
    assert all(10 <= float(p["lr"]) <= 1000 for p in points)
    again = widened_points(PLAIN, 8, {"lr": "high"}, [{"lr": "high"}])
    assert all(1e3 <= float(p["lr"]) <= 1e5 for p in again)
    assert widened_points(PLAIN, 8, {"lr": "high"}, stream="another") != points
    assert widened_points(PLAIN, 8, {}) == []


def test_a_range_is_never_widened_beyond_the_valid_values() -> None:
    """1 - mu up to 0.5 widens towards mu = 0 and stops there."""
    mu = next(d for d in RICH.dimensions([{"mu": "low"}]) if d.name == "mu")
    assert mu.quantity(mu.low) == pytest.approx(0)
    for p in widened_points(RICH, 8, {"mu": "low"}):
        assert 0 <= float(p["mu"]) <= 0.5


def test_points_beside_the_best_are_close_to_it_and_differ() -> None:
    """With one dimension two points are a quarter of the spacing away, and four are nearer."""
    best = search_points(PLAIN, 9)[3]
    (dimension,) = PLAIN.dimensions()
    for count, distances in ((1, 1), (2, 1), (3, 2), (4, 2)):
        points = refined_points(PLAIN, 9, count, best)
        offsets = [8 * (dimension.coordinate_of(p) - dimension.coordinate_of(best)) for p in points]
        assert len({round(offset, 6) for offset in offsets}) == count
        expected = {1: {0.25}, 2: {0.125, 0.375}}[distances]
        assert {round(abs(offset), 6) for offset in offsets} <= expected
    for point in refined_points(RICH, 17, 5, RICH.values_at()):
        assert point["form"] == RICH.values_at()["form"]
        for each in RICH.dimensions():
            if each.hyper.kind is float:
                offset = each.coordinate_of(point) - each.coordinate_of(RICH.values_at())
                assert 0 < abs(offset) < 16 ** (-1 / len(RICH.dimensions())) / 2


def test_no_points_lie_beside_the_best_where_no_range_is_searched() -> None:
    """Choices have no neighbours."""
    assert refined_points(SearchSpace(Plain, {"lr": 0.5}, "full"), 8, 2, {"lr": 0.5}) == []
    assert refined_points(PLAIN, 8, 0, PLAIN.values_at()) == []


def test_a_best_point_without_a_coordinate_is_replaced_by_the_end_of_its_range() -> None:
    """A rate of 0 has no logarithm."""
    points = refined_points(PLAIN, 8, 2, {"lr": 0.0})
    assert all(1e-4 < float(point["lr"]) < 1e-2 for point in points)


@pytest.mark.parametrize("n_dims", [1, 2, 5])
@pytest.mark.parametrize("power", [0, 1, 3, 6, 8])
def test_every_interval_of_each_coordinate_holds_one_point(n_dims: int, power: int) -> None:
    """The first 2^k points lie one in each of 2^k equal intervals, after any scrambling."""
    for stream in ("a", "b", "moons | batch | 3"):
        points = scrambled_sobol(n_dims, 2**power, stream)
        assert points.shape == (2**power, n_dims)
        places = np.sort((points * 2**power).astype(int), axis=0)
        np.testing.assert_array_equal(places, np.arange(2**power)[:, None].repeat(n_dims, 1))


def test_every_box_of_two_coordinates_holds_one_point() -> None:
    """Sixteen points fill all grids of sixteen equal boxes, as those of the plain sequence do."""
    for number in range(50):
        points = scrambled_sobol(2, 16, str(number))
        for columns in (1, 2, 4, 8, 16):
            rows = 16 // columns
            boxes = (points * [columns, rows]).astype(int) @ [rows, 1]
            assert sorted(boxes) == list(range(16))


def test_the_first_coordinate_is_evenly_spaced() -> None:
    """Eight learning rates leave no gap wider than an eighth of the range."""
    for number in range(20):
        points = np.sort(scrambled_sobol(3, 8, str(number))[:, 0])
        np.testing.assert_allclose(np.diff(points), 1 / 8, rtol=0, atol=1e-8)


def test_points_are_uniform_over_scramblings() -> None:
    """Each point of each coordinate is uniform; two coordinates of a point are independent."""
    draws = np.array([scrambled_sobol(4, 8, f"stream {i}") for i in range(2000)])
    assert stats.kstest(draws.reshape(-1, 32), "uniform", axis=0).pvalue.min() > 1e-3 / 32
    for point in range(8):
        correlation = np.corrcoef(draws[:, point], rowvar=False)
        assert np.abs(correlation - np.eye(4)).max() < 5 / math.sqrt(2000)


def test_coordinates_do_not_repeat_each_other() -> None:
    """Among many dimensions, eight plain points of some coordinates are the same; these are not."""
    orders = [
        tuple(column.argsort())
        for i in range(20)
        for column in scrambled_sobol(10, 8, f"stream {i}").T
    ]
    assert len(set(orders)) > 150


def test_another_stream_gives_other_points_at_the_same_positions_for_everyone() -> None:
    """The points depend on nothing but the stream and the number of dimensions."""
    one, two = scrambled_sobol(2, 7, "one"), scrambled_sobol(2, 7, "two")
    assert not np.isin(one, two).any()
    np.testing.assert_array_equal(scrambled_sobol(2, 7, "one"), one)
    np.testing.assert_array_equal(scrambled_sobol(1, 7, "one"), one[:, :1])


def test_plain_points_are_scipys_whether_cached_or_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn, read from the cache, or drawn again because the copy is damaged: the same points."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    points = _plain_sobol.__wrapped__
    expected = qmc.Sobol(2, scramble=False).random_base2(3)
    np.testing.assert_array_equal(points(2, 3) / 2.0**53, expected)
    (cached,) = tmp_path.glob("sobol/*.npz")
    np.testing.assert_array_equal(points(2, 3) / 2.0**53, expected)
    assert list(tmp_path.glob("sobol/*.npz")) == [cached]
    cached.write_bytes(cached.read_bytes()[:-30])
    np.testing.assert_array_equal(points(2, 3) / 2.0**53, expected)
