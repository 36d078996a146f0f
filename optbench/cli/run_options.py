"""Options of ``optbench run``: selection, protocol and execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from optbench.cli.executors import executor_options
from optbench.cli.options import (
    POSITIVE,
    REGIME,
    Formats,
    Widths,
    dataset_option,
    named_option,
    options,
    out_option,
)
from optbench.cli.study_output import DEFAULT_OUT
from optbench.execution.executor import MOST_MEGABYTES, MOST_SECONDS
from optbench.records import MAX_REPLICATES, StudyProtocol
from optbench.suites.draws import MOST_WORKLOADS
from optbench.support.durations import parse_seconds


class Seconds(click.FloatRange):
    """Duration above 0, written 90s, 10m or 2h; a plain number counts seconds. NaN is refused."""

    def __init__(self) -> None:
        super().__init__(0, MOST_SECONDS, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number of seconds."""
        try:
            seconds = parse_seconds(value)
        except ValueError as cause:
            self.fail(str(cause), param, ctx)
        return super().convert(seconds, param, ctx)


class Shard(click.ParamType):  # type: ignore[type-arg]  # click 8.2 knows no argument
    """A part of a study, such as ``2/10``: its number, from 1, and the number of parts."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return the number of the part and the number of parts."""
        if isinstance(value, tuple):
            return value
        number, _, count = value.partition("/")
        try:
            shard = int(number), int(count)
        except ValueError:
            self.fail(f"'{value}' is not a part such as 2/10", param, ctx)
        if not 1 <= shard[0] <= shard[1]:
            allowed = f": 1/{count} to {count}/{count} are" if shard[1] > 0 else " such as 2/10"
            self.fail(f"'{value}' is not a part{allowed}", param, ctx)
        return shard


selection = options(
    named_option(
        "-o",
        "optimizers",
        "Optimizer, values in brackets: 'adam[lr=0.01,schedule=cosine]'. Repeatable.",
        multiple=True,
    ),
    dataset_option(
        "Dataset, values in brackets: 'moons[n=400]'; or a file: houses.csv. Repeatable.",
        multiple=True,
    ),
    named_option("-i", "initializers", "Initializer. Repeatable.", multiple=True),
    click.option(
        "-r",
        "--regime",
        "regimes",
        multiple=True,
        type=REGIME,
        help="Examples per update: all, --batch-size, or one. Repeatable.",
    ),
    click.option(
        "--hidden",
        "hidden",
        multiple=True,
        type=Widths(),
        metavar="WIDTHS",
        help="Widths of the hidden layers, such as 32,32 or 64x20; 'linear' for none. Repeatable.",
    ),
    click.option(
        "--activation",
        "activations",
        multiple=True,
        metavar="NAME",
        help="relu, tanh, sigmoid, leaky-relu, gelu or linear. Repeatable.",
    ),
    click.option("--batch-size", type=POSITIVE, help="Examples per update in mini-batch."),
    click.option("--epochs", type=POSITIVE, help="Passes over the training part."),
    click.option(
        "--workloads",
        type=click.IntRange(1, MOST_WORKLOADS),
        help="Number of workloads, for a suite that draws them.",
    ),
)
"""Options that select what to compare; each replaces a value of the suite."""

PROTOCOL_NAMES = {"grid_points": "--grid"}
"""Names of the options that differ from the name of their field."""


def _protocol_option(field: str, hint: Any) -> Callable[..., Any]:
    """Return the option for one field of the protocol, with its limits and description."""
    kind, meta = get_args(hint)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    name = PROTOCOL_NAMES.get(field, f"--{field.replace('_', '-')}")
    type_ = click.Choice(choices) if choices else click.IntRange(meta.ge, meta.le)
    return click.option(name, field, type=type_, help=meta.description)


protocol = options(
    *(
        _protocol_option(field, hint)
        for field, hint in get_type_hints(StudyProtocol, include_extras=True).items()
    )
)
"""Options for how configurations are chosen and evaluated."""

growth = options(
    click.option(
        "--until",
        type=click.Choice(["decided"]),
        help="Add replicates until final loss and speed of all pairs are decided, at most "
        "--replicates (default: 32).",
    ),
    click.option(
        "--time-limit",
        type=Seconds(),
        metavar="TIME",
        help="With --until: start no run after this time, such as 90s, 10m or 2h.",
    ),
    click.option(
        "--more",
        type=click.IntRange(1, MAX_REPLICATES),
        metavar="K",
        help="Add K replicates to the finished study in --out, which keeps its other options.",
    ),
)
"""Options for the number of replicates of a study that grows."""

execution = options(
    out_option(DEFAULT_OUT, "Folder of the study; runs are stored there and never trained twice."),
    click.option(
        "--shard",
        type=Shard(),
        metavar="I/N",
        help="Train only the I-th of N parts, in a folder of its own; `optbench merge` joins them.",
    ),
    executor_options,
    click.option(
        "--timeout",
        type=Seconds(),
        metavar="TIME",
        help="Abort a run after this time, such as 90s or 10m; all runs are then trained in "
        "processes.",
    ),
    click.option(
        "--memory",
        type=click.IntRange(1, MOST_MEGABYTES),
        metavar="MB",
        help="Megabytes that a worker process may allocate for its runs (Linux).",
    ),
    click.option("--live", is_flag=True, help="Draw the curves during training."),
    click.option("--retry-failed", is_flag=True, help="Train runs again that failed before."),
    click.option(
        "--formats",
        type=Formats(),
        default="png,svg",
        show_default=True,
        help="Formats of the plots: png, svg, pdf, or none.",
    ),
    click.option(
        "--health/--no-health",
        default=None,
        help="Record the state of the layers in every evaluation run, or in none; by default in "
        "one run of each configuration.",
    ),
    click.option(
        "--dry-run", is_flag=True, help="List what would be trained, with an estimate of the time."
    ),
)
"""Options for where runs are trained and which files are written."""
