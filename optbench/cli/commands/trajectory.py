"""``optbench trajectory``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from optbench.cli.lab_options import (
    plot_folder,
    plots_option,
    several_optimizers,
)
from optbench.cli.options import json_option, plugin_options, registered
from optbench.cli.output import print_json, print_table, remark
from optbench.errors import ConfigError
from optbench.suites.defaults import default_optimizers
from optbench.support.text import count

MOST_STEPS = 1_000_000
MOST_DRAWS = 10_000
FARTHEST = 1e6
"""Largest absolute coordinate of a start point; points beyond it cannot be drawn."""


@click.command("trajectory")
@click.argument("landscape", default="", shell_complete=registered("landscapes"))
@several_optimizers
@click.option(
    "--steps", type=click.IntRange(1, MOST_STEPS), default=100, show_default=True, help="Updates."
)
@click.option("--start", metavar="X,Y", help="Starting point, if not that of the landscape.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of the noise.")
@click.option(
    "--batch-size",
    "batch_sizes",
    multiple=True,
    metavar="N",
    type=click.IntRange(1, MOST_DRAWS),
    help="Noisy gradients that are averaged for each step. Repeatable, for one path each.",
)
@plot_folder
@plots_option
@click.option("--gif", is_flag=True, help="Write an animated GIF as well.")
@json_option
@plugin_options
def command(
    landscape: str,
    optimizers: Sequence[str],
    steps: int,
    start: str | None,
    seed: int,
    batch_sizes: Sequence[int],
    out: Path,
    formats: Sequence[str],
    gif: bool,
    as_json: bool,
) -> None:
    """Follow optimizers over LANDSCAPE, a function of two variables; by default, over all of them.

    If a learning rate is not given, the best one of a scan over the optimizer's range is used.

    \b
    Examples:
      optbench trajectory rosenbrock --steps 200
      optbench trajectory 'quadratic-valley[condition=50]' -o momentum --gif
      optbench trajectory noisy-quadratic -o sgd --batch-size 1 --batch-size 64
      optbench list landscapes
    """
    from optbench.inspection.landscapes import find_ground, follow
    from optbench.registry import default_registry

    names = [landscape] if landscape else list(default_registry().entries("landscapes"))
    chosen = list(dict.fromkeys(optimizers)) or default_optimizers()
    grounds = [find_ground(name) for name in names]
    begin = _point(start) if start else None
    sizes: list[int | None] = list(dict.fromkeys(batch_sizes)) or [None]
    found = {
        ground.label: [
            follow(optimizer, ground, steps, begin, seed, size)
            for optimizer in chosen
            for size in sizes
        ]
        for ground in grounds
    }
    from optbench.report.plots import write_plot
    from optbench.report.plots.landscape_maps import draw_paths, write_animation
    from optbench.study.folders import writable_folder

    writable_folder(out)
    files: list[Path] = []
    for ground in grounds:
        stem = out / f"trajectory-{type(ground.landscape).name}"
        files += write_plot(partial(draw_paths, ground, found[ground.label]), stem, formats)
        if gif:
            files.append(write_animation(ground, found[ground.label], stem.with_suffix(".gif")))
    rows = [
        {
            "landscape": label,
            "optimizer": path.label,
            "start": float(path.values[0]),
            "end": float(path.values[-1]),
            "x": float(path.points[-1, 0]),
            "y": float(path.points[-1, 1]),
        }
        for label, paths in found.items()
        for path in sorted(paths, key=lambda path: _sortable(float(path.values[-1])))
    ]
    if as_json:
        print_json({"paths": rows, "files": [str(path) for path in files]})
        return
    print_table(
        ("landscape", "optimizer", f"value after {count(steps, 'update')}", "x", "y"),
        [
            (str(r["landscape"]), str(r["optimizer"]), *(f"{r[k]:.4g}" for k in ("end", "x", "y")))
            for r in rows
        ],
    )
    for path in files:
        remark(f"plot: {path}")


def _sortable(value: float) -> float:
    """Return a sort key that places NaN last."""
    return math.inf if math.isnan(value) else value


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = math.nan
    if not (abs(x) <= FARTHEST and abs(y) <= FARTHEST):
        raise ConfigError(
            f"--start '{text}' is not allowed; two numbers of at most {FARTHEST:,.0f}, as in -1.5,2"
        )
    return x, y
