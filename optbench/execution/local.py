"""This machine: threads for compiled runs, which release the GIL; processes for all others.

A thread shares its process with the driver, so no Python of a stranger runs in one: a compiled run
whose initializer, or the rule's own `init`, comes from another distribution goes to a process.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
from collections.abc import Iterable

from optbench.errors import ConfigError, describe_error
from optbench.execution.executor import Executor, Limits, Train
from optbench.execution.processes import ProcessPool
from optbench.execution.worker import Settings
from optbench.records import Health, RunResult, RunSpec
from optbench.records.packing import without_params
from optbench.support.child_processes import available_cores

WINDOW = 8
"""Runs in flight for each job."""


class ThreadPool:
    """Threads that train runs in this process; daemons, so that none holds up the end.

    Args:
        jobs: number of threads.
        train: trains one run.
        done: where results go.
    """

    def __init__(self, jobs: int, train: Train, done: queue.SimpleQueue[RunResult]) -> None:
        self._train = train
        self._done = done
        self._waiting: queue.SimpleQueue[RunSpec | None] = queue.SimpleQueue()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(jobs)]
        for thread in self._threads:
            thread.start()

    def submit(self, spec: RunSpec) -> None:
        """Queue a run."""
        self._waiting.put(spec)

    def _work(self) -> None:
        while (spec := self._waiting.get()) is not None and not self._closed:
            try:
                result = without_params(self._train(spec))
            except BaseException as cause:  # a thread that ends would be a run that never comes
                result = RunResult.failed(spec, describe_error(cause))
            self._done.put(result)

    def close(self) -> None:
        """Start no further run; the one that a thread is training goes on to its end."""
        self._closed = True
        for _ in self._threads:
            self._waiting.put(None)


class LocalExecutor(Executor):
    """Trains on the cores of this machine.

    Args:
        jobs: runs at a time; all cores if None.
        plugins: what ``--plugin`` named, for the worker processes.
        limits: what one run may take. With limits every run is trained in a process, because a
            thread cannot be stopped.
        train: trains every run in a thread, instead of optbench itself; for tests.
        health: in which runs layer health is recorded.

    Raises:
        ConfigError: fewer than one job.
    """

    def __init__(
        self,
        jobs: int | None = None,
        *,
        plugins: Iterable[str] = (),
        limits: Limits | None = None,
        train: Train | None = None,
        health: Health = "first",
    ) -> None:
        self.jobs = available_cores() if jobs is None else jobs
        if self.jobs < 1:
            raise ConfigError(f"jobs={jobs} is not allowed; a whole number >= 1")
        self._limits = limits or Limits()
        self._plugins = tuple(plugins)
        self._train = train
        self._health: Health = health
        self._done: queue.SimpleQueue[RunResult] = queue.SimpleQueue()
        self._in_threads = 0
        self._threads: ThreadPool | None = None
        self._processes: ProcessPool | None = None
        self._compiled: dict[str, bool] = {}
        self._fits: dict[tuple[str, str, str], bool] = {}
        self._resources = contextlib.ExitStack()

    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Compile what the threads need; worker processes find it in the cache."""
        if self._train is not None:
            return
        from optbench.engine.training import prepare

        safe = [s for s in specs if self._is_compiled(s) and _rule_is_safe(s.optimizer)]
        prepare(safe)

    def room(self) -> int:
        """Free places in the window."""
        in_processes = self._processes.in_flight if self._processes else 0
        return self.jobs * WINDOW - self._in_threads - in_processes

    def submit(self, spec: RunSpec) -> None:
        """Hand a run to a thread or a process, whichever suits its optimizer."""
        limited = self._limits.seconds is not None or self._limits.memory_mb is not None
        if self._train is not None or (not limited and self._fits_a_thread(spec)):
            self._start_threads().submit(spec)
            self._in_threads += 1
        else:
            self._start_processes().submit(spec)

    def collect(self, timeout: float) -> list[RunResult]:
        """Results finished since the last call; waits for the first."""
        found = list(self._drain())
        if self._processes is not None and self._processes.in_flight:
            wait = 0.0 if found else min(timeout, 0.02) if self._in_threads else timeout
            found += self._processes.collect(wait)
            found += self._drain()
        elif not found and self._in_threads:
            with contextlib.suppress(queue.Empty):
                found.append(self._done.get(timeout=timeout))
                self._in_threads -= 1
                found += self._drain()
        return found

    def _drain(self) -> list[RunResult]:
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._done.get_nowait())
                self._in_threads -= 1
        return found

    def close(self) -> None:
        """Give up what is in flight. A thread in the middle of a run ends with the process."""
        if self._threads is not None:
            self._threads.close()
        if self._processes is not None:
            self._processes.close()
        self._threads, self._processes = None, None
        self._resources.close()

    def _is_compiled(self, spec: RunSpec) -> bool:
        if spec.optimizer not in self._compiled:
            from optbench.engine.loops.choice import choose_loop
            from optbench.registry import default_registry

            optimizer = default_registry().optimizer(spec.optimizer)
            self._compiled[spec.optimizer] = choose_loop(optimizer)[0] == "compiled"
        return self._compiled[spec.optimizer]

    def _fits_a_thread(self, spec: RunSpec) -> bool:
        names = (spec.optimizer, spec.initializer, spec.control.schedule)
        if names not in self._fits:
            self._fits[names] = (
                self._is_compiled(spec)
                and _rule_is_safe(spec.optimizer)
                and _comes_along("initializers", spec.initializer)
                and _comes_along("schedules", spec.control.schedule)
            )
        return self._fits[names]

    def _start_threads(self) -> ThreadPool:
        if self._threads is None:
            train = self._train
            if train is None:
                from threadpoolctl import threadpool_limits

                from optbench.engine.training import train_spec

                self._resources.enter_context(threadpool_limits(1))
                train = functools.partial(train_spec, health=self._health)
            self._threads = ThreadPool(self.jobs, train, self._done)
        return self._threads

    def _start_processes(self) -> ProcessPool:
        if self._processes is None:
            settings = Settings(
                plugins=self._plugins,
                memory_mb=self._limits.memory_mb,
                health=self._health,
            )
            self._processes = ProcessPool(self.jobs, settings, self._limits)
        return self._processes


def _rule_is_safe(name: str) -> bool:
    """Whether a compiled rule brings no Python of a stranger: `init` is all it can have."""
    from optbench.contracts import Rule
    from optbench.registry import default_registry

    init = default_registry().optimizer(name).init
    return init is Rule.init or _comes_along("optimizers", name)


def _comes_along(kind: str, name: str) -> bool:
    """Whether a plugin was shipped with optbench."""
    from optbench.registry import default_registry

    return default_registry().entry(kind, name).is_builtin
