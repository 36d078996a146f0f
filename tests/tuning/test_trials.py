"""Trials: selection on validation data, and edges of the search range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optbench.errors import ConfigError
from optbench.records import RunResult, Status, Trial
from optbench.tuning.trials import TrialRanking, find_edges, trial_loss
from tests.records import factories
from tests.tuning.optimizers import PLAIN, RICH


def make_trial(loss: float, status: Status = Status.OK, time: int = 3, **hyper: float) -> Trial:
    """Return a trial with one run that has its final loss from evaluation `time` on."""
    losses = np.where(np.arange(6) >= time, loss, 5.0)
    curve = factories.make_curve({"examples": np.arange(6) * 10.0, "val_loss": losses})
    spec = factories.make_run_spec(hyper=dict(hyper))
    return Trial(hyper, (factories.make_result(spec, curve, status),))


def make_run(losses: Sequence[float], status: Status = Status.OK, **more: Any) -> RunResult:
    """Return a run with these validation losses."""
    curve = factories.make_curve(
        {"examples": np.arange(len(losses)) * 10.0, "val_loss": np.array(losses)}
    )
    return factories.make_result(factories.make_run_spec(), curve, status, **more)


def seeds_of(*losses: float) -> Trial:
    """Return a trial with one run for each final loss, from 5.0 on."""
    return Trial({}, tuple(make_run([5.0, loss, loss]) for loss in losses))


def select_trial(
    trials: Sequence[Trial], by: str = "best_val_loss", target: float | None = None
) -> Trial:
    """Return the first trial of the ranking."""
    return TrialRanking(trials, by, target).best_first()[0]


def test_selection_takes_the_lowest_validation_loss_and_never_a_diverged_trial() -> None:
    """A diverged run that ended at a low loss has made no progress."""
    trials = [make_trial(0.4), make_trial(0.1, Status.DIVERGED), make_trial(0.3), make_trial(0.3)]
    assert select_trial(trials) is trials[2]


def test_a_run_is_judged_by_its_best_point_unless_the_end_is_asked_for() -> None:
    """A run that overfits at the end is as good as its best point, where training would stop."""
    overfits = Trial({}, (make_run([5.0, 0.2, 3.0]),))
    slow = Trial({}, (make_run([5.0, 1.0, 0.4]),))
    assert select_trial([slow, overfits]) is overfits
    assert select_trial([slow, overfits], "val_loss") is slow
    assert trial_loss(overfits, "best_val_loss") == 0.2
    assert trial_loss(overfits) == 3.0


def test_selection_takes_mean_and_spread_of_the_log_loss_over_tuning_seeds() -> None:
    """Of two trials with about the same mean, the steady one is chosen; the mean still counts."""
    varied, steady = seeds_of(0.1, 0.9, 0.7), seeds_of(0.4, 0.4, 0.44)
    assert select_trial([varied, steady]) is steady  # though 0.063 < 0.0704
    worse = seeds_of(1.4, 1.4, 1.4)
    assert select_trial([worse, varied]) is varied  # exp(mean + deviation) is 1.32
    assert trial_loss(seeds_of(0.1, 0.9, 0.8)) == pytest.approx(0.8)


def test_a_retest_counts_like_the_first_seeds() -> None:
    """A lucky first seed is forgotten when three others are worse."""
    lucky, steady = seeds_of(0.1), seeds_of(0.3)
    assert select_trial([lucky, steady]) is lucky
    lucky = replace(lucky, retest=seeds_of(0.9, 0.9, 0.9).results)
    steady = replace(steady, retest=seeds_of(0.3, 0.3, 0.3).results)
    assert select_trial([lucky, steady]) is steady


@pytest.mark.parametrize("status", [Status.DIVERGED, Status.FAILED])
def test_a_lost_run_counts_as_its_initial_loss(status: Status) -> None:
    """One loss in four outweighs a large gain on the others, which a median would hide."""
    lost = make_run([5.0, 0.1], status)
    sometimes_lost = replace(seeds_of(0.2, 0.2, 0.2), retest=(lost,))
    always_there = seeds_of(2.2, 2.2, 2.2, 2.2)
    assert select_trial([sometimes_lost, always_there]) is always_there
    nearly_as_bad = seeds_of(2.3, 2.3, 2.3, 2.3)
    assert select_trial([sometimes_lost, nearly_as_bad]) is sometimes_lost  # sqrt(5)


def test_a_run_that_failed_at_once_counts_as_the_initial_loss_of_the_others() -> None:
    """It was never evaluated, so its own initial loss is unknown."""
    failed = RunResult.failed(factories.make_run_spec(), "no reason")
    assert select_trial([Trial({}, (failed,)), seeds_of(4.9)]).results[0] is not failed
    assert select_trial([Trial({}, (failed,))]).results == (failed,)


def test_a_run_that_ends_above_its_start_is_no_worse_than_a_lost_one() -> None:
    """Neither has made progress; of the two, the one that was not lost is chosen."""
    lost = Trial({}, (make_run([5.0, 0.1], Status.DIVERGED),))
    rises = Trial({}, (make_run([5.0, 6.0, 7.0]),))
    assert select_trial([lost, rises], "val_loss") is rises
    assert select_trial([lost, seeds_of(5.0)], "val_loss") is not lost


def test_what_is_solved_cannot_make_up_for_a_lost_run() -> None:
    """Losses below a thousandth of guessing count alike; ties go to the lower one."""
    guess: dict[str, Any] = {"guess_val_loss": 1.0}
    tiny = [make_run([5.0, 1e-12, 1e-12], **guess) for _ in range(3)]
    sometimes_lost = Trial({}, (*tiny, make_run([5.0, 1.0], Status.DIVERGED, **guess)))
    solved = Trial({}, tuple(make_run([5.0, 1e-6, 1e-6], **guess) for _ in range(4)))
    assert select_trial([sometimes_lost, solved]) is solved
    better = Trial({}, tuple(make_run([5.0, 1e-7, 1e-7], **guess) for _ in range(4)))
    assert select_trial([solved, better]) is better
    assert (
        select_trial([seeds_of(0.0), seeds_of(0.1)], "val_loss").results[0].final("val_loss") == 0
    )


def test_selection_by_time_prefers_the_sooner_trial() -> None:
    """Reaching the target first beats ending lower; if nobody reaches it, the loss decides."""
    sooner, lower = make_trial(0.4, time=1), make_trial(0.1, time=4)
    assert select_trial([lower, sooner], "time", 0.5) is sooner
    assert select_trial([lower, sooner], "val_loss") is lower
    assert select_trial([sooner, lower], "time", 0.01) is lower


def test_a_miss_costs_twice_the_budget() -> None:
    """Three quick seeds of four do not hide a miss; lost runs miss, and nothing costs nothing."""
    quick, slow = [5.0, 0.1, *[0.1] * 8], [*[5.0] * 4, *[0.1] * 6]
    missed = [5.0] * 10
    mixed = Trial({}, tuple(make_run(curve) for curve in (quick, quick, missed, missed)))
    steady = Trial({}, tuple(make_run(slow) for _ in range(4)))
    assert select_trial([mixed, steady], "time", 0.5) is steady  # sqrt(10 * 180) > 40
    mixed = Trial({}, tuple(make_run(curve) for curve in (quick, quick, quick, missed)))
    assert select_trial([mixed, steady], "time", 0.5) is mixed  # 10^(3/4) * 180^(1/4) < 40
    lost = Trial({}, (make_run(quick, Status.DIVERGED),))
    assert select_trial([lost, steady], "time", 0.5) is steady
    at_once = Trial({}, (make_run([0.1] * 10),))
    soon = Trial({}, (make_run([5.0, *[0.05] * 9]),))
    assert select_trial([at_once, soon], "time", 0.5) is soon  # equal times, lower loss


def test_selection_without_its_inputs_is_refused() -> None:
    """It needs at least one trial, and for a time a target."""
    with pytest.raises(ConfigError, match="no trials"):
        select_trial([])
    with pytest.raises(ConfigError, match="needs a target"):
        select_trial([make_trial(0.1)], "time")


def edges_of(
    losses: dict[float, float], widened: tuple[dict[str, str], ...] = ()
) -> dict[str, str]:
    """Return the edges for trials given as lr -> loss."""
    trials = [make_trial(loss, lr=lr) for lr, loss in losses.items()]
    ranking = TrialRanking(trials)
    return find_edges(PLAIN, ranking, trials, ranking.best_first()[0], widened)


def test_the_best_trial_in_the_outer_eighth_is_an_edge() -> None:
    """The range is four decades, so its outer eighths are half a decade wide."""
    for high in (8.0, 3.3):
        assert edges_of({high: 0.1, 0.1: 0.2}) == {"lr": "high"}
    assert edges_of({1.5e-3: 0.1, 0.1: 0.2}) == {"lr": "low"}
    assert edges_of({3.0: 0.1, 0.1: 0.2}) == edges_of({4e-3: 0.1, 0.1: 0.2}) == {}


def test_an_edge_that_gains_nothing_does_not_count() -> None:
    """Where a trial further inside is as good, more range would not help."""
    assert edges_of({8.0: 0.1, 0.1: 0.1005}) == {}


def test_no_edge_is_claimed_when_everything_diverged() -> None:
    """There is no best trial that could lie at an edge."""
    trials = [make_trial(0.1, Status.DIVERGED, lr=8.0)]
    assert find_edges(PLAIN, TrialRanking(trials), trials, trials[0]) == {}


def test_after_widening_the_edge_is_that_of_the_wider_range() -> None:
    """The old edge is inside now; the new outer eighth is the edge."""
    widened = ({"lr": "high"},)
    assert edges_of({8.0: 0.1, 0.1: 0.2, 300.0: 0.4}, widened) == {}
    assert edges_of({800.0: 0.1, 8.0: 0.2}, widened) == {"lr": "high"}


def test_no_edge_is_claimed_where_the_valid_values_end() -> None:
    """A range that was widened down to mu = 0 cannot be widened further."""
    trials = [
        make_trial(0.1, lr=1.0, mu=1e-9, history=12),
        make_trial(0.2, lr=0.01, mu=0.9, history=12),
    ]
    ranking = TrialRanking(trials)
    assert "mu" not in find_edges(RICH, ranking, trials, trials[0], [{"mu": "low"}])
