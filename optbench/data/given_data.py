"""Datasets made from in-memory arrays or data frames."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from optbench.contracts import Array, DatasetSource, Task
from optbench.data.table_values import TableValueError, finite_numbers, is_missing
from optbench.errors import ConfigError, unknown_name
from optbench.registry.validation import LONGEST_NAME, is_name, short_repr

DatasetLike = Any
"""A name, a DatasetSource class, a pair of arrays ``(x, y)``, or a data frame."""


class GivenDataset(DatasetSource):
    """Base class of the datasets that `make_dataset` creates from arrays."""

    x: Array
    y: Array

    def load(self) -> tuple[Array, Array]:
        """Return the arrays."""
        return type(self).x, type(self).y


_made: weakref.WeakValueDictionary[tuple[str, str], type[GivenDataset]] = (
    weakref.WeakValueDictionary()
)
"""Classes by name and digest, for as long as they are referenced."""


def make_dataset(
    x: Any,
    y: Any = None,
    *,
    target: str | None = None,
    name: str = "",
    task: Task | None = None,
    standardize: bool = True,
) -> type[DatasetSource]:
    """Return a dataset made from arrays or a data frame, for use in place of a dataset name.

    Args:
        x: Inputs, shape (n, n_features) or (n,), finite numbers, n at least 10; or a data frame,
            in which text columns are one-hot encoded.
        y: Labels or targets, shape (n,), or (n, n_outputs) for regression. Defaults to the column
            `target` of a data frame.
        target: Name of the target column of a data frame.
        name: Name in kebab-case. Defaults to ``"data-"`` followed by digits of a content hash.
        task: ``"multiclass"``, ``"binary"`` or ``"regression"``. By default, floating-point
            targets mean regression; integers, strings and booleans are class labels.
        standardize: Whether to scale each input to mean 0 and variance 1 on the training part.

    Returns:
        A `DatasetSource` class. Equal content returns the same class.

    Raises:
        ConfigError: If shapes do not match, values are missing, or a column is unknown.

    Example:
        >>> import numpy as np
        >>> import optbench
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> circle = optbench.make_dataset(x, (x**2).sum(axis=1) < 1.4, name="circle")
        >>> optbench.train("adam", dataset=circle, epochs=5).status
        <Status.OK: 'ok'>
    """
    if is_frame(x):
        x, y = _split_frame(x, y, target)
    elif target is not None:
        raise ConfigError(f"target='{target}' names a column, but the data is not a data frame")
    if y is None:
        raise ConfigError("a dataset needs labels or targets: a pair of arrays (x, y)")
    inputs, labels = _numbers("x", x), np.asarray(y)
    inputs = inputs.reshape(-1, 1) if inputs.ndim == 1 else inputs
    if inputs.ndim != 2 or labels.shape[:1] != inputs.shape[:1] or len(inputs) < 10:
        raise ConfigError(
            f"inputs of shape {inputs.shape} and targets of shape {labels.shape} do not fit; "
            "inputs are (n, n_features) with n >= 10"
        )
    if task is not None and task not in get_args(Task):
        raise unknown_name("task", task, get_args(Task))
    chosen = task or _task_of(labels)
    targets = _numbers("y", labels) if chosen == "regression" else _class_numbers(labels, chosen)
    digest = _digest(inputs, targets, chosen, standardize)
    name = name or f"data-{digest[:8]}"
    if not is_name(name):
        raise ConfigError(
            f"dataset name {short_repr(name)} is not allowed; kebab-case, of at most "
            f"{LONGEST_NAME} characters"
        )
    made = _made.get((name, digest))
    if made is None:
        attributes = {
            "__doc__": f"{len(inputs)} examples with {inputs.shape[1]} features, from memory.",
            "__module__": __name__,
            "name": name,
            "task": chosen,
            "standardize": standardize,
            "source": "given in memory",
            "x": inputs,
            "y": targets,
        }
        made = _made[name, digest] = type("GivenDataset", (GivenDataset,), attributes)
    return made


def as_dataset(dataset: DatasetLike, target: str | None = None) -> str | type[DatasetSource]:
    """Convert anything accepted as a dataset to a dataset name or class.

    Args:
        dataset: A name, a DatasetSource class, a pair of arrays, or a data frame.
        target: Name of the target column of a data frame.

    Raises:
        ConfigError: If `make_dataset` rejects the arrays or the data frame.
    """
    if is_frame(dataset):
        return make_dataset(dataset, target=target)
    if is_pair(dataset):
        return make_dataset(*dataset)
    return dataset  # type: ignore[no-any-return]  # checked at lookup


def is_pair(item: object) -> bool:
    """Return whether `item` is a pair of arrays or lists."""
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and all(isinstance(part, list) or hasattr(part, "__array__") for part in item)
    )


def is_frame(item: object) -> bool:
    """Return whether `item` is a data frame, from pandas or a library with a similar interface."""
    return not isinstance(item, type) and hasattr(item, "columns") and hasattr(item, "__getitem__")


def _split_frame(frame: Any, y: Any, target: str | None) -> tuple[Array, Any]:
    """Return the inputs and targets of a data frame.

    Raises:
        ConfigError: If the target column does not exist, or a value is missing.
    """
    columns = list(frame.columns)
    if y is None:
        if target is None:
            raise ConfigError(
                "a data frame needs target='COLUMN', the column that is predicted; columns: "
                + ", ".join(map(str, columns))
            )
        if target not in columns:
            raise unknown_name("column", target, map(str, columns))
        columns.remove(target)
        y = _column(frame, target)
    if not columns:
        raise ConfigError("a data frame needs a column beside its target")
    return np.column_stack([_encoded(_column(frame, name)) for name in columns]), y


def _column(frame: Any, name: str) -> Array:
    values = np.asarray(frame[name])
    if values.dtype.kind == "O":
        missing = [is_missing(value) for value in values.tolist()]
        if any(missing):
            raise ConfigError(f"column '{name}' has {sum(missing)} missing values")
        values = np.asarray(values.tolist())
    if values.dtype.kind not in "fiubU":
        raise ConfigError(
            f"column '{name}' has values of type {values.dtype}, not numbers or words"
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ConfigError(f"column '{name}' has values that are missing or infinite")
    return values


def _encoded(values: Array) -> Array:
    """Return a numeric column as floats, or the one-hot encoding of a text column."""
    if values.dtype.kind != "U":
        return values.astype(float)
    columns: Array = values[:, None] == np.unique(values)
    return columns.astype(float)


def _numbers(what: str, values: Any) -> Array:
    """Return a copy of an array as float64.

    Raises:
        ConfigError: If the values are not all finite numbers.
    """
    try:
        return np.array(finite_numbers(values, what), dtype=float)
    except TableValueError as cause:
        raise ConfigError(str(cause)) from None


def _task_of(labels: Array) -> Task:
    if labels.dtype.kind == "f" or labels.ndim > 1:
        return "regression"
    distinct = len(set(labels.tolist()))
    if labels.dtype.kind in "iu" and distinct > len(labels) / 2:
        raise ConfigError(
            f"y has {distinct} different whole numbers in {len(labels)} examples; "
            "pass task='regression' if they are not classes"
        )
    return "binary" if distinct == 2 else "multiclass"


def _class_numbers(labels: Array, task: Task) -> Array:
    """Encode labels as class indices from 0, in sorted order of the labels.

    Raises:
        ConfigError: If the labels have several columns or missing values, or if the number of
            classes does not match the task.
    """
    values: Sequence[Any] = labels.tolist()
    if labels.ndim != 1 or any(map(is_missing, values)):
        raise ConfigError("the labels of classes are one column, without missing values")
    classes = sorted(set(values), key=lambda value: (str(type(value)), value))
    if len(classes) < 2 or (task == "binary" and len(classes) > 2):
        raise ConfigError(
            f"y has {len(classes)} classes; {task} needs "
            + ("two" if task == "binary" else "two or more")
        )
    number = {label: index for index, label in enumerate(classes)}
    return np.array([number[value] for value in values])


def _digest(x: Array, y: Array, task: str, standardize: bool) -> str:
    digest = hashlib.sha256(f"{task}{standardize}{x.shape}{y.shape}{y.dtype}".encode())
    for part in (x, y):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
