"""Titles say what tells workloads apart."""

from __future__ import annotations

from optbench.records import Workload
from optbench.report.format.workload_titles import (
    common,
    short_titles,
    titles_by_regime,
    unique_titles,
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


def test_an_initializer_is_named_in_all_titles_or_in_none() -> None:
    """Also in those of a regime that has only one."""
    workloads = [
        Workload(dataset="iris", regime="batch"),
        Workload(dataset="iris", regime="sgd"),
        Workload(dataset="iris", regime="sgd", initializer="zeros"),
    ]
    assert list(titles_by_regime(workloads).values()) == [
        "iris, he-normal, batch",
        "iris, he-normal, sgd",
        "iris, zeros, sgd",
    ]


def test_unique_titles_have_no_part_too_many() -> None:
    """The dataset, and the first parts that tell all workloads apart; nothing that all share."""
    regimes = [Workload(dataset="iris", regime="batch"), Workload(dataset="iris", regime="sgd")]
    assert list(unique_titles([regimes[0]]).values()) == ["iris"]
    assert list(unique_titles(regimes).values()) == ["iris, batch", "iris, sgd"]
    narrow = Workload(dataset="iris", regime="sgd", hidden=(8,))
    titles = list(unique_titles([*regimes, narrow]).values())
    assert titles == ["iris, batch, 32-32 relu", "iris, sgd, 32-32 relu", "iris, sgd, 8 relu"]
    assert list(unique_titles([regimes[1], narrow]).values()) == [
        "iris, 32-32 relu",
        "iris, 8 relu",
    ]


def test_views_that_differ_in_the_dataset_are_named_after_it() -> None:
    """The network and the initializer, which all views share, are left out."""
    board, _ = samples.study()
    assert view_titles(board.regimes) == [v.label.split(" | ")[0] for v in board.regimes]
