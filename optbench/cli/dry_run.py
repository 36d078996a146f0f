"""``optbench run --dry-run``: prints the planned runs and an estimate of the training time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from optbench.cli.output import print_json, print_table, say_prose
from optbench.support.text import count, plural

if TYPE_CHECKING:
    from optbench.plan import StudyPlan
    from optbench.study.estimating import CellEstimate, Estimate


def show_plan(
    plan: StudyPlan, out: Path, jobs: int | None, as_json: bool, until: str | None = None
) -> None:
    """Print the planned and the stored runs of each cell, and an estimate of the time.

    Args:
        plan: The study.
        out: Folder with a store that may have some of the runs.
        jobs: Number of parallel runs; one per core if None.
        as_json: Whether to print JSON.
        until: ``"decided"`` if the plan is the most that may be trained.
    """
    from optbench.study.estimating import estimate_study
    from optbench.study.progress_view import duration

    estimate = estimate_study(plan, out, jobs=jobs)
    if as_json:
        print_json(_plain(estimate))
        return
    print_table(
        ("workload", "optimizer", "runs", "stored"),
        [(c.workload, c.optimizer, str(c.planned), str(c.stored)) for c in estimate.cells],
    )
    for line in estimate.left_out:
        say_prose(f"note: {line}", indent=2)
    if until:
        from optbench.analysis.statistics.spending import look_sizes

        sizes = ", ".join(map(str, look_sizes(plan.protocol.replicates)))
        say_prose(f"at most; analyzed at {sizes} replicates, and ended when all pairs are decided")
    say_prose(
        f"{count(estimate.planned, 'run')} planned (more where a search range has to be widened), "
        f"{estimate.stored:,} of them {plural(estimate.stored, 'is', 'are')} in the store; "
        f"about {duration(estimate.seconds)} on {count(estimate.cores, 'core')}"
    )


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {
        "suite": estimate.suite,
        "planned": estimate.planned,
        "stored": estimate.stored,
        "seconds": estimate.seconds,
        "left_out": list(estimate.left_out),
        "cells": [_plain_cell(cell) for cell in estimate.cells],
    }


def _plain_cell(cell: CellEstimate) -> dict[str, Any]:
    return {
        "workload": cell.workload,
        "optimizer": cell.optimizer,
        "planned": cell.planned,
        "stored": cell.stored,
        "next": [{"key": spec.key, "run": msgspec.to_builtins(spec)} for spec in cell.missing],
    }
