"""A full disk: a small file system in memory, where this process may mount one."""

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
        place: Mount point.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def leave(self, kilobytes: int) -> None:
        """Fill the disk until only this much is free."""
        self.free()
        spare = shutil.disk_usage(self.place).free - kilobytes * KILOBYTE
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(spare, 1))

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nothing be written to the disk."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.place)], check=True)
        try:
            yield
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(self.place)], check=True)

    def free(self) -> None:
        """Free the disk again."""
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def mounted(place: Path, megabytes: int) -> Iterator[SmallDisk | None]:
    """Mount a small disk; yield None where this process may not."""
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "optbench-test", str(place)]
    try:
        result = subprocess.run(["mount", *options], capture_output=True, check=False)
        is_mounted = result.returncode == 0
    except FileNotFoundError:
        is_mounted = False
    if not is_mounted:
        yield None
        return
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
