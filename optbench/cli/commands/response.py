"""``optbench response``: what an optimizer makes of noisy gradients."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from optbench.cli.lab_options import plot_folder, plots_option, several_optimizers
from optbench.cli.options import json_option, plugin_options
from optbench.cli.output import print_json, print_table, remark, say, say_prose
from optbench.suites.defaults import default_optimizers

MOST_UPDATES = 10_000
LEGEND = (
    "noise: ratio of noise to mean of the steps, over that of the gradients; "
    "turns after: updates from the turn of the gradient to that of the mean step"
)


@click.command("response")
@several_optimizers
@click.option(
    "--updates",
    type=click.IntRange(4, MOST_UPDATES),
    default=200,
    show_default=True,
    help="Length of the series.",
)
@click.option(
    "--noise",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Standard deviation of the noise; the gradient's mean is 1, then -1.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of the noise.")
@plot_folder
@plots_option
@json_option
@plugin_options
def command(
    optimizers: Sequence[str],
    updates: int,
    noise: float,
    seed: int,
    out: Path,
    formats: Sequence[str],
    as_json: bool,
) -> None:
    """Show the steps that optimizers take on a series of noisy gradients that reverses midway.

    The gradient does not depend on the steps. Momentum averages it: the larger beta is, the less
    noise is left, and the later the steps reverse.

    \b
    Examples:
      optbench response -o sgd -o 'momentum[beta=0.5]' -o 'momentum[beta=0.9]'
      optbench response -o adam -o 'adam[debias=false]' --noise 0.3
    """  # fmt: skip
    from optbench.inspection.responses import draw_series, respond

    series = draw_series(updates, noise, seed)
    responses = [
        respond(name, series) for name in dict.fromkeys(optimizers or default_optimizers())
    ]
    files: list[Path] = []
    if formats:
        from optbench.report.plots import write_plot
        from optbench.report.plots.gradient_responses import draw_responses
        from optbench.study.folders import writable_folder

        stem = writable_folder(out) / "response"
        files = write_plot(partial(draw_responses, series, responses), stem, formats)
    if as_json:
        rows = [{"optimizer": r.label, "noise": r.noise, "delay": r.delay} for r in responses]
        print_json({"responses": rows, "files": [str(path) for path in files]})
        return
    print_table(
        ("optimizer", "noise", "turns after"),
        [(r.label, f"{r.noise:.2f}", f"{r.delay:.0f}") for r in responses],
    )
    say()
    say_prose(LEGEND)
    for path in files:
        remark(f"plot: {path}")
