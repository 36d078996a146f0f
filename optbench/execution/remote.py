"""What runs on the workers of a Dask cluster: each task is a local study in the small.

A thread of a Dask worker trains as a machine of its own with one job: compiled runs in a thread,
others in a child process, so a fault stays with its run and limits are kept as they are at home.
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
from optbench.execution.worker import Codes, codes_of, foreign, load_plugins, warm_up
from optbench.records import Health
from optbench.records.packing import pack_result, unpack_spec

IDLE_SECONDS = 30.0
"""After this long without a task the child processes of a worker end."""


class Setup(NamedTuple):
    """How the runs of a study are trained.

    Attributes:
        version: of the driver's optbench.
        plugins: what ``--plugin`` named.
        limits: what one run may take.
        health: in which runs layer health is recorded.
    """

    version: str
    plugins: tuple[str, ...]
    limits: Limits
    health: Health


def train_chunk(specs: Sequence[bytes], setup: Setup) -> tuple[list[bytes], float]:
    """Train these runs one after the other; packed results, and seconds it took.

    Raises:
        PluginError: this worker, which may have joined late, has other plugins than the driver.
    """
    runs = [unpack_spec(spec) for spec in specs]
    if problem := inspect_worker(setup.version, setup.plugins, codes_of(runs)):
        raise PluginError(f"a worker cannot train this study: {problem}")
    started = time.monotonic()
    with _borrowed(setup) as executor:
        results = [pack_result(result) for result in executor.map(runs)]
    return results, time.monotonic() - started


def inspect_worker(version: str, plugins: Sequence[str], codes: Codes) -> str:
    """What keeps this worker from training as the driver would; empty if nothing does."""
    if __version__ != version:
        return f"it has optbench {__version__}, not {version}"
    try:
        load_plugins(tuple(plugins))
        return foreign(codes)
    except OptbenchError as problem:
        return str(problem)


def warm_up_worker(specs: Sequence[bytes]) -> None:
    """Load and compile what runs like these need, once."""
    for spec in specs:
        warm_up(unpack_spec(spec))


class _Idle(NamedTuple):
    """An executor that waits for the next task, or for its end."""

    setup: Setup
    executor: LocalExecutor
    timer: threading.Timer


_idle: list[_Idle] = []
_lock = threading.Lock()


@functools.cache
def _train_on_one_core() -> None:
    """Let a matrix product take one thread, in this process from now on.

    For good, because the executors of several threads overlap: the one that ends first would give
    the others all cores in the middle of their runs.
    """
    import scipy.linalg.cython_blas  # noqa: F401  # compiled loops multiply with it
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


@contextlib.contextmanager
def _borrowed(setup: Setup) -> Iterator[LocalExecutor]:
    """An executor for one task: its child processes live on for the next."""
    _train_on_one_core()
    executor = _take(setup) or LocalExecutor(
        1, plugins=setup.plugins, limits=setup.limits, health=setup.health
    )
    try:
        yield executor
    except BaseException:
        executor.close()
        raise
    _put_aside(setup, executor)


def _take(setup: Setup) -> LocalExecutor | None:
    with _lock:
        for idle in _idle:
            if idle.setup == setup:
                idle.timer.cancel()
                _idle.remove(idle)
                return idle.executor
    return None


def _put_aside(setup: Setup, executor: LocalExecutor) -> None:
    timer = threading.Timer(IDLE_SECONDS, lambda: _end(idle))
    timer.daemon = True
    idle = _Idle(setup, executor, timer)
    with _lock:
        _idle.append(idle)
    timer.start()


def _end(idle: _Idle) -> None:
    with _lock:
        if idle not in _idle:  # a task came at the last moment
            return
        _idle.remove(idle)
    idle.executor.close()
