"""``optbench run --dry-run``: what would be trained, and about how long it would take."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from optbench.cli.output import print_json, print_table, say
from optbench.cli.progress import span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optbench.plan import CellPlan, StudyPlan
    from optbench.records import RunResult

PROBE_SECONDS = 4.0
"""What measuring for the estimate may take, compilation aside."""


def show_plan(plan: StudyPlan, out: Path, jobs: int | None, as_json: bool) -> None:
    """Print the planned runs cell by cell, how many are stored, and an estimate of the time."""
    from optbench.plan import advance, planned_runs
    from optbench.support.child_processes import available_cores

    results = _stored(out)
    cells = []
    for cell in plan.cells:
        step = advance(cell, plan.protocol, results)
        stored = sum(len(trial.results) for trial in step.cell.trials) + len(step.cell.evaluation)
        ahead = len(step.missing) + (plan.protocol.seeds if step.cell.chosen is None else 0)
        runs = max(planned_runs(cell, plan.protocol), stored + ahead)
        cells.append((cell, runs, stored, step.missing))
    work = Counter({index: runs - stored for index, (_, runs, stored, _) in enumerate(cells)})
    cores = jobs or available_cores()
    seconds = estimate([(cell, work[i]) for i, (cell, *_) in enumerate(cells)]) / cores
    total, stored_total = sum(c[1] for c in cells), sum(c[2] for c in cells)
    if as_json:
        print_json(
            {
                "suite": plan.suite,
                "planned": total,
                "stored": stored_total,
                "seconds": seconds,
                "left_out": list(plan.left_out),
                "cells": [_plain(*cell) for cell in cells],
            }
        )
        return
    print_table(
        ("workload", "optimizer", "runs", "stored"),
        [(c.workload.label, c.entrant.label, str(n), str(have)) for c, n, have, _ in cells],
    )
    for line in plan.left_out:
        say(f"left out: {line}")
    say(
        f"{total} runs planned (more where a search range has to be widened), {stored_total} of "
        f"them are in the store; about {span(seconds)} on {cores} cores"
    )


def _plain(cell: CellPlan, runs: int, stored: int, missing: list[Any]) -> dict[str, Any]:
    return {
        "workload": cell.workload.label,
        "optimizer": cell.entrant.label,
        "planned": runs,
        "stored": stored,
        "next": [{"key": spec.key, "run": msgspec.to_builtins(spec)} for spec in missing],
    }


def _stored(out: Path) -> Mapping[str, RunResult]:
    from optbench.store import Store
    from optbench.study import STORE_NAME

    if not (out / STORE_NAME).exists():
        return {}
    with Store(out / STORE_NAME, create=False) as store:
        return {result.key: result for result in store.results()}


def estimate(work: list[tuple[CellPlan, int]]) -> float:
    """Seconds on one core for so many runs of each cell, from one short run of each workload."""
    from optbench.engine.training import prepare, train_spec

    todo = [(cell, runs) for cell, runs in work if runs]
    if not todo:
        return 0.0
    prepare([cell.template for cell, _ in todo])
    measured: dict[tuple[str, str], float] = {}
    started = time.monotonic()
    for cell, _ in todo:
        kind = (cell.workload.label, cell.optimizer.__mro__[1].__name__)
        if kind in measured or time.monotonic() - started > PROBE_SECONDS:
            continue
        short = msgspec.structs.replace(cell.template, epochs=min(cell.workload.epochs, 2))
        train_spec(short)  # once for what is loaded and cached
        before = time.monotonic()
        train_spec(short)
        took = time.monotonic() - before
        measured[kind] = took * cell.workload.epochs / short.epochs
    typical = sum(measured.values()) / len(measured)
    return sum(
        runs * measured.get((cell.workload.label, cell.optimizer.__mro__[1].__name__), typical)
        for cell, runs in todo
    )
