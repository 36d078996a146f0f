"""A disk that is full: a real small file system where one may be mounted, else a limit on files."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

KILOBYTE = 1024


class SmallDisk:
    """A file system of a few megabytes in memory.

    Args:
        place: where it is mounted.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def leave(self, kilobytes: int) -> None:
        """Fill it until so much is free."""
        self.free()
        spare = shutil.disk_usage(self.place).free - kilobytes * KILOBYTE
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(spare, 1))

    def free(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def mounted(place: Path, megabytes: int) -> Iterator[SmallDisk | None]:
    """A small disk; None where this process may not mount one."""
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "optbench-test", str(place)]
    try:
        done = subprocess.run(["mount", *options], capture_output=True, check=False)
        may = done.returncode == 0
    except FileNotFoundError:
        may = False
    if not may:
        yield None
        return
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
