"""One worker process of this machine, and the thread that listens to it."""

from __future__ import annotations

import contextlib
import queue
import secrets
import threading
import time
from collections import deque

import msgspec

from optbench.execution.channel import KEY_BYTES, DisturbedError, SignedReader, SignedWriter
from optbench.execution.worker import Settings
from optbench.records import RunSpec
from optbench.records.packing import pack_spec
from optbench.support.child_processes import end_child, start_child, write_frame
from optbench.support.log_lines import show_output

LAST_FRAMES_SECONDS = 5.0
"""Longest wait for the last frames of a process that has ended; its stream mostly ends with it."""
Events = queue.SimpleQueue[tuple["WorkerProcess", bytes | None]]
"""Frames with the worker that sent them; None when its process has ended or is disturbed."""


class WorkerProcess:
    """One process, and the runs that it was given.

    Args:
        settings: Sent to the process at its start.
        events: Queue that receives each frame of the process, and None at its end or
            when it is disturbed.

    Attributes:
        runs: Runs that it was given and has not finished, in order.
        since: When the first of them began, by the clock of the driver.
        started: Whether the process has been ready.
        group: Plugins that it serves.
        disturbed: Whether something else than its frames came from it.
        warming: Whether it is doing work that runs share.
    """

    def __init__(self, settings: Settings, events: Events) -> None:
        self.runs: deque[RunSpec] = deque()
        self.since = time.monotonic()
        self.started = False
        self.disturbed = False
        self.group = ""
        self.warming = True
        self.process = start_child("optbench.execution.worker:main", show_output)
        key = secrets.token_bytes(KEY_BYTES)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(OSError):  # it has died, which its listener reports
            write_frame(self.process.stdin, key)
        self._writer = SignedWriter(self.process.stdin, key)
        self._reader = SignedReader(self.process.stdout, key)
        self._send(msgspec.json.encode(settings))
        self._listener = threading.Thread(target=self._listen, args=(events,), daemon=True)
        self._listener.start()

    def _listen(self, events: Events) -> None:
        try:
            while (frame := self._reader.read()) is not None:
                events.put((self, frame))
        except DisturbedError:
            self.disturbed = True
        except (OSError, ValueError):  # closed while reading
            pass
        events.put((self, None))

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # it has died, which its listener reports
            self._writer.write(data)

    def give(self, spec: RunSpec) -> None:
        """Add a run to those that the worker trains one after the other."""
        if not self.runs:
            self.since = time.monotonic()
        self.runs.append(spec)
        self._send(pack_spec(spec))

    def has_ended_unnoticed(self) -> bool:
        """Return whether the process has ended, but not its stream: a child of it holds it open."""
        if self.process.poll() is None:
            return False
        self._listener.join(LAST_FRAMES_SECONDS)  # it may not have read the last frames yet
        return self._listener.is_alive()

    def end(self) -> str:
        """Kill the process if it is alive, and describe how it ended."""
        return end_child(self.process)
