"""This machine: threads for compiled runs, which release the GIL; processes for all others.

A thread shares its process with the driver, so third-party Python never runs in one: a compiled run
goes to a process if its initializer, its schedule or the rule's own `init` comes from another
distribution.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import queue
from collections import deque
from collections.abc import Collection, Iterable

from optbench.contracts import Rule
from optbench.errors import ConfigError
from optbench.execution.executor import Executor, Limits, Train
from optbench.execution.process_pool import ProcessPool
from optbench.execution.thread_pool import ThreadPool
from optbench.execution.worker import Settings
from optbench.records import Health, RunResult, RunSpec
from optbench.registry.scoped import ScopedRegistry
from optbench.registry.transfer import pack_passed
from optbench.support.child_processes import available_cores

RUNS_PER_JOB = 8
"""Runs in flight for each job."""
POLL_SECONDS = 0.02
"""Longest wait for the processes while threads may finish as well."""


class LocalExecutor(Executor):
    """Trains on the cores of this machine.

    Args:
        jobs: Number of runs at a time; all cores if None.
        plugins: Files and modules given by ``--plugin``, for the worker processes.
        limits: Limits of one run. With limits every run is trained in a process, because a thread
            cannot be stopped.
        train: Trains every run in a thread, instead of optbench itself; for tests.
        health: Which evaluation runs record layer health.
        first_seeds: Seeds of the runs that record it where `health` is ``"first"``.
        registry: Where names are looked up; objects that were passed go along to the worker
            processes. The registry of the process if None.

    Raises:
        ConfigError: Fewer than one job.
    """

    def __init__(
        self,
        jobs: int | None = None,
        *,
        plugins: Iterable[str] = (),
        limits: Limits | None = None,
        train: Train | None = None,
        health: Health = "first",
        first_seeds: Collection[int] = (0,),
        registry: ScopedRegistry | None = None,
    ) -> None:
        self.jobs = available_cores() if jobs is None else jobs
        if self.jobs < 1:
            raise ConfigError(f"jobs={jobs} is not allowed; a whole number >= 1")
        self._limits = limits or Limits()
        self._plugins = tuple(plugins)
        self._train = train
        self._health: Health = health
        self._first_seeds = frozenset(first_seeds)
        self._registry = registry or ScopedRegistry()
        self._done: queue.SimpleQueue[RunResult] = queue.SimpleQueue()
        self._in_threads = 0
        self._threads: ThreadPool | None = None
        self._processes: ProcessPool | None = None
        self._compiled: dict[str, bool] = {}
        self._groups: dict[tuple[str, str, str], str] = {}
        self._fits: dict[tuple[str, str, str], bool] = {}
        self._resources = contextlib.ExitStack()

    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Compile the loops of the threads; worker processes find them in the cache."""
        if self._train is not None:
            return
        from optbench.engine.training import prepare

        prepare(
            [s for s in specs if self._is_compiled(s) and self._is_trusted_rule(s.optimizer)],
            self._registry,
        )

    def room(self) -> int:
        """Return the number of runs that could be submitted now."""
        in_processes = self._processes.in_flight if self._processes else 0
        return self.jobs * RUNS_PER_JOB - self._in_threads - in_processes

    def submit(self, spec: RunSpec) -> None:
        """Hand a run to a thread or a process, depending on its plugins and on the limits."""
        limited = self._limits.seconds is not None or self._limits.memory_mb is not None
        if self._train is not None or (not limited and self._fits_thread(spec)):
            self._start_threads().submit(spec)
            self._in_threads += 1
        else:
            self._start_processes().submit(spec)

    def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
        """Take the results finished since the last call; wait for the first."""
        before = len(arrived)
        self._drain(arrived)
        if self._processes is not None and self._processes.in_flight:
            wait = min(timeout, POLL_SECONDS) if self._in_threads else timeout
            self._processes.collect(0.0 if len(arrived) > before else wait, arrived)
            self._drain(arrived)
        elif len(arrived) == before and self._in_threads:
            self._drain(arrived, timeout)

    def _drain(self, arrived: deque[RunResult], timeout: float = 0.0) -> None:
        """Take the results that the threads have finished; wait for the first."""
        before = len(arrived)
        ways = itertools.chain([(timeout > 0, timeout)], itertools.repeat((False, 0.0)))
        try:  # one call from the queue to `arrived`: Python raises an interrupt only between calls
            arrived.extend(itertools.starmap(self._done.get, ways))
        except queue.Empty:
            pass
        finally:
            self._in_threads -= len(arrived) - before

    def close(self) -> None:
        """Abandon the runs in flight; a thread in the middle of a run ends with the process."""
        if self._threads is not None:
            self._threads.close()
        if self._processes is not None:
            self._processes.close()
        self._threads, self._processes = None, None
        self._resources.close()

    def _is_compiled(self, spec: RunSpec) -> bool:
        if spec.optimizer not in self._compiled:
            from optbench.engine.loops.choice import choose_loop

            optimizer = self._registry.optimizer(spec.optimizer)
            self._compiled[spec.optimizer] = choose_loop(optimizer)[0] == "compiled"
        return self._compiled[spec.optimizer]

    def _fits_thread(self, spec: RunSpec) -> bool:
        """Return whether a run is compiled and involves no third-party Python."""
        names = (spec.optimizer, spec.initializer, spec.control.schedule)
        if names not in self._fits:
            self._fits[names] = (
                self._is_compiled(spec)
                and self._is_trusted_rule(spec.optimizer)
                and self._is_shipped("initializers", spec.initializer)
                and self._is_shipped("schedules", spec.control.schedule)
            )
        return self._fits[names]

    def _is_trusted_rule(self, name: str) -> bool:
        """Return whether a compiled rule runs no third-party Python; only its `init` could."""
        init = self._registry.optimizer(name).init
        return init is Rule.init or self._is_shipped("optimizers", name)

    def _is_shipped(self, kind: str, name: str) -> bool:
        """Return whether a plugin is part of optbench."""
        return self._registry.entry(kind, name).is_builtin

    def _start_threads(self) -> ThreadPool:
        if self._threads is None:
            train = self._train
            if train is None:
                from threadpoolctl import threadpool_limits

                from optbench.engine.training import train_spec

                self._resources.enter_context(threadpool_limits(1))
                train = functools.partial(
                    train_spec,
                    registry=self._registry,
                    health=self._health,
                    first_seeds=self._first_seeds,
                )
            self._threads = ThreadPool(self.jobs, train, self._done)
        return self._threads

    def _start_processes(self) -> ProcessPool:
        if self._processes is None:
            settings = Settings(
                plugins=self._plugins,
                passed=pack_passed(self._registry),
                memory_mb=self._limits.memory_mb,
                health=self._health,
                first_seeds=tuple(self._first_seeds),
            )
            self._processes = ProcessPool(self.jobs, settings, self._limits, self._group_of)
        return self._processes

    def _group_of(self, spec: RunSpec) -> str:
        """Return the distributions and files, other than optbench, that a run needs."""
        names = (spec.optimizer, spec.initializer, spec.control.schedule)
        if names not in self._groups:
            kinds = ("optimizers", "initializers", "schedules")
            entry = self._registry.entry
            entries = [entry(kind, name) for kind, name in zip(kinds, names, strict=True)]
            strangers = {entry.distribution for entry in entries if not entry.is_builtin}
            self._groups[names] = " ".join(sorted(strangers))
        return self._groups[names]
