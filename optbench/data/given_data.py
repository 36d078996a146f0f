"""Datasets made from in-memory arrays or data frames."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Sequence
from typing import Any, ClassVar, get_args

import numpy as np

from optbench.contracts import Array, DatasetSource, Task
from optbench.data.data_tables import is_bunch, is_table, read_table
from optbench.data.table_values import (
    TableValueError,
    as_array,
    finite_numbers,
    is_missing,
    shape_fault,
)
from optbench.errors import ConfigError, suggest_arguments, unknown_name
from optbench.hyperparameters import parse_spelling
from optbench.records import spell
from optbench.registry.dataset_values import is_file_name
from optbench.registry.declared_values import LONGEST_NAME, is_name, short_repr
from optbench.support.text import count

DatasetLike = Any
"""A name, the name of a file, a DatasetSource class, a pair of arrays ``(x, y)``, a data frame or
dict of columns, or a scikit-learn bunch."""


class GivenDataset(DatasetSource):
    """Base class of the datasets that `make_dataset` creates from arrays."""

    x: Array
    y: Array
    in_test: ClassVar[Array | None] = None
    """Whether each row belongs to the test part, shape (n,), where the data says so."""

    def load(self) -> tuple[Array, Array] | tuple[Array, Array, Array, Array]:
        """Return the arrays."""
        x, y, test = type(self).x, type(self).y, type(self).in_test
        return (x, y) if test is None else (x[~test], y[~test], x[test], y[test])


_made: weakref.WeakValueDictionary[tuple[str, str], type[GivenDataset]] = (
    weakref.WeakValueDictionary()
)
"""Classes by name and digest, for as long as they are referenced."""


@suggest_arguments
def make_dataset(
    x: Any,
    y: Any = None,
    *,
    target: str | None = None,
    split: str | None = None,
    name: str = "",
    task: Task | None = None,
    standardize: bool = True,
) -> type[DatasetSource]:
    """Return a dataset made from arrays or a table, for use in place of a dataset name.

    In a table, text columns are one-hot encoded, missing numbers are replaced by the median of the
    training part, and rows without a target are left out. The attribute ``notes`` of the result
    says what was done.

    Args:
        x: Inputs, shape (n, n_features) or (n,), finite numbers, n at least 10; or a table: a data
            frame, or a dict of columns.
        y: Labels or targets, shape (n,), or (n, n_outputs) for regression. Defaults to the column
            `target` of a table.
        target: Name of the target column of a table. By default the single one that is called
            ``target``, ``label``, ``class`` or ``y``.
        split: Name of a column of a table that has ``"train"`` or ``"test"`` in each row. By
            default, rows are split at random, stratified by class.
        name: Name in kebab-case. Defaults to ``"data-"`` followed by digits of a content hash.
        task: ``"multiclass"``, ``"binary"`` or ``"regression"``. By default, floating-point
            targets mean regression; integers, strings and booleans are class labels. Where 0.0
            and 1.0 are the only targets, or the targets are one-hot, it has to be given. In a
            table, whole numbers are class labels if there are at most 20 different ones.
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
    if isinstance(x, str):
        raise ConfigError(
            f"{short_repr(x)} is a name; every function that takes a dataset takes it as it is, "
            "and make_dataset takes arrays or a table"
        )
    if task is not None and task not in get_args(Task):
        raise unknown_name("task", task, get_args(Task))
    in_test: Array | None = None
    notes: tuple[str, ...] = ()
    if is_table(x):
        x, y, in_test, task, notes = read_table(x, y, target=target, split=split, task=task)
    elif target is not None or split is not None:
        option = f"split='{split}'" if target is None else f"target='{target}'"
        raise ConfigError(f"{option} names a column, but the data is not a data frame")
    if y is None:
        raise ConfigError("a dataset needs labels or targets: a pair of arrays (x, y)")
    inputs, labels = x if notes else _numbers("x", x), _array("y", y)
    inputs = inputs.reshape(-1, 1) if inputs.ndim == 1 else inputs
    if fault := shape_fault(inputs, labels):
        raise ConfigError(fault)
    chosen = task or _task_of(labels)
    if chosen == "regression" and labels.dtype.kind in "OU" and isinstance(labels.flat[0], str):
        raise ConfigError(
            f"the targets are texts, such as {short_repr(str(labels.flat[0]))}; task='regression' "
            "needs numbers"
        )
    targets = _numbers("y", labels) if chosen == "regression" else _class_numbers(labels, chosen)
    digest = _digest(inputs, targets, in_test, chosen, standardize)
    name = name or f"data-{digest[:8]}"
    if not is_name(name):
        raise ConfigError(
            f"dataset name {short_repr(name)} is not allowed; kebab-case, of at most "
            f"{LONGEST_NAME} characters"
        )
    made = _made.get((name, digest))
    if made is None:
        features = count(inputs.shape[1], "feature")
        attributes = {
            "__doc__": f"{len(inputs)} examples with {features}, from memory.",
            "__module__": __name__,
            "name": name,
            "task": chosen,
            "standardize": standardize,
            "missing": "median" if np.isnan(inputs).any() else "refuse",
            "notes": notes,
            "source": "given in memory",
            "x": inputs,
            "y": targets,
            "in_test": in_test,
        }
        made = _made[name, digest] = type("GivenDataset", (GivenDataset,), attributes)
    return made


def as_dataset(dataset: DatasetLike, target: str | None = None) -> str | type[DatasetSource]:
    """Convert anything accepted as a dataset to a dataset name or class.

    Args:
        dataset: A name, the name of a file, a DatasetSource class, a pair of arrays, a data frame
            or dict of columns, or a scikit-learn bunch.
        target: Name of the target column of a file or a table.

    Raises:
        ConfigError: If `make_dataset` rejects the arrays or the table.

    Example:
        >>> as_dataset("houses.csv", target="price")
        'houses.csv[target=price]'
    """
    if isinstance(dataset, str):
        return dataset if target is None else with_target(dataset, target)
    if is_bunch(dataset):
        return make_dataset(np.asarray(dataset.data), np.asarray(dataset.target))
    if is_table(dataset):
        return make_dataset(dataset, target=target)
    if is_pair(dataset):
        return make_dataset(*dataset)
    return dataset  # type: ignore[no-any-return]  # checked at lookup


def check_target(datasets: Sequence[DatasetLike], target: str) -> None:
    """Refuse a target column that none of the datasets takes.

    Args:
        datasets: What `as_dataset` accepts.
        target: Name of the column.

    Raises:
        ConfigError: None of them is a file or a table of columns.

    Example:
        >>> check_target(["iris", "houses.csv"], "price")
    """
    for item in datasets:
        if is_file_name(parse_spelling(item)[0]) if isinstance(item, str) else is_table(item):
            return
    raise ConfigError(
        f"target '{target}' is a column of a file or a table: give one as a dataset (-d houses.csv)"
    )


def with_target(dataset: str, target: str) -> str:
    """Return the spelling of a dataset; a file gets the target column, unless it names one.

    Args:
        dataset: Name of a dataset or of a file, values in brackets allowed.
        target: Name of the column.
    """
    name, values = parse_spelling(dataset)
    if not is_file_name(name) or "target" in values:
        return dataset
    return spell(name, {"target": target, **values})


def is_pair(item: object) -> bool:
    """Return whether `item` is a pair of arrays or lists."""
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and all(isinstance(part, list) or hasattr(part, "__array__") for part in item)
    )


def _numbers(what: str, values: Any) -> Array:
    """Return a copy of an array as float64.

    Raises:
        ConfigError: If the values are not all finite numbers.
    """
    try:
        return np.array(finite_numbers(values, what), dtype=float)
    except TableValueError as cause:
        raise ConfigError(str(cause)) from None


def _array(what: str, values: Any) -> Array:
    try:
        return as_array(values, what)
    except TableValueError as cause:
        raise ConfigError(str(cause)) from None


def _task_of(labels: Array) -> Task:
    """Return the task that the dtype and the shape of targets mean.

    Raises:
        ConfigError: They may be classes or numbers.
    """
    if labels.ndim == 2 and labels.shape[1] > 1 and _is_one_hot(labels):
        raise ConfigError(
            "y has one column for each class; pass y.argmax(axis=1), or task='regression' if the "
            "columns are numbers"
        )
    if labels.ndim == 1 and labels.dtype.kind == "f" and set(labels.tolist()) == {0.0, 1.0}:
        raise ConfigError(
            "y has the numbers 0.0 and 1.0 only; pass task='binary' to make_dataset if they are "
            "classes, and task='regression' if not"
        )
    if labels.dtype.kind == "f" or labels.ndim > 1:
        return "regression"
    distinct = len(set(labels.tolist()))
    if labels.dtype.kind in "iu" and distinct > len(labels) / 2:
        raise ConfigError(
            f"y has {distinct} different whole numbers in {len(labels)} examples; "
            "pass task='regression' if they are not classes"
        )
    return "binary" if distinct == 2 else "multiclass"


def _is_one_hot(labels: Array) -> bool:
    """Return whether each row has a single 1, and 0 elsewhere."""
    return labels.dtype.kind in "fiub" and bool(
        np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
    )


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


def _digest(x: Array, y: Array, in_test: Array | None, task: str, standardize: bool) -> str:
    digest = hashlib.sha256(f"{task}{standardize}{x.shape}{y.shape}{y.dtype}".encode())
    for part in (x, y) if in_test is None else (x, y, in_test):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
