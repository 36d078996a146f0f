"""Titles say what tells workloads apart."""

from __future__ import annotations

from optbench.records import Workload
from optbench.report.format.workload_titles import (
    common,
    short_titles,
    titles_by_regime,
    view_titles,
)
from tests.report import samples


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


def test_views_that_differ_in_the_dataset_are_named_after_it() -> None:
    """The network and the initializer, which all views share, are left out."""
    board, _ = samples.study()
    assert view_titles(board.regimes) == [v.label.split(" | ")[0] for v in board.regimes]
