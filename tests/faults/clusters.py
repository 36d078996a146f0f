"""A Dask cluster of real processes on this machine, whose parts can be killed one by one."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.faults.studies import wait_for

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
        self.port = _free_port()
        self.address = f"{protocol}://127.0.0.1:{self.port}"
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.nannies: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Cluster:
        self.start_scheduler()
        return self

    def __exit__(self, *exc: object) -> None:
        for process in [*self.nannies, self.scheduler]:
            if process is not None:
                _kill_tree(process)

    def start_scheduler(self) -> None:
        """Start the scheduler, and wait until it answers."""
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--protocol", self.protocol]
        self.scheduler = self._start("dask_scheduler", *where, "--no-dashboard")
        wait_for(lambda: _answers(self.port), "a scheduler")

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
        with distributed.Client(self.address, set_as_default=False, security=security) as client:
            wait_for(lambda: len(client.nthreads()) == number, f"{number} workers")
            return list(client.run(os.getpid).values())

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *arguments, *self.options]
        return subprocess.Popen(command, env=self.env, cwd=self.folder, **QUIET)


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def quiet_dask() -> Iterator[None]:
    """Silence the warnings of Dask about lost workers, which these tests lose on purpose."""
    import logging
    import warnings

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
