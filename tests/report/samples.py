"""Small studies that the report is tried on."""

from __future__ import annotations

import functools
from dataclasses import replace

import msgspec

from optbench.analysis.build import build_leaderboard
from optbench.analysis.leaderboard import Leaderboard
from optbench.records import REGIMES, Cell, Regime, StudyProtocol
from tests.analysis.synthetic import make_cells
from tests.report.board_samples import make_boards

ATTACK = "<img src=x onerror=window.broken=1>"
HOSTILE = (ATTACK, "a|b`c`", "$x^2$ \\frac", "=SUM(A1)", "../../etc", "</script><!--<script>")
"""Names that mean something to HTML, Markdown, TeX, spreadsheets, file systems and scripts."""

Sample = tuple[Leaderboard, list[Cell]]


@functools.cache
def study(
    labels: tuple[str, ...] = ("alpha", "beta", "gamma"),
    datasets: tuple[str, ...] = ("iris", "moons"),
    initializers: tuple[str, ...] = ("he-normal",),
    seeds: int = 3,
    diverging: float = 0.0,
    title: str = "sample",
    regimes: tuple[Regime, ...] = REGIMES,
) -> Sample:
    """A study; `diverging` of the runs of the second label are lost."""
    cells = make_cells(
        labels,
        datasets,
        regimes,
        initializers=initializers,
        seeds=seeds,
        trials=5,
        skill={labels[0]: 0.5},
        diverging={labels[1]: diverging} if len(labels) > 1 else None,
    )
    return build_leaderboard(cells, StudyProtocol(seeds=seeds), title=title), cells


def tiny(initializers: tuple[str, ...] = ("he-normal",)) -> Sample:
    """One optimizer, one dataset, one regime, one seed: few plots, soon drawn."""
    return study(("alone",), ("iris",), initializers, seeds=1, regimes=("sgd",))


def hostile() -> Sample:
    """A study in which every name is an attack on some format."""
    return study(
        labels=HOSTILE,
        datasets=(ATTACK,),
        seeds=2,
        initializers=("he-normal", "zeros|`"),
        diverging=0.6,
        title=ATTACK,
    )


NAMES = (
    "schedule-free-adamw", "adam[lr=0.01]", "adam[lr=0.1,beta1=0.5]", "sgd", "rmsprop", "lbfgs",
)  # fmt: skip


@functools.cache
def entrants(n: int, replicates: int = 3) -> Sample:
    """A study of `n` entrants in three regimes; of the last one, some runs diverge."""
    labels = (*NAMES, *(f"optimizer-{i:02}" for i in range(len(NAMES), n)))[:n]
    cells = make_cells(
        labels,
        ("iris", "moons"),
        REGIMES,
        seeds=2,
        trials=6,
        replicates=replicates,
        skill={label: 1.5 * (1 - i / n) for i, label in enumerate(labels)},
        noise=0.05,
        workload_noise=0.3,
        diverging={labels[-1]: 0.4},
    )
    protocol = StudyProtocol(seeds=2, replicates=replicates)
    return build_leaderboard(cells, protocol, title=f"{n} entrants"), cells


@functools.cache
def crowd(n: int = 40, replicates: int = 6) -> Sample:
    """A study of many entrants with boards; its other tables have two entrants, repeated."""
    board, cells = study(("alpha", "beta"), ("iris", "moons"), seeds=2)
    labels = tuple(f"optimizer-{i}[lr=0.1]" for i in range(n))
    rename = msgspec.structs.replace
    workloads = tuple(
        rename(
            workload,
            rows=tuple(rename(workload.rows[i % 2], label=label) for i, label in enumerate(labels)),
        )
        for workload in board.workloads
    )
    crowd_cells = [
        replace(cell, entrant=rename(cell.entrant, label=label))
        for i, label in enumerate(labels)
        for cell in cells
        if cell.entrant.label == ("alpha", "beta")[i % 2]
    ]
    rows = tuple(rename(board.overall[i % 2], label=label) for i, label in enumerate(labels))
    boards = make_boards(labels, replicates, regimes=REGIMES)
    renamed = rename(
        board,
        overall=rows,
        workloads=workloads,
        boards=boards,
        profiles=(),
        budgets=(),
        lr_curves=tuple(
            rename(curve, label=label)
            for i, label in enumerate(labels)
            for curve in board.lr_curves
            if curve.label == ("alpha", "beta")[i % 2]
        ),
        regimes=(),
        bias_variance=(),
        critical_difference=None,
        verdicts=(),
        warnings=(),
    )
    return renamed, crowd_cells


def with_boards(sample: Sample, replicates: int = 6, regimes: tuple[Regime, ...] = ()) -> Sample:
    """The same study with boards of made-up values."""
    board, cells = sample
    labels = [row.label for row in board.overall]
    boards = make_boards(labels, replicates, regimes=regimes)
    return msgspec.structs.replace(board, boards=boards), cells
