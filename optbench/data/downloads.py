"""Fetches the files that a dataset names, from its mirrors into the cache folder.

A file counts only under its sha256, whoever put it there: this module, another process, or the
user by hand. It is written beside its place and moved there once it is whole and right, so that a
broken download is never met and two processes that fetch at once do not harm each other.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optbench.contracts import DatasetSource
from optbench.data.cache import cache_folder
from optbench.errors import ConfigError

MIRRORS = "OPTBENCH_MIRRORS"
"""Addresses to try before the dataset's own, each with a folder for each dataset."""
SECONDS = 20
"""How long a mirror may be silent before the next one is asked."""
CHUNK = 2**16


def fetch_files(source: type[DatasetSource]) -> dict[str, Path]:
    """Where the files of a dataset are on this machine, downloaded if need be.

    Args:
        source: names its files with their sha256 in ``files``, and in ``mirrors`` the addresses
            of folders that have them.

    Returns:
        The path of each file, in the order of ``files``.

    Raises:
        ConfigError: no mirror gives a file with the right sha256; the message says which were
            tried and where to put the file by hand. Or the folder cannot be written.
    """
    folder = download_folder(source)
    return {
        name: _fetch(source, name, wanted.lower(), folder / name)
        for name, wanted in source.files.items()
    }


def download_folder(source: type[DatasetSource]) -> Path:
    """Where the files of a dataset are kept, and looked for first."""
    return cache_folder() / "downloads" / source.name


def missing_files(source: type[DatasetSource]) -> list[str]:
    """The files of a dataset that would have to be downloaded; their contents are not checked."""
    folder = download_folder(source)
    return [name for name in source.files if not (folder / name).is_file()]


def _fetch(source: type[DatasetSource], name: str, wanted: str, path: Path) -> Path:
    present = _sha256(path)
    if present == wanted:
        return path
    tried = [f"{path}: its sha256 is {present}"] if present else []
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
        f"or name a mirror in {MIRRORS}"
    )


def _sha256(path: Path) -> str | None:
    """The hash of a file; None if there is none, or none that can be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _addresses(source: type[DatasetSource], name: str) -> list[str]:
    chosen = os.environ.get(MIRRORS, "").split()
    for mirror in chosen:
        if not mirror.startswith(("http://", "https://")):
            raise ConfigError(
                f"{MIRRORS}: '{mirror}' is no address; write http://... or https://..., "
                "with spaces between several"
            )
    folders = [f"{mirror.rstrip('/')}/{source.name}" for mirror in chosen]
    return [f"{folder.rstrip('/')}/{name}" for folder in (*folders, *source.mirrors)]


def _download(address: str, name: str, wanted: str, path: Path) -> str | None:
    """Put the file at this address in its place; what kept it from getting there, if anything."""
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
    """Why a mirror did not give a file, without the half page that some of these say."""
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
    # A ValueError is pooch's word on a wrong hash: which was expected and which found, then more.
    return str(problem).partition(". ")[0]


@contextlib.contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Without pooch's own lines about each attempt: an error names them all."""
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
    """A bar for one file on stderr; nothing where stderr is no terminal."""
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
    """A task of rich with the four names that pooch uses of a bar."""

    def __init__(self, progress: Any, task: Any) -> None:
        self._progress = progress
        self._task = task
        self.total = 0

    def update(self, n: int) -> None:
        """So many bytes more. A server need not say how many there are."""
        self._progress.update(self._task, total=self.total or None, advance=n)

    def reset(self) -> None:
        """Back to the start, where pooch goes once more before the end."""
        self._progress.reset(self._task)

    def close(self) -> None:
        """Nothing to do: the bar ends with its context."""
