"""Archives (zip, tar) with the files of a dataset: their members are unpacked into the cache."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from optbench.data.cache import cache_folder
from optbench.support.files import atomic_path

MOST_BYTES = 200 * 1024**2
"""Largest member that is unpacked."""
_DAMAGED = (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, ValueError)


def is_archive(path: Path) -> bool:
    """Return whether a file is a zip or tar archive, the latter in any compression."""
    with contextlib.suppress(*_DAMAGED):
        return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))
    return False


def unpacked(path: Path, names: set[str]) -> Path | None:
    """Return a folder with the members of an archive that have one of these names.

    Folders inside the archive do not matter, and nothing is written outside of the cache. What is
    unpacked is kept until the archive changes.

    Args:
        path: The archive.
        names: Names of files.

    Returns:
        The folder; None if the archive is damaged, or the cache cannot be written.
    """
    with contextlib.suppress(*_DAMAGED):
        status = path.stat()
        key = f"{path.resolve()}:{status.st_mtime_ns}:{status.st_size}"
        name = hashlib.sha256(key.encode()).hexdigest()[:16]
        return _unpack(path, cache_folder() / "archives" / name, frozenset(names))
    return None


@functools.lru_cache(maxsize=32)
def _unpack(path: Path, folder: Path, names: frozenset[str]) -> Path:
    """Unpack an archive into a folder, once in a process: each file of a dataset asks for it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, size, content in _members(path):
        if name in names and size <= MOST_BYTES and not (folder / name).exists():
            target = folder / name
            with atomic_path(target, concurrent=True) as partial, partial.open("wb") as to:
                shutil.copyfileobj(content, to)
    return folder


def _members(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield the name without its folder, the size and the content of each file in an archive."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as content:
                        yield PurePosixPath(info.filename).name, info.file_size, content
        return
    with tarfile.open(path) as packed:
        for member in packed:
            reader = packed.extractfile(member) if member.isfile() else None
            if reader is not None:
                yield PurePosixPath(member.name).name, member.size, reader
