"""Tasks that run on the workers of a Dask cluster.

Each thread of a Dask worker trains its runs with a `LocalExecutor` of one job: compiled runs in a
thread, others in a child process. So a fault stays with its run, and limits apply as they do on one
machine.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from optbench import __version__
from optbench.errors import OptbenchError, PluginError
from optbench.execution.executor import Limits
from optbench.execution.local import LocalExecutor
from optbench.execution.worker import (
    Fingerprints,
    describe_mismatch,
    fingerprints_of,
    load_registry,
    warm_up,
)
from optbench.records import Health
from optbench.records.packing import pack_result, unpack_spec
from optbench.registry.default import installed_registry
from optbench.registry.registry import LOADING
from optbench.registry.scoped import ScopedRegistry

IDLE_SECONDS = 30.0
"""Time without a task after which the child processes of a worker end."""


class Setup(NamedTuple):
    """How the runs of a study are trained.

    Attributes:
        version: Version of the driver's optbench.
        plugins: Files and modules given by ``--plugin``.
        passed: Objects that were passed instead of names, as `pack_passed` returns them.
        limits: Limits of one run.
        health: Which evaluation runs record layer health.
        first_seeds: Seeds of the runs that record it where `health` is ``"first"``.
    """

    version: str
    plugins: tuple[str, ...]
    passed: bytes
    limits: Limits
    health: Health
    first_seeds: tuple[int, ...] = (0,)


def train_chunk(specs: Sequence[bytes], setup: Setup) -> tuple[list[bytes], float]:
    """Train runs, and return their packed results and the seconds that they took together.

    Raises:
        PluginError: This worker, which may have joined late, has other plugins than the driver.
    """
    runs = [unpack_spec(spec) for spec in specs]
    if problem := inspect_worker(setup, fingerprints_of(runs)):
        raise PluginError(f"a worker cannot train this study: {problem}")
    started = time.monotonic()
    with borrowed_executor(setup) as executor:
        results = [pack_result(result) for result in executor.map(runs)]
    return results, time.monotonic() - started


def inspect_worker(setup: Setup, planned: Fingerprints) -> str:
    """Describe what prevents this worker from training as the driver would; "" if nothing does."""
    if __version__ != setup.version:
        return f"it has optbench {__version__}, not {setup.version}"
    try:
        return describe_mismatch(planned, registry_of(setup))
    except OptbenchError as problem:
        return str(problem)


def warm_up_worker(setup: Setup, specs: Sequence[bytes]) -> None:
    """Load and compile everything that runs like these share."""
    for spec in specs:
        warm_up(unpack_spec(spec), registry_of(setup))


def registry_of(setup: Setup) -> ScopedRegistry:
    """Return the registry of a study on this worker.

    Each study has its own, because a cluster outlives its studies: two of them may give a name to
    different files.
    """
    with LOADING:  # several tasks may ask at once
        return _registry(setup.plugins, setup.passed)


@functools.lru_cache(maxsize=4)
def _registry(plugins: tuple[str, ...], passed: bytes) -> ScopedRegistry:
    return load_registry(plugins, passed, installed_registry())


class IdleExecutor(NamedTuple):
    """An executor that waits for the next task, until its timer ends it."""

    setup: Setup
    executor: LocalExecutor
    timer: threading.Timer


idle_executors: list[IdleExecutor] = []
_lock = threading.Lock()


@functools.cache
def limit_blas_to_one_thread() -> None:
    """Limit matrix products to one thread, for the rest of this process.

    The limit is permanent because executors of several threads overlap: if the first one to end
    lifted it, the others would use all cores in the middle of their runs.
    """
    import scipy.linalg.cython_blas  # noqa: F401  # the BLAS of the compiled loops
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


@contextlib.contextmanager
def borrowed_executor(setup: Setup) -> Iterator[LocalExecutor]:
    """Lend an executor to one task; its child processes live on for the next."""
    limit_blas_to_one_thread()
    executor = _take(setup) or LocalExecutor(
        1,
        plugins=setup.plugins,
        limits=setup.limits,
        health=setup.health,
        first_seeds=setup.first_seeds,
        registry=registry_of(setup),
    )
    try:
        yield executor
    except BaseException:
        executor.close()
        raise
    _put_aside(setup, executor)


def _take(setup: Setup) -> LocalExecutor | None:
    with _lock:
        for idle in idle_executors:
            if idle.setup == setup:
                idle.timer.cancel()
                idle_executors.remove(idle)
                return idle.executor
    return None


def _put_aside(setup: Setup, executor: LocalExecutor) -> None:
    timer = threading.Timer(IDLE_SECONDS, lambda: _end(idle))
    timer.daemon = True
    idle = IdleExecutor(setup, executor, timer)
    with _lock:
        idle_executors.append(idle)
    timer.start()


def _end(idle: IdleExecutor) -> None:
    with _lock:
        if idle not in idle_executors:  # a task took it at the last moment
            return
        idle_executors.remove(idle)
    idle.executor.close()
