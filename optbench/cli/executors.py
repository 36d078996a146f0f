"""Where runs are trained: on this machine, or on a cluster; for ``run`` and ``sweep``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from optbench.cli.options import options
from optbench.errors import ConfigError

if TYPE_CHECKING:
    from optbench.execution import Executor, Limits
    from optbench.records import Health

MOST_JOBS = 1024
"""More workers than any machine has cores; a slip of the finger would fill its memory."""

executor_options = options(
    click.option(
        "--jobs",
        type=click.IntRange(1, MOST_JOBS),
        help="Runs at a time; all cores if not given.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Train on this Dask cluster, e.g. tcp://host:8786 (needs optbench[cluster]).",
    ),
)
"""``--jobs`` and ``--scheduler``, passed to the command under these names."""


def make_executor(
    jobs: int | None, scheduler: str | None, health: Health, limits: Limits | None = None
) -> Executor:
    """What trains the runs of a study or a sweep.

    Args:
        jobs: runs at a time on this machine.
        scheduler: address of a cluster; this machine if None.
        health: in which runs the state of the layers is recorded.
        limits: what a run may take.

    Raises:
        ConfigError: nobody answers at the address, or jobs are given beside it.
    """
    from optbench.registry import default_registry

    plugins = tuple(p.name for p in default_registry().plugins if p.origin == "--plugin")
    if scheduler is None:
        from optbench.execution import LocalExecutor

        return LocalExecutor(jobs, plugins=plugins, limits=limits, health=health)
    if jobs is not None:
        raise ConfigError("--jobs is for this machine; with --scheduler the cluster decides")
    from optbench.execution.cluster import ClusterExecutor

    return ClusterExecutor(scheduler, plugins=plugins, limits=limits, health=health)
