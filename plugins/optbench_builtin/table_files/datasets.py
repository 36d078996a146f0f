"""The dataset in a file, from its name and the values in brackets."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optbench
from optbench import ConfigError, DatasetSource, Value
from optbench_builtin.table_files.readers import READERS, read_columns

VALUES = ("target", "task", "split")
"""Values that may stand in brackets."""


def dataset_in_file(name: str, values: Mapping[str, Value]) -> type[DatasetSource] | None:
    """Return the dataset in a file, or None if its suffix is not one of `READERS`.

    Args:
        name: Path of the file, relative to the current folder.
        values: ``target``, ``task`` and ``split``, as `optbench.make_dataset` takes them.

    Raises:
        ConfigError: There is no such file, or it cannot be understood.
    """
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"there is no file {name}{_nearest(path)}")
    if path.suffix.lower() not in READERS:
        return None
    for key in values:
        if key not in VALUES:
            raise ConfigError(
                f"{name}: unknown value '{key}'; allowed: {', '.join(VALUES)}, train_size"
            )
    status = path.stat()
    texts = tuple((key, str(value)) for key, value in values.items())
    return _dataset(path.resolve(), name, texts, (status.st_mtime_ns, status.st_size))


@functools.lru_cache(maxsize=16)
def _dataset(
    path: Path, name: str, values: tuple[tuple[str, str], ...], _version: tuple[int, int]
) -> type[DatasetSource]:
    """Return the dataset in a file; read again once the file has changed."""
    given: dict[str, Any] = dict(values)
    columns = read_columns(path)
    try:
        made = optbench.make_dataset(columns, **given)
    except ConfigError as problem:
        raise ConfigError(f"{name}: {problem}") from None
    attributes = {
        "__doc__": f"{len(next(iter(columns.values())))} rows of {path.name}.",
        "__module__": made.__module__,
        "source": f"the file {path.name}",
    }
    return type("DatasetInFile", (made,), attributes)


def _nearest(path: Path) -> str:
    """Return the file of the same folder with the nearest name, as a question."""
    folder = path.parent
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean '{folder / near[0]}'?" if near else f" in {folder.resolve()}"
