"""A Dask cluster that is already there: tasks of about a second, results drained at once.

A Dask cluster runs the code of its clients: connect to one that you trust, over TLS if others can
reach it (Dask's own settings, ``DASK_DISTRIBUTED__COMM__...``, apply).
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import importlib
import logging
import queue
from collections.abc import Callable, Iterable
from typing import Any

from optbench import __version__
from optbench.errors import ConfigError, OptbenchError, PluginError, describe_error
from optbench.execution.executor import Executor, Limits
from optbench.execution.remote import Setup, inspect_worker, train_chunk, warm_up_worker
from optbench.execution.worker import codes_of
from optbench.records import Health, RunResult, RunSpec
from optbench.records.packing import pack_spec, unpack_result

_log = logging.getLogger(__name__)

TASK_SECONDS = 1.0
"""About how long a task should take: long enough to be worth sending, short enough to lose."""
MAX_CHUNK = 256
AHEAD = 3
"""Tasks in flight for each thread of the cluster."""
CONNECT_SECONDS = 10
MAX_DEATHS = 2
"""A run under suspicion that has lost its worker so often (beyond Dask's own retries) fails."""
SMOOTHING = 0.5
"""Weight of the newest task in the running mean of seconds a run."""
LOST = "the connection to the scheduler is lost; finished runs are kept, run again to go on"


class ClusterExecutor(Executor):
    """Trains on an existing Dask cluster.

    Args:
        address: of the scheduler, e.g. ``"tcp://host:8786"``.
        plugins: what ``--plugin`` named; the workers must find the same files and modules.
        limits: what one run may take; kept on the workers, in child processes of theirs.
        health: in which runs layer health is recorded.

    Raises:
        ConfigError: `distributed` is not installed, nobody answers, or there is no worker.
    """

    def __init__(
        self,
        address: str,
        *,
        plugins: Iterable[str] = (),
        limits: Limits | None = None,
        health: Health = "first",
    ) -> None:
        self._client = _connect(address)
        self._setup = Setup(__version__, tuple(plugins), limits or Limits(), health)
        self._buffer: list[RunSpec] = []
        self._tasks: dict[Any, list[RunSpec]] = {}
        self._deaths: dict[str, int] = {}
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._suspects: list[RunSpec] = []
        self._suspect: Any = None
        self._run_seconds = TASK_SECONDS / 4
        self._threads: int = max(sum(self._client.nthreads().values()), 1)

    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Make sure that every worker has the same optbench and the same plugins.

        Raises:
            PluginError: one does not; names the worker and the difference.
        """
        _log.info("checking %d workers", len(self._client.nthreads()))
        specs = list(specs)
        kinds = {(spec.optimizer, spec.dataset, spec.dtype): spec for spec in specs}
        codes = codes_of(specs)
        found = self._on_workers(inspect_worker, __version__, self._setup.plugins, codes)
        for worker, problem in found.items():
            if problem:
                raise PluginError(f"worker {worker} cannot train this study: {problem}")
        _log.info("warming up the workers")
        self._on_workers(warm_up_worker, [pack_spec(spec) for spec in kinds.values()])

    def _on_workers(self, function: Callable[..., Any], *arguments: object) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._client.run(function, *arguments)
        except Exception as cause:
            if self._client.status != "running":
                raise OptbenchError(LOST) from cause
            raise PluginError(
                f"the workers cannot load optbench: {describe_error(cause)}"
            ) from cause
        return found

    @property
    def _chunk(self) -> int:
        return min(max(int(TASK_SECONDS / max(self._run_seconds, 1e-6)), 1), MAX_CHUNK)

    def room(self) -> int:
        """Free places in the window, which grows with the number of runs in a task."""
        flying = len(self._buffer) + len(self._suspects) + sum(map(len, self._tasks.values()))
        places: int = self._threads * AHEAD * self._chunk
        return places - flying

    def submit(self, spec: RunSpec) -> None:
        """Add a run to the next task."""
        self._buffer.append(spec)
        if len(self._buffer) >= self._chunk:
            self._send()

    def collect(self, timeout: float) -> list[RunResult]:
        """Results finished since the last call; waits for the first."""
        self._send()
        found: list[RunResult] = []
        with contextlib.suppress(queue.Empty):
            while True:
                wait = 0.0 if found or not self._tasks else timeout
                future = self._finished.get(timeout=wait) if wait else self._finished.get_nowait()
                found += self._take(future)
        if not found and self._client.status != "running":
            raise OptbenchError(LOST)
        return found

    def _send(self) -> None:
        while self._buffer:
            chunk, self._buffer = self._buffer[: self._chunk], self._buffer[self._chunk :]
            self._start(chunk)

    def _next_suspect(self) -> None:
        """Start one suspect at a time: two at once could be blamed for each other."""
        if self._suspect is None and self._suspects:
            self._suspect = self._start([self._suspects.pop(0)])

    def _start(self, chunk: list[RunSpec]) -> Any:
        packed = [pack_spec(spec) for spec in chunk]
        try:
            future = self._client.submit(train_chunk, packed, self._setup, pure=False)
        except Exception as cause:  # a client that has closed refuses in several ways
            raise OptbenchError(LOST) from cause
        self._tasks[future] = chunk
        future.add_done_callback(self._finished.put)
        return future

    def _take(self, future: Any) -> list[RunResult]:
        chunk = self._tasks.pop(future, None)
        if chunk is None:
            return []
        suspected = future is self._suspect
        if suspected:
            self._suspect = None
        packed, seconds, cause = _came_to(future)
        if cause is None:
            self._next_suspect()
            future.release()
            each = seconds / len(chunk)
            self._run_seconds += SMOOTHING * (each - self._run_seconds)
            return [unpack_result(data) for data in packed]
        if isinstance(cause, OptbenchError):  # of the worker as a whole; runs keep theirs
            raise cause
        if not suspected:  # one of them, or a neighbour, kills its workers: find out which
            self._suspects += chunk
            self._next_suspect()
            return []
        spec = chunk[0]
        deaths = self._deaths[spec.key] = self._deaths.get(spec.key, 0) + 1
        if deaths < MAX_DEATHS:  # it may only have been on the same worker as the one that does
            self._suspects += chunk
            self._next_suspect()
            return []
        self._next_suspect()
        return [RunResult.failed(spec, f"no worker survived it: {describe_error(cause)[:200]}")]

    def close(self) -> None:
        """Cancel what is in flight and disconnect; the cluster stays."""
        self._buffer.clear()
        with contextlib.suppress(Exception):  # nothing more can be done about a lost scheduler
            self._client.cancel(list(self._tasks), force=True)
        self._tasks.clear()
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)


def _came_to(future: Any) -> tuple[list[bytes], float, BaseException | None]:
    """Results of a task and the seconds it took, or why it has none.

    Raises:
        OptbenchError: the connection is lost, perhaps while the results were on their way.
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


def _connect(address: str) -> Any:
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise ConfigError("--scheduler needs Dask: pip install 'optbench[cluster]'") from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # we say ourselves what went wrong
    if address.startswith("tls:"):
        _check_certificates(distributed.Security(), address)
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as cause:
        raise ConfigError(f"no Dask scheduler answers at '{address}'") from cause
    if not client.nthreads():
        client.close()
        raise ConfigError(f"the Dask cluster at '{address}' has no worker")
    return client


def _check_certificates(security: Any, address: str) -> None:
    """Before Dask looks itself, whose client would hang at its end without them."""
    try:
        if security.get_connection_args("client").get("ssl_context") is not None:
            return
        why = "none is named"
    except OSError as cause:  # a file that is not there, or is no certificate
        why = describe_error(cause)
    raise ConfigError(
        f"no certificate for '{address}' ({why}); set Dask's distributed.comm.tls.ca-file and "
        "distributed.comm.tls.client.{cert,key}"
    )
