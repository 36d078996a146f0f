"""Tuning: equal budgets, the right coordinates, selection on validation, edges and widening."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc

from optbench.contracts import Rule, hyper
from optbench.errors import ConfigError
from optbench.records import Status, Trial
from optbench.tuning import trials as tuning
from optbench.tuning.space import dimensions
from tests.records import factories


class Plain(Rule):
    """One learning rate."""

    lr: float = hyper(0.1, low=0, log_range=(1e-3, 10))


class Rich(Rule):
    """Every kind of hyperparameter."""

    lr: float = hyper(0.1, low=0, log_range=(1e-3, 10), scaled_by="mu")
    mu: float = hyper(0.9, low=0, high=1, one_minus_log_range=(1e-3, 0.5))
    history: int = hyper(10, low=1, uniform_range=(5, 20))
    form: str = hyper("a", choices=("a", "b", "c"))
    fixed: float = hyper(1e-8)


class Bare(Rule):
    """Nothing to tune under the ruleset lr."""

    size: float = hyper(1.0, uniform_range=(0, 1))


def make_trial(loss: float, status: Status = Status.OK, time: int = 3, **hyper: float) -> Trial:
    """A trial with one run that is at its final loss from evaluation `time` on."""
    losses = np.where(np.arange(6) >= time, loss, 5.0)
    curve = factories.make_curve({"examples": np.arange(6) * 10.0, "val_loss": losses})
    spec = factories.make_run_spec(hyper=dict(hyper))
    return Trial(hyper, (factories.make_result(spec, curve, status),))


@pytest.mark.parametrize("ruleset", ["lr", "full"])
@pytest.mark.parametrize("optimizer", [Plain, Rich])
@pytest.mark.parametrize("budget", [2, 5, 8])
def test_every_optimizer_has_the_same_number_of_trials(
    ruleset: str, optimizer: type[Rule], budget: int
) -> None:
    """However many dimensions are searched, the budget is the budget; no warning is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = tuning.sobol_points(optimizer, {}, ruleset, budget)
    assert len(points) == budget
    assert len({tuple(p.items()) for p in points}) == budget


def test_a_larger_budget_repeats_no_run() -> None:
    """The points of a small budget are the first of a large one, and every call gives the same."""
    assert tuning.sobol_points(Rich, {}, "full", 16)[:6] == tuning.sobol_points(Rich, {}, "full", 6)
    assert tuning.sobol_points(Rich, {}, "full", 6, seed=1) != tuning.sobol_points(
        Rich, {}, "full", 6
    )


def test_eight_learning_rates_lie_in_the_eight_parts_of_the_range() -> None:
    """The sequence is stratified in the log of lr."""
    points = tuning.sobol_points(Plain, {}, "lr", 8)
    u = sorted((math.log10(float(p["lr"])) + 3) / 4 for p in points)
    assert [int(8 * x) for x in u] == list(range(8))


def test_lr_is_searched_as_the_length_of_the_step_once_momentum_has_built_up() -> None:
    """With mu fixed, lr / (1 - mu) is what spans the declared range."""
    plain = tuning.sobol_points(Plain, {}, "lr", 8)
    scaled = tuning.sobol_points(Rich, {"mu": 0.99}, "lr", 8)
    for one, other in zip(plain, scaled, strict=True):
        assert float(other["lr"]) / 0.01 == pytest.approx(float(one["lr"]))
        assert other["mu"] == 0.99


def test_the_full_ruleset_searches_everything_in_its_own_prior() -> None:
    """Each value lies in its range, whole numbers are whole, and every choice is tried."""
    points = tuning.sobol_points(Rich, {}, "full", 64)
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
    """Repeating one configuration would waste the budget: it is tried once."""
    values = {name: h.default for name, h in optimizer.hypers().items()}
    assert tuning.sobol_points(optimizer, given, ruleset, budget) == [{**values, **given}]


def test_a_budget_of_nothing_is_refused() -> None:
    """The message says what is allowed."""
    with pytest.raises(ConfigError, match="budget=0 is not allowed"):
        tuning.sobol_points(Plain, {}, "lr", 0)


def test_selection_takes_the_lowest_validation_loss_and_never_a_diverged_trial() -> None:
    """A diverged run that ends at a low loss is infinitely bad."""
    trials = [make_trial(0.4), make_trial(0.1, Status.DIVERGED), make_trial(0.3), make_trial(0.3)]
    assert tuning.select(trials) is trials[2]


def test_selection_takes_the_median_over_tuning_seeds() -> None:
    """One lucky seed does not win."""
    runs = [make_trial(x).results[0] for x in (0.1, 0.9, 0.8)]
    lucky, steady = Trial({}, tuple(runs)), make_trial(0.5)
    assert tuning.select([lucky, steady]) is steady
    assert tuning.trial_loss(Trial({}, tuple(runs[:2]))) == pytest.approx(0.5)


def test_selection_by_time_prefers_the_sooner_trial() -> None:
    """In the speed track, reaching the target first beats ending lower."""
    sooner, lower = make_trial(0.4, time=1), make_trial(0.1, time=4)
    assert tuning.select([lower, sooner], "time", 0.5) is sooner
    assert tuning.select([lower, sooner], "val_loss") is lower
    assert tuning.select([sooner, lower], "time", 0.01) is lower


def test_selection_without_what_it_needs_is_refused() -> None:
    """No trials, or a time without a target."""
    with pytest.raises(ConfigError, match="no trials"):
        tuning.select([])
    with pytest.raises(ConfigError, match="needs a target"):
        tuning.select([make_trial(0.1)], "time")


def edge(losses: dict[float, float], **options: object) -> dict[str, str]:
    """Edges found for trials given as lr -> loss."""
    trials = [make_trial(loss, lr=lr) for lr, loss in losses.items()]
    return tuning.edge_of(trials, tuning.select(trials), Plain, {}, "lr", **options)  # type: ignore[arg-type]


def test_the_best_trial_in_the_outer_tenth_is_an_edge() -> None:
    """The range is four decades, so its outer tenths are 0.4 decades wide."""
    assert edge({8.0: 0.1, 0.1: 0.2}) == {"lr": "high"}
    assert edge({1.5e-3: 0.1, 0.1: 0.2}) == {"lr": "low"}
    assert edge({3.0: 0.1, 0.1: 0.2}) == {}


def test_an_edge_that_gains_nothing_is_none() -> None:
    """Where a trial further inside is as good, more range would not help."""
    assert edge({8.0: 0.1, 0.1: 0.1005}) == {}


def test_no_edge_is_claimed_when_everything_diverged() -> None:
    """There is no best trial to be at an edge."""
    trials = [make_trial(0.1, Status.DIVERGED, lr=8.0)]
    assert tuning.edge_of(trials, trials[0], Plain, {}, "lr") == {}


def test_widening_searches_only_beyond_the_edge() -> None:
    """Half the budget, in the two decades above the declared four."""
    points = tuning.widened_points(Plain, {}, "lr", 8, 0, {"lr": "high"})
    assert len(points) == 4
    assert all(10 <= float(p["lr"]) <= 1000 for p in points)
    again = tuning.widened_points(Plain, {}, "lr", 8, 0, {"lr": "high"}, [{"lr": "high"}])
    assert all(1e3 <= float(p["lr"]) <= 1e5 for p in again)
    assert tuning.widened_points(Plain, {}, "lr", 8, 0, {}) == []


def test_after_widening_the_edge_is_that_of_the_wider_range() -> None:
    """What was the edge is inside now; the new outer tenth is the edge."""
    widened = [{"lr": "high"}]
    assert edge({8.0: 0.1, 0.1: 0.2, 300.0: 0.4}, widened=widened) == {}
    assert edge({800.0: 0.1, 8.0: 0.2}, widened=widened) == {"lr": "high"}


def test_a_range_is_never_widened_beyond_what_is_valid() -> None:
    """1 - mu up to 0.5 widens towards mu = 0 and stops there; no edge is claimed at the end."""
    low = dimensions(Rich, {}, "full", [{"mu": "low"}])
    mu = next(d for d in low if d.name == "mu")
    assert mu.quantity(mu.low) == pytest.approx(0)
    for p in tuning.widened_points(Rich, {}, "full", 8, 0, {"mu": "low"}):
        assert 0 <= float(p["mu"]) <= 0.5
    trials = [
        make_trial(0.1, lr=1.0, mu=1e-9, history=12),
        make_trial(0.2, lr=0.01, mu=0.9, history=12),
    ]
    found = tuning.edge_of(trials, trials[0], Rich, {}, "full", [{"mu": "low"}])
    assert "mu" not in found


def test_search_points_are_scipys_whether_kept_or_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn, read from the cache, or drawn again because the copy is damaged: the same points."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    points = tuning._sobol.__wrapped__
    rng = np.random.default_rng([tuning._STREAM, 0])
    expected = qmc.Sobol(2, scramble=True, seed=rng).random_base2(3)[:6]
    np.testing.assert_array_equal(points(2, 6, 0), expected)
    (kept,) = tmp_path.glob("sobol/*.npz")
    np.testing.assert_array_equal(points(2, 6, 0), expected)
    np.testing.assert_array_equal(points(2, 8, 0)[:6], expected)
    assert list(tmp_path.glob("sobol/*.npz")) == [kept]
    kept.write_bytes(kept.read_bytes()[:-30])
    np.testing.assert_array_equal(points(2, 6, 0), expected)
