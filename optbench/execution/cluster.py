"""An existing Dask cluster: tasks of about a second, whose results are collected at once.

A Dask cluster runs the code of its clients. Connect only to a cluster that you trust, and over TLS
if others can reach it; Dask's own settings (``DASK_DISTRIBUTED__COMM__...``) apply.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import queue
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Any

from optbench import __version__
from optbench.errors import OptbenchError, PluginError, describe_error
from optbench.execution.cluster_client import connect
from optbench.execution.cluster_tasks import Setup, inspect_worker, train_chunk, warm_up_worker
from optbench.execution.executor import Executor, Limits
from optbench.execution.worker import fingerprints_of
from optbench.records import Health, RunResult, RunSpec
from optbench.records.packing import pack_spec, unpack_result
from optbench.registry.scoped import ScopedRegistry
from optbench.registry.transfer import pack_passed

_log = logging.getLogger(__name__)

TASK_SECONDS = 1.0
"""Intended duration of a task: long enough to be worth sending, short enough to lose."""
MAX_CHUNK = 256
"""Largest number of runs in a task."""
TASKS_PER_THREAD = 3
"""Tasks in flight for each thread of the cluster."""
MAX_DEATHS = 2
"""Number of workers that a suspect may lose, beyond Dask's own retries, before it fails."""
SMOOTHING = 0.5
"""Weight of the newest task in the running mean of seconds per run."""
REASON_LENGTH = 200
"""Characters of Dask's error that are kept as the reason of a failed run."""
LOST = (
    "the connection to the scheduler is lost; finished runs are stored; run the command again to "
    "continue"
)


class ClusterExecutor(Executor):
    """Trains on an existing Dask cluster.

    When a task loses its workers, each of its runs becomes a suspect. Suspects are trained one at a
    time, so that the run that kills its workers is found.

    Args:
        address: Address of the scheduler, e.g. ``"tcp://host:8786"``.
        plugins: Files and modules given by ``--plugin``; the workers must find the same ones.
        limits: Limits of one run; they apply in child processes of the workers.
        health: Which evaluation runs record layer health.
        first_seeds: Seeds of the runs that record it where `health` is ``"first"``.
        registry: Where names are looked up; objects that were passed go along to the workers.
            The registry of the process if None.

    Raises:
        ConfigError: `distributed` is not installed, no scheduler answers, or it has no worker.
    """

    def __init__(
        self,
        address: str,
        *,
        plugins: Iterable[str] = (),
        limits: Limits | None = None,
        health: Health = "first",
        first_seeds: Collection[int] = (0,),
        registry: ScopedRegistry | None = None,
    ) -> None:
        passed = pack_passed(registry or ScopedRegistry())
        self._client = connect(address)
        self._setup = Setup(
            __version__, tuple(plugins), passed, limits or Limits(), health, tuple(first_seeds)
        )
        self._buffer: list[RunSpec] = []
        self._tasks: dict[Any, list[RunSpec]] = {}
        self._deaths: dict[str, int] = {}
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._suspects: list[RunSpec] = []
        self._suspect: Any = None
        self._run_seconds = TASK_SECONDS / 4
        self._threads: int = max(sum(self._client.nthreads().values()), 1)

    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Check that every worker has the same optbench and the same plugins, and warm it up.

        Raises:
            PluginError: A worker differs; names the worker and the difference.
        """
        _log.info("checking %d workers", len(self._client.nthreads()))
        specs = list(specs)
        kinds = {(spec.optimizer, spec.dataset, spec.dtype): spec for spec in specs}
        planned = fingerprints_of(specs)
        problems = self._on_workers(inspect_worker, self._setup, planned)
        for worker, problem in problems.items():
            if problem:
                raise PluginError(f"worker {worker} cannot train this study: {problem}")
        _log.info("warming up the workers")
        self._on_workers(warm_up_worker, self._setup, [pack_spec(spec) for spec in kinds.values()])

    def _on_workers(self, function: Callable[..., Any], *arguments: object) -> dict[str, Any]:
        """Return what a function returns on each worker, by address."""
        try:
            answers: dict[str, Any] = self._client.run(function, *arguments)
        except Exception as cause:
            if self._client.status != "running":
                raise OptbenchError(LOST) from cause
            raise PluginError(
                f"the workers cannot load optbench: {describe_error(cause)}"
            ) from cause
        return answers

    @property
    def chunk(self) -> int:
        """Number of runs in a task, so that it takes about `TASK_SECONDS`."""
        return min(max(int(TASK_SECONDS / max(self._run_seconds, 1e-6)), 1), MAX_CHUNK)

    def room(self) -> int:
        """Return the number of runs that could be submitted now; short runs make it larger."""
        in_flight = len(self._buffer) + len(self._suspects) + sum(map(len, self._tasks.values()))
        places: int = self._threads * TASKS_PER_THREAD * self.chunk
        return places - in_flight

    def submit(self, spec: RunSpec) -> None:
        """Add a run to the next task."""
        self._buffer.append(spec)
        if len(self._buffer) >= self.chunk:
            self._send()

    def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
        """Take the results finished since the last call; wait for the first.

        Raises:
            OptbenchError: The connection is lost, or a worker has other plugins than the driver.
        """
        self._send()
        before = len(arrived)
        with contextlib.suppress(queue.Empty):
            while True:
                wait = 0.0 if len(arrived) > before or not self._tasks else timeout
                self._take(self._finished.get(block=wait > 0, timeout=wait or None), arrived)
        if len(arrived) == before and self._client.status != "running":
            raise OptbenchError(LOST)

    def _send(self) -> None:
        """Send all submitted runs, the last task perhaps with fewer than the others."""
        while self._buffer:
            chunk, self._buffer = self._buffer[: self.chunk], self._buffer[self.chunk :]
            self._start(chunk)

    def _next_suspect(self) -> None:
        """Start one suspect at a time; of two at once, either could have killed the worker."""
        if self._suspect is None and self._suspects:
            self._suspect = self._start([self._suspects.pop(0)])

    def _start(self, chunk: list[RunSpec]) -> Any:
        """Start a task, and return its future."""
        packed = [pack_spec(spec) for spec in chunk]
        try:
            future = self._client.submit(train_chunk, packed, self._setup, pure=False)
        except Exception as cause:  # a client that has closed refuses in several ways
            raise OptbenchError(LOST) from cause
        self._tasks[future] = chunk
        future.add_done_callback(self._finished.put)
        return future

    def _take(self, future: Any, arrived: deque[RunResult]) -> None:
        """Take the results of a finished task; start what its failure makes necessary.

        Raises:
            OptbenchError: The worker as a whole is at fault.
        """
        chunk = self._tasks.get(future)
        if chunk is None:
            return
        try:
            packed, seconds, cause = _outcome_of(future)
            arrived.extend(map(unpack_result, packed))
        except KeyboardInterrupt:
            self._finished.put(future)  # the next call takes its results
            raise
        del self._tasks[future]
        suspected = future is self._suspect
        if suspected:
            self._suspect = None
        if cause is None:
            self._next_suspect()
            future.release()
            each = seconds / len(chunk)
            self._run_seconds += SMOOTHING * (each - self._run_seconds)
            return
        if isinstance(cause, OptbenchError):  # errors of a single run come as its result
            raise cause
        if suspected:
            spec = chunk[0]
            deaths = self._deaths[spec.key] = self._deaths.get(spec.key, 0) + 1
            if deaths >= MAX_DEATHS:
                self._next_suspect()
                reason = f"no worker survived it: {describe_error(cause)[:REASON_LENGTH]}"
                arrived.append(RunResult.failed(spec, reason))
                return
        self._suspects += chunk  # one of them kills its workers, or a task on the same worker does
        self._next_suspect()

    def close(self) -> None:
        """Cancel the runs in flight and disconnect; the cluster keeps running."""
        self._buffer.clear()
        with contextlib.suppress(Exception):  # a lost scheduler has nothing left to cancel
            self._client.cancel(list(self._tasks), force=True)
        self._tasks.clear()
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)


def _outcome_of(future: Any) -> tuple[list[bytes], float, BaseException | None]:
    """Return the results of a task and the seconds that it took, or the error that it ended with.

    Raises:
        OptbenchError: The connection is lost, perhaps while the results were on their way.
    """
    if future.status == "error":
        return [], 0.0, future.exception()
    try:
        packed, seconds = future.result()
    except (OSError, concurrent.futures.CancelledError) as cause:
        raise OptbenchError(LOST) from cause
    except Exception as cause:  # the worker died with the results, and so did the next one
        return [], 0.0, cause
    return packed, seconds, None
