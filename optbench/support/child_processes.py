"""Child processes that are fed through their standard streams.

A frame is a length followed by that number of bytes. Nothing is pickled, and the main program is
not imported again, so a study can be run from any script.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import secrets
import signal
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import IO

from optbench.support.descendants import MARK, adopt_orphans, kill_descendants

Child = subprocess.Popen[bytes]

MAX_DESCRIPTOR = 4096
"""Highest number of a descriptor that is hidden; the table of the kernel grows with it."""
LINE_CHARACTERS = 4096
"""Longest line of a process that is shown; the rest of a longer one is left out."""
LAST_LINES_SECONDS = 5.0
"""Longest wait for the last lines of a process; its pipe ends with it, and with its children."""
_marks: weakref.WeakKeyDictionary[Child, str] = weakref.WeakKeyDictionary()
_printers: weakref.WeakKeyDictionary[Child, threading.Thread] = weakref.WeakKeyDictionary()
_hidden: list[int] = []
_LENGTH = struct.Struct("<I")
_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1"
    for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "BLIS")
}


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Write one frame."""
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Return the next frame; None at the end of the stream, also in the middle of a frame."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size = _LENGTH.unpack(head)[0]
    data = stream.read(size)
    return data if len(data) == size else None


# -- in the parent ----------------------------------------------------------------------------


def start_child(main: str, show_line: Callable[[str], None] | None = None) -> Child:
    """Start a process that runs a function with one BLAS thread, and ends with this process.

    It searches the same folders for modules as this process; ``python -c`` alone would search the
    current folder first.

    Args:
        main: ``module:function`` to call; it must start with `take_streams`.
        show_line: Called in a thread with each line that the process, or a child of it, prints.
            None discards what they print.
    """
    module, _, function = main.partition(":")
    path = [entry for entry in sys.path if isinstance(entry, str)]
    code = f"import sys; sys.path[:] = {path!a}; from {module} import {function}; {function}()"
    mark = secrets.token_hex(8)
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if show_line else subprocess.DEVNULL,
        env={**os.environ, **_ONE_THREAD, MARK: mark},
        start_new_session=True,  # only the parent handles Ctrl-C
    )
    _marks[child] = mark
    if show_line is not None and child.stderr is not None:
        # not inherited: a child of a child that lives on would hold the terminal open
        printer = threading.Thread(target=_show_lines, args=(child.stderr, show_line), daemon=True)
        _printers[child] = printer
        printer.start()
    return child


def _show_lines(stream: IO[bytes], show_line: Callable[[str], None]) -> None:
    """Show what comes from a stream, line by line, until it ends; a thread does this."""
    with io.TextIOWrapper(stream, encoding="utf-8", errors="replace") as lines:
        is_start = True
        while part := lines.readline(LINE_CHARACTERS):
            is_end = part.endswith("\n")
            if is_start:
                show_line(part[:-1] if is_end else part + (" [...]" if _is_cut(part) else ""))
            is_start = is_end


def _is_cut(part: str) -> bool:
    return len(part) == LINE_CHARACTERS


def end_child(child: Child, patience: float = 0.0) -> str:
    """Kill the process if it is still running, and return how it ended, in words.

    Everything that it printed has been shown afterwards.

    Args:
        child: The process.
        patience: Seconds that it has after SIGTERM to end by itself.
    """
    if patience:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience)
    kill_descendants(child.pid, _marks.get(child, ""))
    if child.poll() is None:
        child.kill()
    with contextlib.suppress(OSError, AttributeError):  # no group is left, or Windows
        os.killpg(child.pid, signal.SIGKILL)
    code = child.wait()
    kill_descendants(child.pid, _marks.get(child, ""))  # started at the last moment
    if printer := _printers.get(child):
        printer.join(LAST_LINES_SECONDS)
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    return f"signal {-code}" if code < 0 else f"exit code {code}"


# -- in the child -----------------------------------------------------------------------------


def take_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Return the streams of frames and answers, out of reach of plugins and their processes.

    A plugin that prints must not write into the answers, and one that reads standard input must not
    read the frames, or wait for the thread that reads them.
    """
    adopt_orphans()
    numbers = _hide(0), _hide(1)
    source, out = os.fdopen(numbers[0], "rb"), os.fdopen(numbers[1], "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return source, out


def _hide(number: int) -> int:
    """Return a copy of a descriptor under a high number at random, which no child inherits."""
    try:
        import fcntl
        import resource

        soft = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], MAX_DESCRIPTOR)
        copy = fcntl.fcntl(
            number, fcntl.F_DUPFD_CLOEXEC, soft // 2 + secrets.randbelow(soft // 2 - 16)
        )
    except (ImportError, OSError, ValueError):  # Windows, or few descriptors are allowed
        copy = os.dup(number)
    if not _hidden and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_close_hidden)
    _hidden.append(copy)
    return copy


def _close_hidden() -> None:
    """Close the hidden descriptors in a forked process, once: its own children have none."""
    while _hidden:
        with contextlib.suppress(OSError):
            os.close(_hidden.pop())


def listen(read_next: Callable[[], bytes | None]) -> queue.SimpleQueue[bytes]:
    """Read frames in a thread, which ends the process when its parent has ended.

    This also happens in the middle of a run: a plugin in an endless loop must not outlive its
    study.

    Returns:
        Queue of the frames.
    """
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        try:
            while (frame := read_next()) is not None:
                frames.put(frame)
        finally:
            kill_descendants(os.getpid(), os.environ.get(MARK, ""))
            os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return frames
