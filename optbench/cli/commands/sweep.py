"""``optbench sweep``."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.executors import executor_options
from optbench.cli.interrupts import exit_code
from optbench.cli.lab_options import (
    DEFAULT_SUITE,
    EPOCHS,
    default_optimizers,
    default_suite,
    network_options,
    one_dataset,
    several_optimizers,
)
from optbench.cli.options import (
    POSITIVE,
    Formats,
    json_option,
    named_option,
    out_option,
    plugin_options,
)
from optbench.cli.output import print_json, print_table, remark
from optbench.cli.study_output import Recorded, typed_command

if TYPE_CHECKING:
    from optbench.analysis.views.sweep_points import SweepPoint
    from optbench.study.sweeping import SweepPlan

DEFAULT_OUT = "optbench-sweep"


@click.command("sweep", cls=Recorded)
@click.argument("axes", nargs=-1, required=True, metavar="NAME=VALUES [NAME=VALUES]")
@several_optimizers
@one_dataset
@named_option("-i", "initializers", f"Initializer. Default: the {DEFAULT_SUITE} suite's first.")
@network_options
@click.option(
    "--epochs",
    default=10,
    show_default=True,
    type=click.IntRange(1, EPOCHS),
    help="Passes over the training part.",
)
@click.option("--seeds", default=5, show_default=True, type=POSITIVE, help="Runs at each point.")
@out_option(DEFAULT_OUT, "Folder: runs are kept there and never trained twice.")
@executor_options
@click.option(
    "--formats",
    type=Formats(),
    default="png,svg",
    show_default=True,
    help="png, svg, pdf, or none.",
)
@json_option
@plugin_options
def command(
    axes: Sequence[str],
    optimizers: Sequence[str],
    seeds: int,
    out: Path,
    jobs: int | None,
    scheduler: str | None,
    formats: Sequence[str],
    as_json: bool,
    **run: Any,
) -> int:
    """Train over values of one or two hyperparameters: curves, or a heat map.

    NAME is layers, neurons, batch_size, epochs, activation, initializer, regime, or a
    hyperparameter of the optimizer (lr, beta1, ...). VALUES is a list, 0.01,0.1,1, or a range,
    low..high or low..high:points, divided by ratio where that is how the values count.

    \b
    Examples:
      optbench sweep lr=1e-4..10:9 -o sgd -o adam
      optbench sweep lr=0.01..3 batch_size=8,32,128 -o sgd -d moons
      optbench sweep layers=1..6 initializer=he-normal,xavier-normal -o adam
    """  # fmt: skip
    from optbench.study.folders import writable_folder
    from optbench.study.sweep_axes import parse_axis
    from optbench.study.sweeping import plan_sweep

    suite = default_suite()
    optimizers = list(dict.fromkeys(optimizers)) or default_optimizers()[:1]
    run["dataset"] = run["dataset"] or suite.datasets[0]
    run["initializer"] = run["initializer"] or suite.initializers[0]
    plan = plan_sweep([parse_axis(text, optimizers) for text in axes], optimizers, seeds, run)
    writable_folder(out)
    points, complete = _train(plan, out, jobs, scheduler)
    files = _write(plan, points, out, formats)
    if as_json:
        print_json(
            {
                "complete": complete,
                "points": [_plain(point) for point in points],
                "files": [str(path) for path in files],
            }
        )
    else:
        _show(plan, points)
    for path in files if not as_json else ():
        remark(f"written: {path}")
    if not complete:
        remark(f"interrupted; finished runs are kept in {out}: {typed_command()}")
    return 0 if complete else exit_code()


def _train(
    plan: SweepPlan, out: Path, jobs: int | None, scheduler: str | None
) -> tuple[list[SweepPoint], bool]:
    from optbench.execution import make_executor
    from optbench.registry import default_registry
    from optbench.store import Store
    from optbench.study import STORE_NAME, describe_environment
    from optbench.study.progress_displays import terminal_display
    from optbench.study.progress_view import ProgressView
    from optbench.study.sweeping import run_sweep

    with (
        ProgressView(terminal_display()) as view,
        make_executor(jobs, scheduler, health="none") as executor,
        Store(out / STORE_NAME) as store,
    ):
        return run_sweep(
            plan,
            store,
            executor,
            observer=view,
            command=typed_command(),
            environment=describe_environment(default_registry()),
        )


def _write(
    plan: SweepPlan, points: Sequence[SweepPoint], out: Path, formats: Sequence[str]
) -> list[Path]:
    if not points:
        return []
    from optbench.report.plots import write_plot
    from optbench.report.plots.sweep_plots import draw_sweep

    stem = out / f"sweep-{'-'.join(axis.name for axis in plan.axes)}"
    table = stem.with_suffix(".csv")
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = [axis.name for axis in plan.axes]
        writer.writerow(["optimizer", *names, "median", "low", "high", "diverged", "seeds"])
        for p in points:
            measured = (p.median, p.low, p.high, p.diverged, len(p.losses))
            writer.writerow([p.optimizer, *(p.at[name] for name in names), *measured])
    draw = partial(draw_sweep, plan.axes, points, plan.fixed)
    return [table, *write_plot(draw, stem, formats)]


def _plain(point: SweepPoint) -> dict[str, Any]:
    return {
        "optimizer": point.optimizer,
        **point.at,
        "median": point.median,
        "low": point.low,
        "high": point.high,
        "diverged": point.diverged,
        "seeds": len(point.losses),
    }


def _show(plan: SweepPlan, points: Sequence[SweepPoint]) -> None:
    names = [axis.name for axis in plan.axes]
    lowest = {
        label: min(point.median for point in points if point.optimizer == label)
        for label in {point.optimizer for point in points}
    }
    rows = [
        (
            point.optimizer,
            *(f"{point.at[name]}" for name in names),
            f"{point.median:.4g}",
            f"{point.low:.4g} to {point.high:.4g}",
            f"{point.diverged} of {len(point.losses)}",
            "lowest" if point.median == lowest[point.optimizer] else "",
        )
        for point in points
    ]
    print_table(
        ("optimizer", *names, "validation loss", "interval", "diverged", ""), rows, plan.fixed
    )
