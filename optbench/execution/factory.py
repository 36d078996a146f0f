"""The executor that trains a study or a sweep: of this machine, or of a cluster."""

from __future__ import annotations

from collections.abc import Collection

from optbench.errors import ConfigError
from optbench.execution.executor import Executor, Limits
from optbench.execution.local import LocalExecutor
from optbench.records import Health
from optbench.registry import default_registry
from optbench.registry.scoped import ScopedRegistry

MOST_JOBS = 1024
"""Largest number of jobs. A typing error beyond it would fill the memory with workers."""


def make_executor(
    jobs: int | None = None,
    scheduler: str | None = None,
    *,
    health: Health = "first",
    first_seeds: Collection[int] = (0,),
    limits: Limits | None = None,
    registry: ScopedRegistry | None = None,
) -> Executor:
    """Return an executor; it is a context manager that ends its workers.

    Args:
        jobs: Number of runs at a time on this machine; all cores if None.
        scheduler: Address of a Dask cluster to train on; this machine if None.
        health: Which evaluation runs record layer health.
        first_seeds: Seeds of the runs that record it where `health` is ``"first"``.
        limits: Limits of one run.
        registry: Where names are looked up; the registry of the process if None.

    Raises:
        ConfigError: No scheduler answers at the address, `jobs` is given beside it, or it is not
            a whole number from 1 to 1024.
    """
    if jobs is not None and jobs not in range(1, MOST_JOBS + 1):
        raise ConfigError(f"jobs={jobs} is not allowed; a whole number from 1 to {MOST_JOBS}")
    plugins = tuple(p.name for p in default_registry().plugins if p.origin == "--plugin")
    if scheduler is None:
        return LocalExecutor(
            jobs,
            plugins=plugins,
            limits=limits,
            health=health,
            first_seeds=first_seeds,
            registry=registry,
        )
    if jobs is not None:
        raise ConfigError("jobs are for this machine; with a scheduler the cluster decides")
    from optbench.execution.cluster import ClusterExecutor

    return ClusterExecutor(
        scheduler,
        plugins=plugins,
        limits=limits,
        health=health,
        first_seeds=first_seeds,
        registry=registry,
    )
