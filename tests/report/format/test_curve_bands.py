"""The bands behind the plots: median and quartiles over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.records import RunResult, Status
from optbench.report.format.curve_bands import band
from tests.records import factories


def run(losses: Sequence[float], status: Status = Status.OK, step: float = 1.0) -> RunResult:
    n = len(losses)
    curve = factories.make_curve(
        {
            "examples": np.arange(n) * 10.0,
            "seconds": np.arange(n) * step,
            "val_loss": np.array(losses),
            "val_metric": 1 - np.array(losses),
        }
    )
    return factories.make_result(curve=curve, status=status)


def test_a_band_is_median_and_quartiles_of_the_seeds() -> None:
    """The middle is the median; a run that diverges counts as worst from there on."""
    runs = [run([4, 3, 2]), run([4, 2, 1]), run([4, 1], Status.DIVERGED)]
    b = band(runs)
    assert b.x.tolist() == [0, 10, 20]
    assert b.mid.tolist() == [4, 2, 2]
    assert (b.low[1], b.high[1]) == (1.5, 2.5)
    assert b.low[2] == 1.5


def test_a_curve_ends_where_the_median_run_diverged() -> None:
    """Once half of the runs are lost there is no middle to show; lost metrics are worst too."""
    runs = [run([4, 3, 2]), run([4, np.inf], Status.DIVERGED), run([4], Status.DIVERGED)]
    assert np.isnan(band(runs).mid).tolist() == [False, True, True]
    assert np.isnan(band(runs, "val_metric").mid).tolist() == [False, True, True]


def test_runs_that_are_lost_at_their_last_evaluation_are_lost() -> None:
    """Where all end at one evaluation with a finite loss, the median is finite and yet lost."""
    lost = band([run([4, 9], Status.DIVERGED), run([4, 8], Status.DIVERGED), run([4, 1])])
    assert lost.is_lost
    assert not band([run([4, 9], Status.DIVERGED), run([4, 3]), run([4, 2])]).is_lost


def test_seconds_are_the_median_over_seeds() -> None:
    """Seeds differ in their times; the band stands at the median one."""
    runs = [run([3, 2], step=1), run([3, 2], step=2), run([3, 2], step=9)]
    assert band(runs, "val_loss", "seconds").x.tolist() == [0, 2]


def test_no_runs_give_an_empty_band() -> None:
    """A run that was evaluated nowhere breaks no plot."""
    assert band([]).mid.size == 0
    assert band([run([])]).mid.size == 0
