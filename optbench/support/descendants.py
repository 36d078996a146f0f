"""Processes that a child process started: they end with it, as far as the platform allows."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

MARK = "OPTBENCH_CHILD"
"""Environment variable whose value says which child process a process descends from."""
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent has ended (Linux)."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_descendants(pid: int, mark: str = "") -> None:
    """Kill what a process started, whether or not it has ended; the process itself lives on.

    Its process group is not enough: a descendant may have left it.

    Args:
        pid: Number of the process.
        mark: Value of `MARK` in the environment of its descendants; empty if it has none.
    """
    for _ in range(3):  # a descendant may start another one meanwhile
        pids = _descendants(pid) | (_marked(mark) if mark else set())
        pids -= {pid, os.getpid()}
        for number in pids:
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)
        if not pids:
            return


def _processes() -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return []


def _descendants(pid: int) -> set[int]:
    """Return the living descendants of a process, by the table of processes."""
    parents = {}
    for path in _processes():
        with contextlib.suppress(OSError, ValueError, IndexError):
            state, parent = (
                (path / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            )
            if state != "Z":
                parents[int(path.name)] = int(parent)
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family - {pid}


def _marked(mark: str) -> set[int]:
    """Return the processes that have a mark in their environment."""
    entry, pids = f"{MARK}={mark}".encode(), set()
    for path in _processes():
        with contextlib.suppress(OSError):  # it has ended, or belongs to somebody else
            if entry in (path / "environ").read_bytes().split(b"\0"):
                pids.add(int(path.name))
    return pids
