"""Search points: equal budgets, the right coordinates, and widened ranges."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc

from optbench.contracts import Rule
from optbench.errors import ConfigError
from optbench.tuning.search_points import STREAM, scrambled_sobol, sobol_points, widened_points
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
        points = sobol_points(SearchSpace(optimizer, {}, ruleset), budget)
    assert len(points) == budget
    assert len({tuple(p.items()) for p in points}) == budget


def test_a_larger_budget_repeats_no_run() -> None:
    """The points of a small budget are the first of a large one; another seed gives others."""
    assert sobol_points(RICH, 16)[:6] == sobol_points(RICH, 6)
    assert sobol_points(RICH, 6, seed=1) != sobol_points(RICH, 6)


def test_eight_learning_rates_lie_in_the_eight_parts_of_the_range() -> None:
    """The sequence is stratified in the log of lr."""
    points = sobol_points(PLAIN, 8)
    u = sorted((math.log10(float(p["lr"])) + 3) / 4 for p in points)
    assert [int(8 * x) for x in u] == list(range(8))


def test_lr_is_searched_as_the_length_of_the_step_once_momentum_has_built_up() -> None:
    """With mu fixed, lr / (1 - mu) spans the declared range."""
    plain = sobol_points(PLAIN, 8)
    scaled = sobol_points(SearchSpace(Rich, {"mu": 0.99}, "lr"), 8)
    for one, other in zip(plain, scaled, strict=True):
        assert float(other["lr"]) / 0.01 == pytest.approx(float(one["lr"]))
        assert other["mu"] == 0.99


def test_the_full_ruleset_searches_everything_in_its_own_prior() -> None:
    """Each value lies in its range, whole numbers are whole, and every choice is tried."""
    points = sobol_points(RICH, 64)
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
    points = sobol_points(SearchSpace(optimizer, given, ruleset), budget)
    assert points == [{**values, **given}]


def test_a_budget_of_zero_is_refused() -> None:
    """The message says what is allowed."""
    with pytest.raises(ConfigError, match="budget=0 is not allowed; a whole number >= 1"):
        sobol_points(PLAIN, 0)


def test_widening_searches_only_beyond_the_edge() -> None:
    """Half the budget is spent in the two decades above the declared four."""
    points = widened_points(PLAIN, 8, {"lr": "high"})
    assert len(points) == 4
    assert all(10 <= float(p["lr"]) <= 1000 for p in points)
    again = widened_points(PLAIN, 8, {"lr": "high"}, [{"lr": "high"}])
    assert all(1e3 <= float(p["lr"]) <= 1e5 for p in again)
    assert widened_points(PLAIN, 8, {"lr": "high"}, seed=1) != points
    assert widened_points(PLAIN, 8, {}) == []


def test_a_range_is_never_widened_beyond_the_valid_values() -> None:
    """1 - mu up to 0.5 widens towards mu = 0 and stops there."""
    mu = next(d for d in RICH.dimensions([{"mu": "low"}]) if d.name == "mu")
    assert mu.quantity(mu.low) == pytest.approx(0)
    for p in widened_points(RICH, 8, {"mu": "low"}):
        assert 0 <= float(p["mu"]) <= 0.5


def test_search_points_are_scipys_whether_cached_or_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn, read from the cache, or drawn again because the copy is damaged: the same points."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    points = scrambled_sobol.__wrapped__
    rng = np.random.default_rng([STREAM, 0])
    expected = qmc.Sobol(2, scramble=True, seed=rng).random_base2(3)[:6]
    np.testing.assert_array_equal(points(2, 6, 0), expected)
    (cached,) = tmp_path.glob("sobol/*.npz")
    np.testing.assert_array_equal(points(2, 6, 0), expected)
    np.testing.assert_array_equal(points(2, 8, 0)[:6], expected)
    assert list(tmp_path.glob("sobol/*.npz")) == [cached]
    cached.write_bytes(cached.read_bytes()[:-30])
    np.testing.assert_array_equal(points(2, 6, 0), expected)
