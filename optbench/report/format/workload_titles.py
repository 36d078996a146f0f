"""Titles of workloads and regime views: what they share, and what tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from optbench.analysis.view_records import RegimeView
from optbench.records import REGIMES, Workload
from optbench.support.text import count


def parts(workload: Workload) -> list[str]:
    """Return what tells a workload from others besides the dataset and the regime."""
    return [
        workload.network,
        workload.initialization,
        f"B={workload.batch_size}" if workload.regime == "mini-batch" else "",
        count(workload.epochs, "epoch"),
    ]


def common(workloads: Sequence[Workload]) -> str:
    """Return what workloads share, such as ``"32-32 relu, he-normal, B=32, 10 epochs"``."""
    columns = [set(column) - {""} for column in zip(*map(parts, workloads), strict=True)]
    return ", ".join(text for column in columns if len(column) == 1 for text in column)


def common_note(workloads: Sequence[Workload]) -> str:
    """Return what workloads share, to follow a sentence; empty if they share nothing."""
    text = common(workloads)
    return f" {text}." if text else ""


def short_titles(workloads: Sequence[Workload], named: Sequence[bool] = ()) -> dict[str, str]:
    """Return label -> dataset, and what else tells the workload from the others.

    Args:
        workloads: The workloads.
        named: For each of `parts`, whether it is named although all share it.
    """
    rows = [parts(w) for w in workloads]
    differ = _differ(workloads)
    differ = [a or b for a, b in zip_longest(differ, named, fillvalue=False)]
    return {
        w.label: ", ".join(
            [w.dataset, *(t for t, keep in zip(row, differ, strict=True) if keep and t)]
        )
        for w, row in zip(workloads, rows, strict=True)
    }


def _differ(workloads: Sequence[Workload]) -> list[bool]:
    """Return whether the workloads differ in each of `parts`."""
    return [len(set(column) - {""}) > 1 for column in zip(*map(parts, workloads), strict=True)]


def titles_by_regime(workloads: Sequence[Workload]) -> dict[str, str]:
    """Return label -> title that tells a workload from others of its regime, and the regime.

    Network and initializer are named in all titles or in none.
    """
    titles = {}
    named = _differ(workloads)[:2]
    for regime in REGIMES:
        of_regime = short_titles([w for w in workloads if w.regime == regime], named)
        titles.update({label: f"{title}, {regime}" for label, title in of_regime.items()})
    return titles


def unique_titles(workloads: Sequence[Workload]) -> dict[str, str]:
    """Return label -> dataset, and only as many parts as tell the workload from all others.

    The regime comes first, then network, initializer, batch size and epochs.

    Example:
        >>> batch, drawn = Workload(dataset="a", regime="batch"), Workload(dataset="b")
        >>> list(unique_titles([batch, drawn]).values())
        ['a', 'b']
    """
    rows = [(w.dataset, w.regime, *parts(w)) for w in workloads]
    columns = list(zip(*rows, strict=True))
    kept = [0]
    for i, column in enumerate(columns[1:], 1):
        names = [tuple(row[k] for k in kept) for row in rows]
        if len(set(names)) == len(set(rows)):
            break
        if len(set(zip(names, column, strict=True))) > len(set(names)):
            kept.append(i)
    return {
        w.label: ", ".join(row[k] for k in kept if row[k])
        for w, row in zip(workloads, rows, strict=True)
    }


def view_titles(views: Sequence[RegimeView]) -> list[str]:
    """Return titles of regime views: the dataset, and the parts of their labels that differ."""
    rows = [view.label.split(" | ") for view in views]
    differ = [i == 0 or len(set(column)) > 1 for i, column in enumerate(zip(*rows, strict=False))]
    return [", ".join(t for t, keep in zip(row, differ, strict=False) if keep) for row in rows]
