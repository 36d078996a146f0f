"""A Dask cluster that is already there: tasks of about a second, results drained at once.

A Dask cluster runs the code of its clients: connect to one that you trust, over TLS if others can
reach it (Dask's own settings, ``DASK_DISTRIBUTED__COMM__...``, apply).
"""

from __future__ import annotations

import contextlib
import importlib
import queue
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from optbench import __version__
from optbench.errors import ConfigError, OptbenchError, PluginError
from optbench.execution.base import Executor, Limits, failure
from optbench.packing import pack_result, pack_spec, unpack_result, unpack_spec
from optbench.records import Health, RunResult, RunSpec

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

Codes = dict[tuple[str, str], str]
"""(kind, name) -> fingerprint of the plugin's source."""


def train_chunk(
    specs: Sequence[bytes], plugins: Sequence[str], health: Health
) -> tuple[list[bytes], float]:
    """On a worker: train these runs one after the other; packed results, and seconds it took."""
    import time

    from threadpoolctl import threadpool_limits

    from optbench.engine.training import train_spec
    from optbench.execution.worker import load_plugins

    load_plugins(tuple(plugins))  # this worker may have joined after the others were checked
    started = time.monotonic()
    with threadpool_limits(1):
        results = [pack_result(train_spec(unpack_spec(spec), health=health)) for spec in specs]
    return results, time.monotonic() - started


def inspect_worker(plugins: Sequence[str], codes: Codes) -> str:
    """On a worker: what keeps it from training these optimizers as the driver would; or nothing."""
    from optbench.execution.worker import load_plugins
    from optbench.registry import default_registry, fingerprint

    if __version__ != _driver_version(codes):
        return f"it has optbench {__version__}, not {_driver_version(codes)}"
    try:
        load_plugins(tuple(plugins))
        registry = default_registry()
        for (kind, name), code in codes.items():
            if kind and fingerprint(registry.entry(kind, name).item) != code:
                return f"its {kind.removesuffix('s')} '{name}' has another source code"
    except OptbenchError as problem:
        return str(problem)
    return ""


def warm_up_worker(specs: Sequence[bytes]) -> None:
    """On a worker: load and compile what runs like these need, once."""
    from optbench.execution.worker import warm_up

    for spec in specs:
        warm_up(unpack_spec(spec))


def _driver_version(codes: Codes) -> str:
    return codes.get(("", "optbench"), __version__)


class ClusterExecutor(Executor):
    """Trains on an existing Dask cluster.

    Args:
        address: of the scheduler, e.g. ``"tcp://host:8786"``.
        plugins: what ``--plugin`` named; the workers must find the same files and modules.
        limits: none can be kept here; Dask's workers have their own.
        health: in which runs layer health is recorded.

    Raises:
        ConfigError: `distributed` is not installed, nobody answers, there is no worker, or limits
            were given.
    """

    def __init__(
        self,
        address: str,
        *,
        plugins: Iterable[str] = (),
        limits: Limits | None = None,
        health: Health = "first",
    ) -> None:
        if limits is not None and limits != Limits():
            raise ConfigError(
                "--timeout and --memory are for this machine; "
                "with --scheduler start Dask's workers with their own limits"
            )
        self._client = _connect(address)
        self._plugins = tuple(plugins)
        self._health: Health = health
        self._buffer: list[RunSpec] = []
        self._tasks: dict[Any, list[RunSpec]] = {}
        self._deaths: dict[str, int] = {}
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._suspects: list[RunSpec] = []
        self._suspect: Any = None
        self._run_seconds = TASK_SECONDS / 4
        self._threads: int = max(sum(self._client.nthreads().values()), 1)

    def prepare(self, specs: Iterable[RunSpec], say: Callable[[str], None]) -> None:
        """Make sure that every worker has the same optbench and the same plugins.

        Raises:
            PluginError: one does not; names the worker and the difference.
        """
        say(f"checking {len(self._client.nthreads())} workers")
        codes: Codes = {("", "optbench"): __version__}
        shared: dict[tuple[str, ...], bytes] = {}
        for spec in specs:
            shared[spec.optimizer, spec.dataset, spec.dtype] = pack_spec(spec)
            codes["optimizers", spec.optimizer] = spec.optimizer_code
            codes["initializers", spec.initializer] = spec.initializer_code
        try:
            problems = self._client.run(inspect_worker, self._plugins, codes)
        except Exception as cause:
            text = " ".join(str(cause).split()) or type(cause).__name__
            raise PluginError(f"the workers cannot load optbench: {text}") from cause
        for worker, problem in problems.items():
            if problem:
                raise PluginError(f"worker {worker} cannot train this study: {problem}")
        say("warming up the workers")
        self._client.run(warm_up_worker, list(shared.values()))

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
            raise OptbenchError("the connection to the scheduler is lost; run again to go on")
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
        future = self._client.submit(train_chunk, packed, self._plugins, self._health, pure=False)
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
        status = future.status
        if status == "finished":
            self._next_suspect()
            packed, seconds = future.result()
            future.release()
            each = seconds / len(chunk)
            self._run_seconds += SMOOTHING * (each - self._run_seconds)
            return [unpack_result(data) for data in packed]
        if status in ("cancelled", "lost"):
            raise OptbenchError("the scheduler has dropped the study; run again to go on")
        cause = future.exception()
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
        text = " ".join(str(cause).split())[:200]
        return [failure(spec, f"no worker survived it: {type(cause).__name__}: {text}")]

    def close(self) -> None:
        """Cancel what is in flight and disconnect; the cluster stays."""
        self._buffer.clear()
        with contextlib.suppress(Exception):  # nothing more can be done about a lost scheduler
            self._client.cancel(list(self._tasks), force=True)
        self._tasks.clear()
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)


def _connect(address: str) -> Any:
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise ConfigError("--scheduler needs Dask: pip install 'optbench[cluster]'") from None
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as cause:
        raise ConfigError(f"no Dask scheduler answers at '{address}'") from cause
    if not client.nthreads():
        client.close()
        raise ConfigError(f"the Dask cluster at '{address}' has no worker")
    return client
