"""Options of ``run`` and ``sweep`` that select where runs are trained."""

from __future__ import annotations

import click

from optbench.cli.options import options
from optbench.execution.factory import MOST_JOBS

executor_options = options(
    click.option(
        "--jobs",
        type=click.IntRange(1, MOST_JOBS),
        help="Number of parallel runs; by default one per core.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Train on this Dask cluster, such as tcp://host:8786 (needs optbench[cluster]).",
    ),
)
"""``--jobs`` and ``--scheduler``, passed to the command as ``jobs`` and ``scheduler``."""
