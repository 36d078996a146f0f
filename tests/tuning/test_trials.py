"""Trials: selection on validation data, and edges of the search range."""

from __future__ import annotations

import numpy as np
import pytest

from optbench.errors import ConfigError
from optbench.records import Status, Trial
from optbench.tuning.trials import find_edges, select_trial, trial_loss
from tests.records import factories
from tests.tuning.optimizers import PLAIN, RICH


def make_trial(loss: float, status: Status = Status.OK, time: int = 3, **hyper: float) -> Trial:
    """Return a trial with one run that has its final loss from evaluation `time` on."""
    losses = np.where(np.arange(6) >= time, loss, 5.0)
    curve = factories.make_curve({"examples": np.arange(6) * 10.0, "val_loss": losses})
    spec = factories.make_run_spec(hyper=dict(hyper))
    return Trial(hyper, (factories.make_result(spec, curve, status),))


def test_selection_takes_the_lowest_validation_loss_and_never_a_diverged_trial() -> None:
    """A diverged run that ends at a low loss is infinitely bad."""
    trials = [make_trial(0.4), make_trial(0.1, Status.DIVERGED), make_trial(0.3), make_trial(0.3)]
    assert select_trial(trials) is trials[2]


def test_selection_takes_the_median_over_tuning_seeds() -> None:
    """One lucky seed does not win."""
    runs = [make_trial(x).results[0] for x in (0.1, 0.9, 0.8)]
    lucky, steady = Trial({}, tuple(runs)), make_trial(0.5)
    assert select_trial([lucky, steady]) is steady
    assert trial_loss(Trial({}, tuple(runs[:2]))) == pytest.approx(0.5)


def test_selection_by_time_prefers_the_sooner_trial() -> None:
    """Reaching the target first beats ending lower; nobody reaching it leaves the loss."""
    sooner, lower = make_trial(0.4, time=1), make_trial(0.1, time=4)
    assert select_trial([lower, sooner], "time", 0.5) is sooner
    assert select_trial([lower, sooner], "val_loss") is lower
    assert select_trial([sooner, lower], "time", 0.01) is lower


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
    return find_edges(PLAIN, trials, select_trial(trials), widened)


def test_the_best_trial_in_the_outer_tenth_is_an_edge() -> None:
    """The range is four decades, so its outer tenths are 0.4 decades wide."""
    assert edges_of({8.0: 0.1, 0.1: 0.2}) == {"lr": "high"}
    assert edges_of({1.5e-3: 0.1, 0.1: 0.2}) == {"lr": "low"}
    assert edges_of({3.0: 0.1, 0.1: 0.2}) == {}


def test_an_edge_that_gains_nothing_does_not_count() -> None:
    """Where a trial further inside is as good, more range would not help."""
    assert edges_of({8.0: 0.1, 0.1: 0.1005}) == {}


def test_no_edge_is_claimed_when_everything_diverged() -> None:
    """There is no best trial that could lie at an edge."""
    trials = [make_trial(0.1, Status.DIVERGED, lr=8.0)]
    assert find_edges(PLAIN, trials, trials[0]) == {}


def test_after_widening_the_edge_is_that_of_the_wider_range() -> None:
    """The old edge is inside now; the new outer tenth is the edge."""
    widened = ({"lr": "high"},)
    assert edges_of({8.0: 0.1, 0.1: 0.2, 300.0: 0.4}, widened) == {}
    assert edges_of({800.0: 0.1, 8.0: 0.2}, widened) == {"lr": "high"}


def test_no_edge_is_claimed_where_the_valid_values_end() -> None:
    """A range that was widened down to mu = 0 cannot be widened further."""
    trials = [
        make_trial(0.1, lr=1.0, mu=1e-9, history=12),
        make_trial(0.2, lr=0.01, mu=0.9, history=12),
    ]
    assert "mu" not in find_edges(RICH, trials, trials[0], [{"mu": "low"}])
