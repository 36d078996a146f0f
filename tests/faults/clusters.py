"""A Dask cluster of real processes on this machine, whose parts can be killed one by one."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.support.waiting import PATIENCE, wait_for

QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Cluster:
    """A scheduler and its workers; leaving the context kills all of them.

    Args:
        folder: Working folder of the processes.
        options: Options of the scheduler and of every worker, such as certificates.
        protocol: ``"tcp"`` or ``"tls"``.
        env: Variables added to their environment.
    """

    def __init__(
        self, folder: Path, options: Sequence[str] = (), protocol: str = "tcp", **env: str
    ) -> None:
        self.folder, self.options, self.protocol = folder, list(options), protocol
        self.env = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0", **env}
        self.address = ""
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.nannies: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Cluster:
        try:
            self.start_scheduler()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for process in [*self.nannies, self.scheduler]:
            if process is not None:
                _kill_tree(process)

    def start_scheduler(self) -> None:
        """Start a scheduler, and wait until it answers at an address, which is a new one."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        where = ["--host", "127.0.0.1", "--port", "0", "--protocol", self.protocol]
        self.scheduler = self._start(
            "dask_scheduler", *where, "--scheduler-file", str(file), "--no-dashboard"
        )
        wait_for(lambda: _address_in(file), "a scheduler")
        self.address = _address_in(file)

    def kill_scheduler(self) -> None:
        """Kill the scheduler with SIGKILL."""
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def add_worker(self, threads: int = 1) -> None:
        """Start a worker under a nanny, which replaces it when it dies."""
        where = ["--local-directory", str(self.folder), "--protocol", self.protocol]
        how = ["--nthreads", str(threads), "--no-dashboard", "--host", "127.0.0.1"]
        self.nannies.append(self._start("dask_worker", self.address, *where, *how))

    def wait_for_workers(self, number: int, security: Any = None) -> list[int]:
        """Wait for this number of workers, and return their process ids."""
        distributed: Any = importlib.import_module("distributed")
        options = {"set_as_default": False, "security": security, "timeout": PATIENCE}
        with distributed.Client(self.address, **options) as client:
            wait_for(lambda: len(client.nthreads()) == number, f"{number} workers")
            return list(client.run(os.getpid).values())

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *arguments, *self.options]
        return subprocess.Popen(command, env=self.env, cwd=self.folder, **QUIET)


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    children: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    process.kill()  # first, since a nanny replaces a worker that dies
    process.wait()
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def _address_in(file: Path) -> str:
    """Return the address that a scheduler has written into a file; empty before that."""
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
        return str(json.loads(file.read_text())["address"])
    return ""


@contextlib.contextmanager
def quiet_dask() -> Iterator[None]:
    """Silence the warnings of Dask about lost workers, which these tests lose on purpose.

    Connections that broke are collected at the end, before another test is blamed for them.
    """
    import logging
    import warnings

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()
