"""``optbench sweep``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.executors import executor_options
from optbench.cli.interrupts import exit_code
from optbench.cli.lab_options import (
    EPOCHS,
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
from optbench.suites.defaults import DEFAULT_SUITE

if TYPE_CHECKING:
    from optbench.study.sweep_result import Sweep

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
@out_option(DEFAULT_OUT, "Folder; runs are stored there and never trained twice.")
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
    """Train with several values of one or two hyperparameters, and draw curves or a heat map.

    NAME is layers, neurons, batch_size, epochs, activation, initializer, regime, train_size (a
    share or number of the training examples), or a hyperparameter of the optimizer (lr, beta1,
    ...). VALUES is a list, such as 0.01,0.1,1, or a range, low..high or low..high:points, spaced
    logarithmically where ratios of values matter.

    \b
    Examples:
      optbench sweep lr=1e-4..10:9 -o sgd -o adam
      optbench sweep lr=0.01..3 batch_size=8,32,128 -o sgd -d moons
      optbench sweep layers=1..6 initializer=he-normal,xavier-normal -o adam
      optbench sweep train_size=0.05..1 -d digits -o adam --epochs 50
    """  # fmt: skip
    from optbench.study.progress_displays import terminal_display
    from optbench.study.progress_view import ProgressView
    from optbench.study.sweep_result import sweep

    with ProgressView(terminal_display()) as view:
        result = sweep(
            list(axes),
            list(optimizers),
            **run,
            seeds=seeds,
            out=out,
            jobs=jobs,
            scheduler=scheduler,
            progress=view,
            command=typed_command(),
        )
    files = _write(result, out, formats)
    if as_json:
        print_json(
            {
                "complete": result.complete,
                "points": result.rows(),
                "files": [str(path) for path in files],
            }
        )
    else:
        _show(result)
    for path in files if not as_json else ():
        remark(f"written: {path}")
    if not result.complete:
        remark(f"interrupted; finished runs are stored in {out}: {typed_command()}")
    return 0 if result.complete else exit_code()


def _write(result: Sweep, out: Path, formats: Sequence[str]) -> list[Path]:
    if not result.points:
        return []
    from optbench.report.plots import write_plot

    table = result.write_csv(out / f"{result.name}.csv")
    return [table, *write_plot(result.drawing(), out / result.name, formats)]


def _show(result: Sweep) -> None:
    from optbench.records import spell_value
    from optbench.report.format.numbers import significant

    names = [axis.name for axis in result.axes]
    rows = [
        (
            point.optimizer,
            *(spell_value(point.at[name]) for name in names),
            significant(point.median, 4),
            f"{significant(point.low, 4)} to {significant(point.high, 4)}",
            f"{point.diverged} of {len(point.losses)}",
            "lowest" if result.is_lowest(point) else "",
        )
        for point in result.points
    ]
    heads = ("optimizer", *names, "median val. loss", "interval of it", "diverged", "")
    print_table(heads, rows, result.fixed)
