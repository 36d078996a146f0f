"""Flips single bits of files, as a bad disk or bad memory does."""

from __future__ import annotations

import random
from pathlib import Path


def flip_bit(path: Path, chance: random.Random) -> None:
    """Flip one bit of a file, in its place.

    Args:
        path: A file that is not empty.
        chance: Chooses the bit.
    """
    content = bytearray(path.read_bytes())
    bit = chance.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def filled_files(folder: Path, *patterns: str) -> list[Path]:
    """Return the files below a folder that are not empty and match a pattern, in sorted order."""
    paths = {path for pattern in patterns for path in folder.rglob(pattern)}
    return sorted(path for path in paths if path.is_file() and path.stat().st_size)
