"""Tables: a data frame, or a dict of columns, as the inputs and targets of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from optbench.contracts import Array, Task
from optbench.data.columns import check_column, check_texts, encode_columns, guess_task
from optbench.data.table_values import is_missing
from optbench.errors import ConfigError, unknown_name
from optbench.support.text import count

USUAL_TARGETS = ("target", "label", "class", "y")
"""Names of columns that are the target where none is named."""
PARTS = ("train", "test")
"""Texts of a column that says which part a row belongs to."""


class Table(NamedTuple):
    """The inputs and targets of a table.

    Attributes:
        x: Inputs, shape (n, n_features), float64; NaN where a value is missing.
        y: Targets, shape (n,): numbers, texts or truth values, nothing missing.
        in_test: Whether each row belongs to the test part, shape (n,); None if the table does not
            say.
        task: Task that the targets mean, or the one that was given.
        notes: What was understood and done, one sentence each.
    """

    x: Array
    y: Array
    in_test: Array | None
    task: Task
    notes: tuple[str, ...]


def is_table(item: object) -> bool:
    """Return whether `item` is a dict of columns, or a data frame of pandas or the like."""
    if isinstance(item, dict):
        return not is_bunch(item)
    return not isinstance(item, type) and hasattr(item, "columns") and hasattr(item, "__getitem__")


def is_bunch(item: object) -> bool:
    """Return whether `item` is a bunch, as scikit-learn's ``load_*`` and ``fetch_*`` return it."""
    return isinstance(item, dict) and hasattr(item, "data") and hasattr(item, "target")


def read_table(
    table: Any,
    y: Any = None,
    *,
    target: str | None = None,
    split: str | None = None,
    task: Task | None = None,
) -> Table:
    """Return the inputs and targets of a table.

    Args:
        table: Data frame, or dict of columns.
        y: Targets, shape (n,). Defaults to the column `target`.
        target: Name of the target column. By default the single one that is called ``target``,
            ``label``, ``class`` or ``y``.
        split: Name of a column that has ``"train"`` or ``"test"`` in each row.
        task: Task; by default `guess_task` of the targets.

    Raises:
        ConfigError: A column does not exist or cannot be encoded.

    Example:
        >>> rows = {"size": [1.0, 2.0, 3.0], "town": ["Rome", "Oslo", "Rome"], "price": [0.5, 2, 1]}
        >>> read_table(rows, target="price").x.shape, read_table(rows, target="price").task
        ((3, 3), 'regression')
    """
    names = list(table if isinstance(table, dict) else table.columns)
    columns = {str(name): np.asarray(table[name]) for name in names}
    name = "y"
    if y is None:
        name = _target_name(target, columns)
        y = columns.pop(name)
    labels = _labels(name, y)
    parts = None if split is None else columns.pop(_known(split, list(columns)))
    if not columns:
        raise ConfigError("a table needs a column beside its target")
    if any(len(values) != len(labels) for values in columns.values()):
        raise ConfigError(
            f"the columns of the table and the {len(labels)} targets differ in length"
        )
    present = ~np.array([is_missing(value) for value in labels.tolist()], dtype=bool)
    rows = {key: values[present] for key, values in columns.items()}
    x, notes = encode_columns(rows)
    labels = _labels(name, labels[present].tolist())
    guessed, reason = guess_task(labels)
    said = (
        f"the target is {name}, with {reason}: {task or guessed}",
        *_left_out(name, int((~present).sum())),
        *notes,
    )
    in_test = None if split is None or parts is None else _in_test(split, parts[present])
    return Table(x, labels, in_test, task or guessed, said)


def describe_columns(columns: Mapping[str, Array]) -> str:
    """Return the columns of a table with what each of them holds, on one line.

    Example:
        >>> describe_columns({"size": np.array([1.0]), "town": np.array(["Oslo"])})
        'size (numbers), town (texts)'
    """
    return ", ".join(f"{name} ({_content(values)})" for name, values in columns.items())


def _content(values: Array) -> str:
    try:
        checked = check_column("", values)
    except ConfigError as problem:
        return str(problem).removeprefix("column '' has ").partition(",")[0].partition(";")[0]
    return "texts" if checked.dtype.kind == "O" else "numbers"


def _known(name: str, names: Sequence[str]) -> str:
    if name not in names:
        raise unknown_name("column", name, names)
    return name


def _target_name(target: str | None, columns: Mapping[str, Array]) -> str:
    """Return the name of the target column, as given or by its usual name."""
    if target is not None:
        return _known(target, list(columns))
    usual = [name for name in columns if name.lower() in USUAL_TARGETS]
    if len(usual) == 1:
        return usual[0]
    raise ConfigError(
        "name the column to predict, with target='COLUMN' (--target COLUMN on the command line); "
        f"columns: {describe_columns(columns)}"
    )


def _labels(name: str, values: Any) -> Array:
    """Return targets as an array of one dtype if none of them is missing, or else of objects.

    Raises:
        ConfigError: They are dates, or neither numbers, texts nor truth values.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise ConfigError(f"the targets of a table have shape (n,), not {array.shape}")
    if array.dtype.kind == "U" or all(isinstance(value, str) for value in array.tolist()):
        check_texts(name, array.tolist())
    if array.dtype.kind in ("b", "U") or (array.dtype.kind in "iuf" and not np.isnan(array).any()):
        return array
    if array.dtype.kind == "O" and all(isinstance(value, str | bool) for value in array.tolist()):
        return np.array(array.tolist())
    check_column(name, array)
    return array.astype(object)


def _left_out(target: str, rows: int) -> list[str]:
    return [f"{count(rows, 'row')} without a value of {target} left out"] if rows else []


def _in_test(split: str, values: Array) -> Array:
    """Return whether each row is in the test part.

    Raises:
        ConfigError: A value is neither "train" nor "test", or one of the two does not occur.
    """
    texts = [str(value).strip().lower() for value in values.tolist()]
    for text in texts:
        if text not in PARTS:
            raise ConfigError(f"column '{split}' has '{text}'; split needs train or test in it")
    for part in PARTS:
        if part not in texts:
            raise ConfigError(f"column '{split}' has no row of the {part} part")
    return np.array([text == "test" for text in texts])
