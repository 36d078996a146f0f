"""Finds files of datasets that are on this machine already, and verifies their content.

Distributions and libraries compress the same file in their own way, which changes the hash of the
file, but not that of its content. So a file is accepted if either of the two is right.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import lzma
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from optbench.contracts import DatasetSource
from optbench.data.archives import is_archive, unpacked

DATA = "OPTBENCH_DATA"
"""Environment variable with folders that hold one folder per dataset, as ``PATH`` names folders; or
with zip and tar archives of the files."""
SYSTEM_FOLDERS: tuple[Path, ...] = (
    Path("/usr/share/datasets"),  # Debian: dataset-fashion-mnist
    Path("/usr/local/share/datasets"),
    Path("~/.keras/datasets"),
)
"""Folders that are searched after those of `DATA`."""
SUFFIXES = ("", ".gz", ".xz", ".bz2")
_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\x00": lzma.open, b"BZh": bz2.open}
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)


def find_file(
    source: type[DatasetSource], name: str, folder: Path
) -> tuple[Path | None, list[str]]:
    """Return a file with the right content, or None; and what is wrong with the others.

    Args:
        source: Dataset source. ``files`` has the SHA-256 of the file, ``contents`` that of its
            decompressed content.
        name: Name of the file; it may have another compression, and the suffix of that.
        folder: Folder of the downloads, which is searched first.
    """
    problems = []
    wanted, content = source.files[name].lower(), source.contents.get(name, "").lower()
    for path in candidates(source, name, folder):
        digest = _sha256(path)
        if digest == wanted or (content and _content_sha256(path) == content):
            return path, []
        problems.append(f"{path}: its sha256 is {digest or 'not readable'}")
    return None, problems


def candidates(source: type[DatasetSource], name: str, folder: Path) -> Iterator[Path]:
    """Yield the files on this machine that may be a file of a dataset, the downloaded one first."""
    names = _spellings(source, name)
    for place in (folder, *_folders(source)):
        for each in names:
            with contextlib.suppress(OSError):
                if (place / each).is_file():
                    yield place / each


def _spellings(source: type[DatasetSource], name: str) -> dict[str, None]:
    """Return the names that a file of a dataset may have, its own first."""
    names: dict[str, None] = {name: None}
    if name in source.contents:
        stem = name.removesuffix(".gz")
        stems = dict.fromkeys((stem, stem.replace("-idx", ".idx")))
        names |= dict.fromkeys(f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES)
    return names


def _folders(source: type[DatasetSource]) -> Iterator[Path]:
    """Yield folders of this dataset, whatever the case of their names: MNIST/raw, fashion-mnist.

    The files of the dataset that an archive contains are unpacked.
    """
    chosen = [Path(each) for each in os.environ.get(DATA, "").split(os.pathsep) if each]
    for parent in (*chosen, *SYSTEM_FOLDERS):
        with contextlib.suppress(OSError, RuntimeError):  # it is missing, or there is no home
            for folder in sorted(parent.expanduser().iterdir()):
                if _plain(folder.name) == _plain(source.name):
                    yield folder
                    yield folder / "raw"  # as torchvision has it
    yield from chosen  # it may be the folder of the dataset itself
    names = {spelling for file in source.files for spelling in _spellings(source, file)}
    for path in filter(is_archive, chosen):
        unpacked_folder = unpacked(path, names)
        if unpacked_folder is not None:
            yield unpacked_folder


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def open_content(path: Path) -> IO[bytes]:
    """Open a file for reading what it holds, decompressed if it begins like a compressed file."""
    with path.open("rb") as file:
        head = file.read(6)
    for magic, opener in _OPENERS.items():
        if head.startswith(magic):
            content: IO[bytes] = opener(path)
            return content
    return path.open("rb")


def _sha256(path: Path) -> str | None:
    """Return the SHA-256 of a file, or None if the file is missing or unreadable."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return None


def _content_sha256(path: Path) -> str | None:
    """Return the SHA-256 of what a file holds, or None if it cannot be decompressed."""
    with contextlib.suppress(*_DAMAGED), open_content(path) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
    return None
