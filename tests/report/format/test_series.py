"""The arrays behind the plots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optbench.records import RunResult, Status, Workload
from optbench.report.format.series import (
    band,
    common,
    panels,
    short_titles,
    titles_by_regime,
    view_titles,
)
from tests.records import factories
from tests.report import samples


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


def test_seconds_are_the_median_over_seeds() -> None:
    """Seeds differ in their times; the band stands at the median one."""
    runs = [run([3, 2], step=1), run([3, 2], step=2), run([3, 2], step=9)]
    assert band(runs, "val_loss", "seconds").x.tolist() == [0, 2]


def test_no_runs_give_an_empty_band() -> None:
    """A run that was evaluated nowhere breaks no plot."""
    assert band([]).mid.size == 0
    assert band([run([])]).mid.size == 0


def test_titles_say_what_differs_and_no_more() -> None:
    """The dataset always; the network or the initializer only where there are several."""
    first = Workload(dataset="iris")
    second = Workload(dataset="iris", hidden=(8,))
    assert list(short_titles([first]).values()) == ["iris"]
    assert list(short_titles([first, second]).values()) == ["iris, 32-32 relu", "iris, 8 relu"]
    assert common([first, second]) == "he-normal, B=32, 10 epochs"


def test_epochs_that_follow_from_the_regime_are_not_repeated() -> None:
    """Regimes have epochs of their own; that tells no two workloads of one regime apart."""
    batch = Workload(dataset="iris", regime="batch", epochs=60)
    assert list(titles_by_regime([batch, Workload(dataset="iris")]).values()) == [
        "iris, batch",
        "iris, mini-batch",
    ]


def test_every_evaluated_cell_is_in_one_panel() -> None:
    """No workload is lost on the way to the plots."""
    board, cells = samples.study()
    found = panels(cells)
    assert list(found) == ["batch", "mini-batch", "sgd"]
    assert sum(len(p.cells) for group in found.values() for p in group) == len(cells)
    assert view_titles(board.regimes) == [v.label.split(" | ")[0] for v in board.regimes]
