"""Columns of a file by name, for each kind of file.

CSV is read with Python's own parser, so that the numbers do not depend on what else is installed.
"""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optbench import Array, ConfigError

Columns = dict[str, Array]

MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
"""Texts of a CSV file, in lower case, that stand for a missing value."""
MOST_BYTES = 1024**3
"""Largest file that is read."""


def read_csv(path: Path) -> Columns:
    """Return the columns of a text file with commas, semicolons or tabs between the values.

    The first line has the names of the columns. Where it has numbers only, it is a row like the
    others, and the columns are called ``column1``, ``column2``, ...
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(",;\t", key=first.count)
            rows = [row for row in csv.reader(file, delimiter=separator) if any(row)]
    except (csv.Error, UnicodeDecodeError) as cause:
        with path.open("rb") as file:
            is_wide = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        raise ConfigError(
            f"{path} is not a text file in UTF-8: {cause}; save it as CSV in UTF-8, or convert it: "
            f"iconv -f {'utf-16' if is_wide else 'latin1'} -t utf-8 OLD > NEW"
        ) from None
    if len(rows) < 2:
        raise ConfigError(f"{path} has no rows below the names of its columns")
    names = [name.strip() for name in rows[0]]
    if all(_number(name) is not None for name in names):
        names = [f"column{number}" for number in range(1, len(names) + 1)]
    else:
        del rows[0]
    _check_names(path, names)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ConfigError(
                f"{path}: row {number} has {len(row)} values, and there are {len(names)} columns"
            )
    return {
        name: _column(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }


def read_parquet(path: Path) -> Columns:
    """Return the columns of a Parquet file; pyarrow reads it."""
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError:
        raise ConfigError(
            f"{path}: Parquet files need pyarrow: pip install 'optbench[parquet]'"
        ) from None
    try:
        table = parquet.read_table(path)
    except ArrowInvalid as cause:
        raise ConfigError(f"{path} is not a Parquet file: {cause}") from None
    return {name: np.array(table[name].to_pylist()) for name in table.column_names}


def read_arff(path: Path) -> Columns:
    """Return the columns of an ARFF file of numbers and nominal values, as Weka and OpenML have."""
    from scipy.io import arff

    try:
        rows, meta = arff.loadarff(path)
    except (arff.ArffError, NotImplementedError, ValueError, StopIteration) as cause:
        raise ConfigError(f"{path} cannot be read as ARFF: {cause}") from None
    return {name: _nominal(rows[name]) for name in meta.names()}


def read_npz(path: Path) -> Columns:
    """Return the columns of ``x`` and the targets ``y`` of a NumPy archive.

    The columns are called ``x1``, ``x2``, ..., and the targets ``y``. Other arrays have one column.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except (ValueError, OSError, EOFError) as cause:
        raise ConfigError(f"{path} is not an archive of NumPy: {cause}") from None
    columns: Columns = {}
    for name, array in arrays.items():
        flat = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
        if array.ndim < 2:
            columns[name] = flat[:, 0]
        else:
            columns |= {f"{name}{i}": column for i, column in enumerate(flat.T, start=1)}
    return columns


READERS: dict[str, Callable[[Path], Columns]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
    ".arff": read_arff,
    ".npz": read_npz,
}
"""Function that reads each kind of file, by suffix."""


def read_columns(path: Path) -> Columns:
    """Return the columns of a file.

    Raises:
        ConfigError: The file is too large, is not of the kind that its suffix says, or its columns
            differ in length.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ConfigError(
            f"{path} has {size / 1024**3:.1f} GB; the limit is {MOST_BYTES / 1024**3:g} GB"
        )
    columns = READERS[path.suffix.lower()](path)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ConfigError(f"{path}: its columns differ in length: {sorted(lengths)}")
    return columns


def _check_names(path: Path, names: Sequence[str]) -> None:
    for name, group in itertools.groupby(sorted(names)):
        if not name:
            number = names.index("") + 1
            raise ConfigError(
                f"{path}: column {number} has no name; the first line has one for each"
                + (" (pandas leaves its row numbers out with index=False)" if number == 1 else "")
            )
        if len(list(group)) > 1:
            raise ConfigError(f"{path}: two columns are named '{name}'; rename one of them")


def _column(texts: Sequence[str]) -> Array:
    """Return a column of texts as numbers where all of them are, with NaN for missing ones."""
    values: list[Any] = [
        None if text.strip().lower() in MISSING else text.strip() for text in texts
    ]
    numbers = [None if value is None else _number(value) for value in values]
    if any(
        number is None and value is not None for number, value in zip(numbers, values, strict=True)
    ):
        return np.array(values, dtype=object)
    if None not in numbers and all(isinstance(number, int) for number in numbers):
        return np.array(numbers)
    return np.array([np.nan if number is None else number for number in numbers], dtype=float)


def _number(text: str) -> int | float | None:
    """Return a number written in ASCII digits, or None."""
    if not text.isascii() or "_" in text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _nominal(values: Array) -> Array:
    """Return a column of an ARFF file: numbers, or texts with None for missing ones."""
    if values.dtype.kind != "S":
        return values
    texts = [value.decode("utf-8", "replace") for value in values.tolist()]
    return np.array([None if text == "?" else text for text in texts], dtype=object)
