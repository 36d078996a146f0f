"""Downloads dataset files from mirrors into the cache folder, unless this machine has them.

A file is accepted only if its sha256 matches, or that of its decompressed content, even if another
process or the user put it there.
Downloads go to a temporary file that is moved into place once the hash has been verified, so that
partial downloads are never read and concurrent processes do not interfere with each other.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optbench.contracts import DatasetSource, family_of
from optbench.data.cache import cache_folder
from optbench.data.local_files import DATA, candidates, find_file
from optbench.errors import ConfigError

MIRRORS = "OPTBENCH_MIRRORS"
"""Environment variable with mirrors to try first, each with one folder per dataset."""
SECONDS = 20
"""Timeout of a mirror, in seconds, before the next one is tried."""
CHUNK = 2**16
"""Size of the chunks in which a file is downloaded, in bytes."""


def fetch_files(source: type[DatasetSource]) -> dict[str, Path]:
    """Return the local paths of a dataset's files, downloading those that are missing.

    Files are looked for in the folder of the downloads, in the folders of ``OPTBENCH_DATA``, in
    ``/usr/share/datasets`` and in the cache of Keras, each with a folder per dataset.

    Args:
        source: Dataset source. ``files`` maps file names to sha256 hashes, ``contents`` does so
            for their decompressed contents, and ``mirrors`` lists the addresses of folders that
            contain the files.

    Returns:
        The path of each file, in the order of ``files``. A file that was found on this machine may
        have another compression, and no suffix or another one.

    Raises:
        ConfigError: If no mirror has a file with the right sha256 (the message lists the mirrors
            tried and where to put the file by hand), or if the folder is not writable.

    Example:
        >>> import hashlib
        >>> import os
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from unittest.mock import patch
        >>> from optbench import DatasetSource, fetch_files
        >>> class Tiny(DatasetSource):
        ...     name = "tiny"
        ...     files = {"numbers.txt": hashlib.sha256(b"1 2 3").hexdigest()}
        ...     mirrors = ("https://example.org/tiny",)
        >>> with TemporaryDirectory() as folder, patch.dict(os.environ, OPTBENCH_DATA=folder):
        ...     Path(folder, "tiny").mkdir()
        ...     _ = Path(folder, "tiny", "numbers.txt").write_text("1 2 3")
        ...     fetch_files(Tiny)["numbers.txt"].read_text()
        '1 2 3'
    """
    folder = download_folder(source)
    return {
        name: _fetch(source, name, wanted.lower(), folder / name)
        for name, wanted in source.files.items()
    }


def download_folder(source: type[DatasetSource]) -> Path:
    """Return the folder that holds the downloaded files of a dataset."""
    return cache_folder() / "downloads" / family_of(source).name


def missing_files(source: type[DatasetSource]) -> list[str]:
    """Return the names of a dataset's files that are not on disk, without checking any hashes."""
    folder = download_folder(source)
    return [name for name in source.files if not any(candidates(source, name, folder))]


def _fetch(source: type[DatasetSource], name: str, wanted: str, path: Path) -> Path:
    present, tried = find_file(source, name, path.parent)
    if present is not None:
        return present
    with _quiet_pooch():
        for address in _addresses(source, name):
            problem = _download(address, name, wanted, path)
            if problem is None:
                return path
            tried.append(f"{address}: {problem}")
    others = [other for other in missing_files(source) if other != name]
    raise ConfigError(
        f"dataset '{source.name}' needs the file {name} with sha256 {wanted}; tried "
        f"{'; '.join(tried) or 'nothing, as it names no mirrors'}; put the file"
        f"{' (and ' + ', '.join(others) + ')' if others else ''} into {path.parent} by hand, "
        f"or name a folder that has it in {DATA} or a mirror in {MIRRORS}"
    )


def _addresses(source: type[DatasetSource], name: str) -> list[str]:
    chosen = os.environ.get(MIRRORS, "").split()
    for mirror in chosen:
        if not mirror.startswith(("http://", "https://")):
            raise ConfigError(
                f"{MIRRORS}: '{mirror}' is not an address; write http://... or https://..., "
                "with spaces between several"
            )
    folders = [f"{mirror.rstrip('/')}/{family_of(source).name}" for mirror in chosen]
    return [f"{folder.rstrip('/')}/{name}" for folder in (*folders, *source.mirrors)]


def _download(address: str, name: str, wanted: str, path: Path) -> str | None:
    """Download a file to `path`; return the reason for a failure, or None on success."""
    import pooch
    import requests

    try:
        with _progress(name) as bar:
            get = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK, timeout=SECONDS)
            pooch.retrieve(address, wanted, path.name, path.parent, downloader=get)
    except (requests.RequestException, ValueError) as problem:
        return _in_words(problem)
    except OSError as problem:
        raise ConfigError(
            f"{path} cannot be written: {problem.strerror or problem}; "
            "OPTBENCH_CACHE names another folder"
        ) from problem
    return None


def _in_words(problem: Exception) -> str:
    """Return a short reason for a failed download; the original messages can be very long."""
    import requests

    if isinstance(problem, requests.HTTPError) and problem.response is not None:
        return f"{problem.response.status_code} {problem.response.reason}"
    for kind, words in (
        (requests.Timeout, f"no answer in {SECONDS} seconds"),
        (requests.exceptions.SSLError, "no secure connection"),
        (requests.ConnectionError, "no connection"),
        (requests.exceptions.ChunkedEncodingError, "the connection broke off"),
    ):
        if isinstance(problem, kind):
            return words
    # pooch raises ValueError for a wrong hash; the first sentence has both hashes.
    return str(problem).partition(". ")[0]


@contextlib.contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Silence pooch's log lines; the final error lists all attempts."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Any]:
    """Show a progress bar for one file on stderr, if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield False
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, TransferSpeedColumn(), console=console, transient=True) as progress:
        yield _Bar(progress, progress.add_task(name, total=None))


class _Bar:
    """Adapter that gives a rich task the four members that pooch expects of a progress bar."""

    def __init__(self, progress: Any, task: Any) -> None:
        self._progress = progress
        self._task = task
        self.total = 0

    def update(self, n: int) -> None:
        """Advance by `n` bytes. The total stays unknown if the server does not send it."""
        self._progress.update(self._task, total=self.total or None, advance=n)

    def reset(self) -> None:
        """Reset to zero, as pooch does once before it completes the bar."""
        self._progress.reset(self._task)

    def close(self) -> None:
        """Do nothing; the bar closes with its context manager."""
