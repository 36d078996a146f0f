"""Numbers and class labels from arrays of any kind, or the first value that is neither.

Values are named as in NumPy, ``x[row, column]`` with both counted from 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from optbench.contracts import Array
from optbench.registry.declared_values import short_repr
from optbench.support.text import count, one_line, plural


class TableValueError(ValueError):
    """A value that cannot be trained on, named by its place."""


LEAST_ROWS = 10
"""Least number of examples in a dataset."""


def shape_fault(inputs: Array, targets: Array) -> str:
    """Return why arrays cannot be the inputs and targets of a dataset, or ''.

    Example:
        >>> shape_fault(np.zeros((2, 3)), np.zeros(2))
        '2 rows are too few; a dataset needs at least 10'
    """
    shapes = f"inputs of shape {inputs.shape} and targets of shape {targets.shape}"
    if inputs.ndim != 2 or targets.shape[:1] != inputs.shape[:1]:
        return f"{shapes} do not fit; inputs are (n, n_features), with n targets"
    if len(inputs) < LEAST_ROWS:
        rows = f"{count(len(inputs), 'row')} {plural(len(inputs), 'is', 'are')} too few"
        return f"{rows}; a dataset needs at least {LEAST_ROWS}"
    if not inputs.shape[1]:
        return f"{shapes} have no feature"
    return ""


def as_array(values: Any, name: str) -> Array:
    """Return an array of any library, or nested lists, as an array of NumPy.

    Args:
        values: Array or nested lists.
        name: Name of the array in messages, such as ``"x"``.

    Raises:
        TableValueError: It cannot be converted, such as a tensor on a graph or ragged lists.
    """
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as cause:
        raise TableValueError(
            f"{name} cannot become a NumPy array: {one_line(str(cause))}"
        ) from None


def finite_numbers(values: Any, name: str) -> Array:
    """Return an array as numbers, unchanged if it holds numbers already.

    Args:
        values: Array or nested lists.
        name: Name of the array in messages, such as ``"x"``.

    Raises:
        TableValueError: A value is not a finite number.

    Example:
        >>> finite_numbers([[1, 2], [3, 4]], "x")
        array([[1, 2],
               [3, 4]])
    """
    array = as_array(values, name)
    if array.dtype.kind not in "fiub":
        array = _from_objects(array, name)
    finite = np.isfinite(array)
    if not finite.all():
        others = int(array.size - finite.sum()) - 1
        more = (
            f", and {count(others, 'other value')} {plural(others, 'is', 'are')} not finite"
            if others
            else ""
        )
        place = np.argwhere(~finite)[0]
        raise TableValueError(
            f"{_place(name, place)} is {array[tuple(place)]}{more}; drop the "
            f"{plural(others + 1, 'row or fill the value', 'rows or fill the values')} in"
        )
    return array


def class_indices(parts: list[Array], name: str) -> list[Array]:
    """Return text labels as class indices, in sorted order of the text; others unchanged.

    Args:
        parts: Labels of the parts of a dataset, which share their classes.
        name: Name of the labels in messages.

    Raises:
        TableValueError: A label is missing.

    Example:
        >>> class_indices([np.array(["dog", "cat"]), np.array(["dog"])], "y")
        [array([1, 0]), array([1])]
    """
    parts = [np.array(part.tolist()) if part.dtype == object else part for part in parts]
    if all(part.dtype.kind not in "OUS" for part in parts):
        return parts
    for part in parts:
        for place in np.argwhere([is_missing(value) for value in part.tolist()])[:1]:
            raise TableValueError(f"{_place(name, place)} has no label; drop the row")
    texts = [part.astype(str) for part in parts]
    classes = np.unique(np.concatenate(texts))
    return [np.searchsorted(classes, text) for text in texts]


def check_classes(labels: Array, name: str, classes: int = 0) -> Array:
    """Return labels as int64 if they are 0, 1, ... without a gap.

    Args:
        labels: One label for each example.
        name: Name of the labels in messages.
        classes: Number of classes of the training part, where `labels` belong to the test part,
            which may lack some of them; else 0.

    Raises:
        TableValueError: A label is not a whole number from 0, no example has one of the classes,
            there is only one class, or the training part has no example of a class.
    """
    with np.errstate(invalid="ignore"):  # overflowing labels are rejected below
        whole = labels.astype(np.int64)
    renumber = "np.unique(y, return_inverse=True)[1] numbers the classes from 0"
    if labels.ndim != 1:
        raise TableValueError(f"{name} has shape {labels.shape}; class labels have shape (n,)")
    for place in np.argwhere((whole != labels) | (whole < 0))[:1]:
        cure = (
            renumber
            if whole[place[0]] == labels[place[0]]
            else ("class labels are whole numbers; numbers on a scale need task = 'regression'")
        )
        raise TableValueError(f"{_place(name, place)} is {labels[place[0]]}; {cure}")
    present = np.unique(whole)
    if classes:
        if present[-1] >= classes:
            raise TableValueError(
                f"the test part has label {present[-1]}, of which the training part has no example"
            )
        return whole
    if len(present) < 2:
        raise TableValueError(f"every label is {present[0]}; two or more classes are needed")
    gaps = np.flatnonzero(present != np.arange(len(present)))
    if len(gaps):
        raise TableValueError(
            f"labels go up to {present[-1]}, but no example has label {gaps[0]}; {renumber}"
        )
    return whole


def fill_missing(train: Array, *others: Array) -> list[Array]:
    """Return copies of the parts with NaN replaced by the median of the feature in the first one.

    A feature that has no value in the first part becomes 0 where it is missing.

    Args:
        train: Inputs of the training part, shape (n, n_features).
        others: Inputs of the other parts.

    Example:
        >>> fill_missing(np.array([[1.0], [3.0], [np.nan]]), np.array([[np.nan]]))[1]
        array([[2.]])
    """
    medians = [
        np.median(column[present]) if (present := ~np.isnan(column)).any() else 0.0
        for column in train.T
    ]
    return [np.where(np.isnan(part), medians, part) for part in (train, *others)]


def is_missing(value: object) -> bool:
    """Return whether `value` is None, NaN, or pandas' NA or NaT."""
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def _from_objects(array: Array, name: str) -> Array:
    """Return an array of objects or text as floats, if each of them is a number."""
    if array.dtype.kind == "O":
        try:
            return array.astype(float)
        except (TypeError, ValueError):
            pass
    for place in np.ndindex(array.shape):
        value = array[place].item() if array.dtype.kind != "O" else array[place]
        if not isinstance(value, int | float | np.number):
            raise TableValueError(
                f"{_place(name, place)} is {short_repr(value)}, not a number; encode a column of "
                "text as one column of 0 and 1 for each word"
            )
    raise TableValueError(f"{name} holds values of type {array.dtype}, not numbers")


def _place(name: str, place: Any) -> str:
    return f"{name}[{', '.join(map(str, place))}]"
