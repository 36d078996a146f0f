"""Datasets made from arrays or a data frame that the user has in memory."""

from __future__ import annotations

import hashlib
import math
import weakref
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from optbench.contracts import Array, DatasetSource, Task
from optbench.errors import ConfigError, unknown_name
from optbench.registry.validation import LONGEST_NAME, is_name, short_repr

DatasetLike = Any
"""A name, a DatasetSource class, a pair of arrays ``(x, y)``, or a data frame."""


class GivenDataset(DatasetSource):
    """Arrays that the user has given; made by `make_dataset`."""

    x: Array
    y: Array

    def load(self) -> tuple[Array, Array]:
        """Return the arrays."""
        return type(self).x, type(self).y


_made: weakref.WeakValueDictionary[tuple[str, str], type[GivenDataset]] = (
    weakref.WeakValueDictionary()
)
"""Classes by name and digest, while somebody uses them."""


def make_dataset(
    x: Any,
    y: Any = None,
    *,
    target: str | None = None,
    name: str = "",
    task: Task | None = None,
    standardize: bool = True,
) -> type[DatasetSource]:
    """Return a dataset made from arrays or a data frame, to be passed instead of a name.

    Args:
        x: Inputs, shape (n, n_features) or (n,), finite numbers, n at least 10; or a data frame,
            whose columns of words become one column of zeros and ones for each word.
        y: Labels or targets, shape (n,), or (n, n_outputs) for a regression; of a data frame, the
            column `target` if it is not given.
        target: Name of the column that is predicted, for a data frame.
        name: Name in kebab-case; by default ``"data-"`` and digits of a hash of the content.
        task: ``"multiclass"``, ``"binary"`` or ``"regression"``. By default, real numbers are a
            regression, and whole numbers, words and truth values are classes.
        standardize: Scale each input to mean 0 and variance 1 on the training part.

    Returns:
        A `DatasetSource` class. Equal content gives the same class.

    Raises:
        ConfigError: Shapes that do not fit, missing values, or an unknown column.

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
    """Return a name or a class for whatever stands for a dataset.

    Args:
        dataset: A name, a DatasetSource class, a pair of arrays, or a data frame.
        target: Column that is predicted, for a data frame.

    Raises:
        ConfigError: Arrays or a frame that `make_dataset` refuses.
    """
    if is_frame(dataset):
        return make_dataset(dataset, target=target)
    if is_pair(dataset):
        return make_dataset(*dataset)
    return dataset  # type: ignore[no-any-return]  # checked where it is looked up


def is_pair(item: object) -> bool:
    """Return whether it is a pair of arrays, and not a tuple of other things."""
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and all(isinstance(part, list) or hasattr(part, "__array__") for part in item)
    )


def is_frame(item: object) -> bool:
    """Return whether it is a data frame, of pandas or any library with the same columns."""
    return not isinstance(item, type) and hasattr(item, "columns") and hasattr(item, "__getitem__")


def _split_frame(frame: Any, y: Any, target: str | None) -> tuple[Array, Any]:
    """Inputs and targets of a data frame.

    Raises:
        ConfigError: There is no such column, or a value is missing.
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
        missing = [_is_missing(value) for value in values.tolist()]
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


def _is_missing(value: object) -> bool:
    """Whether it stands for a missing value: None, NaN, or pandas' own NA and NaT."""
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def _encoded(values: Array) -> Array:
    """A column as it is; one of words as zeros and ones, a column for each word."""
    if values.dtype.kind != "U":
        return values.astype(float)
    columns: Array = values[:, None] == np.unique(values)
    return columns.astype(float)


def _numbers(what: str, values: Any) -> Array:
    """A copy of an array as float64.

    Raises:
        ConfigError: It does not have finite numbers only.
    """
    try:
        numbers = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise ConfigError(f"{what} must be an array of numbers, not {short_repr(values)}") from None
    if not np.isfinite(numbers).all():
        raise ConfigError(f"{what} has values that are missing or infinite")
    return numbers


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
    """Classes counted from 0, in the order of the labels.

    Raises:
        ConfigError: Labels of several columns, missing ones, or a number of classes that does not
            fit the task.
    """
    values: Sequence[Any] = labels.tolist()
    if labels.ndim != 1 or any(map(_is_missing, values)):
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
