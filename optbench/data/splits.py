"""Fixed splits, standardization and content hashes of datasets."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import Any, Literal

import numpy as np

from optbench.contracts import Array, Dataset, DatasetSource, family_of, subset_of
from optbench.data.cache import kept_arrays, mapped_arrays
from optbench.data.given_data import DatasetLike, as_dataset
from optbench.data.streams import stream
from optbench.data.table_values import (
    TableValueError,
    check_classes,
    class_indices,
    fill_missing,
    finite_numbers,
    shape_fault,
)
from optbench.data.train_sizes import with_fewer_examples
from optbench.errors import ConfigError, PluginError, describe_error
from optbench.registry.fingerprints import fingerprint
from optbench.registry.scoped import ScopedRegistry

DECIMALS = 10
"""Decimal places kept in standardized values, so that hashes agree across machines."""
LARGEST = 1e100
"""Size from which, and below whose inverse, numbers are rescaled before they are squared."""
ROUNDING = 4 * np.finfo(float).eps
"""Range of a column, in proportion to its values, that is due to rounding: it is constant."""
ROWS_HASHED = 4096
"""Number of rows hashed at a time."""


def load_dataset(name: DatasetLike, *, target: str | None = None) -> Dataset:
    """Load a dataset with a fixed split: 60 % train, 20 % validation, 20 % test.

    Inputs and regression targets are scaled to mean 0 and variance 1 on the training part. The
    same scaling is applied to the other parts, so no information leaks from them. Splits are
    stratified by class. If a dataset has its own test part, that part is used, and the rest is
    split into 80 % train and 20 % validation.

    Args:
        name: Name of the dataset, see ``optbench list datasets``; or a DatasetSource class, a
            pair of arrays ``(x, y)``, or a data frame (see `optbench.make_dataset`).
        target: Name of the target column of a data frame.

    Returns:
        The dataset, with read-only arrays.

    Raises:
        ConfigError: If no dataset has this name, or one of its files cannot be downloaded.
        PluginError: If the source does not return a valid dataset.

    Example:
        >>> load_dataset("iris").x_train.shape
        (90, 4)
    """
    registry = ScopedRegistry()
    return prepare_dataset(registry.dataset_source(registry.dataset_name(as_dataset(name, target))))


@functools.lru_cache(maxsize=128)
def prepare_dataset(source: type[DatasetSource]) -> Dataset:
    """Load, split, standardize and hash a dataset; cached because studies request it often."""
    if (subset := subset_of(source)) is not None:
        data = with_fewer_examples(prepare_dataset(subset[0]), subset[1], source.name)
        return dataclasses.replace(data, content_hash=_hash(data.task, _parts(data)))
    if _is_shared(source):
        name = f"{_cache_name(source)}-parts"
        *parts, digest = mapped_arrays(name, lambda: _parts_and_hash(source))
    else:
        *parts, digest = _parts_and_hash(source)
        for part in parts:
            part.setflags(write=False)
    names = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test")
    fields: dict[str, Any] = dict(zip(names, parts, strict=True))
    return Dataset(
        name=source.name,
        task=source.task,
        **fields,
        n_outputs=_n_outputs(source, np.concatenate((parts[1], parts[3]))),
        content_hash=digest.tobytes().hex(),
        summary=source.summary(),
        source=source.source,
    )


def _is_shared(source: type[DatasetSource]) -> bool:
    """Return whether all processes share one copy: downloaded data, which tends to be large."""
    return source.cached and bool(source.files)


def _parts_and_hash(source: type[DatasetSource]) -> list[Array]:
    """Return inputs and targets of the three parts, loaded, split and standardized; and their hash.

    The hash is an array of 32 bytes.
    """
    if source.cached and not source.files:
        arrays = kept_arrays(_cache_name(source), lambda: _load(source))
    else:
        arrays = _load(source)
    classification = source.task != "regression"
    x, y = arrays[0], _targets(source, arrays[1])
    if len(arrays) == 4:
        train, val = _split(y, classification, (0.8, 1.0))
        test_x, test_y = arrays[2], _targets(source, arrays[3], _n_classes(source, y))
    else:
        train, val, test = _split(y, classification, (0.6, 0.8, 1.0))
        test_x, test_y = x[test], y[test]
    x_train, x_val, x_test = x[train], x[val], test_x
    if not len(x_val) or not len(x_test):
        raise ConfigError(
            f"dataset '{source.name}': {len(x)} examples of {len(np.unique(y))} classes leave "
            "none for validation or testing; each class needs several, or is the task regression?"
        )
    if not classification and (y[train] == y[train][0]).all():
        raise PluginError(
            f"dataset '{source.name}': every target of the training part is "
            f"{', '.join(f'{value:g}' for value in y[train][0])}; there is nothing to learn"
        )
    if source.missing == "median":
        x_train, x_val, x_test = fill_missing(x_train, x_val, x_test)
    x_parts = _standardize(source.standardize, x_train, x_val, x_test)
    y_parts = _standardize(not classification, y[train], y[val], test_y)
    parts = [part for pair in zip(x_parts, y_parts, strict=True) for part in pair]
    digest = bytes.fromhex(_hash(source.task, parts))
    return [*parts, np.frombuffer(digest, dtype=np.uint8)]


def _parts(data: Dataset) -> list[Array]:
    return [data.x_train, data.y_train, data.x_val, data.y_val, data.x_test, data.y_test]


def _cache_name(source: type[DatasetSource]) -> str:
    """Return the name of the file of a dataset in the cache."""
    family = family_of(source)
    values = "" if family is source else hashlib.sha256(source.name.encode()).hexdigest()[:12] + "-"
    return f"datasets/{family.name}-{values}{fingerprint(family)}"


def _load(source: type[DatasetSource]) -> tuple[Array, ...]:
    try:
        arrays = tuple(np.asarray(part) for part in source().load())
    except (ConfigError, KeyboardInterrupt):
        raise
    except Exception as cause:
        text = describe_error(cause, source)
        raise PluginError(f"dataset '{source.name}' does not load: {text}") from cause
    if source.standardize not in (True, False, "jointly"):
        raise PluginError(
            f"dataset '{source.name}': standardize is {source.standardize!r}, "
            "not True, False or 'jointly'"
        )
    if len(arrays) not in (2, 4):
        raise PluginError(f"dataset '{source.name}': load must return 2 or 4 arrays")
    for x, y in (arrays[:2], arrays[2:]) if len(arrays) == 4 else (arrays,):
        if fault := shape_fault(x, y):
            raise PluginError(f"dataset '{source.name}': {fault}")
    if len(arrays) == 4 and any(arrays[i].shape[1:] != arrays[i + 2].shape[1:] for i in (0, 1)):
        raise PluginError(f"dataset '{source.name}': the test part has other columns")
    inputs, targets = list(arrays[::2]), list(arrays[1::2])
    try:
        if source.task != "regression":
            targets = class_indices(targets, "y")
        parts = [part for pair in zip(inputs, targets, strict=True) for part in pair]
        names = ("x", "y", "x of the test part", "y of the test part")
        may_miss = names[::2] if source.missing == "median" else ()
        return tuple(
            part if name in may_miss else finite_numbers(part, name)
            for part, name in zip(parts, names, strict=False)
        )
    except TableValueError as cause:
        raise PluginError(f"dataset '{source.name}': {cause}") from None


def _targets(source: type[DatasetSource], y: Array, classes: int = 0) -> Array:
    """Return targets as floats of shape (n, n_outputs), or labels as indices of classes.

    Args:
        source: Class of the dataset.
        y: Targets or labels.
        classes: Number of classes of the training part, for labels of the test part; else 0.
    """
    if source.task == "regression":
        return y.astype(np.float64).reshape(len(y), -1)
    try:
        labels = check_classes(y, "y", classes)
    except TableValueError as cause:
        raise PluginError(f"dataset '{source.name}': {cause}") from None
    if source.task == "binary" and labels.max() > 1:
        raise PluginError(
            f"dataset '{source.name}': a binary task has labels 0 and 1, not {labels.max()}; "
            "more classes need task = 'multiclass'"
        )
    return labels


def _n_classes(source: type[DatasetSource], y: Array) -> int:
    return 0 if source.task == "regression" else int(y.max()) + 1


def _n_outputs(source: type[DatasetSource], y: Array) -> int:
    if source.task == "multiclass":
        return _n_classes(source, y)
    return 1 if source.task == "binary" else int(y.shape[1])


def _split(y: Array, stratify: bool, cuts: tuple[float, ...]) -> list[Array]:
    """Return the indices of each part; `cuts` are cumulative fractions of each class."""
    shuffled = stream("split", 0).permutation(len(y))
    groups = [shuffled[y[shuffled] == c] for c in np.unique(y)] if stratify else [shuffled]
    parts: list[list[Array]] = [[] for _ in cuts]
    for group in groups:
        ends = [0, *(round(cut * len(group)) for cut in cuts)]
        for part, start, stop in zip(parts, ends, ends[1:], strict=False):
            part.append(group[start:stop])
    return [np.sort(np.concatenate(part)) for part in parts]


def _standardize(wanted: bool | Literal["jointly"], train: Array, *others: Array) -> list[Array]:
    if not wanted:
        return [np.array(part) for part in (train, *others)]
    axis = None if wanted == "jointly" else 0
    low, high = (np.asarray(end(axis=axis), dtype=float) for end in (train.min, train.max))
    size = np.maximum(np.abs(low), np.abs(high))
    if (extreme := (size > LARGEST) | ((size > 0) & (size < 1 / LARGEST))).any():
        exponents = np.where(extreme, np.frexp(size)[1], 0)
        return _standardize(wanted, *(np.ldexp(part, -exponents) for part in (train, *others)))
    mean, spread = train.mean(axis=axis), np.asarray(train.std(axis=axis))
    spread[high - low <= ROUNDING * size] = 1.0
    return [_scaled(part, mean, spread) for part in (train, *others)]


def _scaled(part: Array, mean: Array, spread: Array) -> Array:
    """Standardize in a single new array; image datasets take hundreds of megabytes per copy."""
    scaled = part - mean
    scaled /= spread
    return np.round(scaled, DECIMALS, out=scaled)


def _hash(task: str, parts: list[Array]) -> str:
    digest = hashlib.sha256(task.encode())
    for part in parts:
        digest.update(f"{part.shape}{part.dtype.str}".encode())
        for start in range(0, len(part), ROWS_HASHED):  # avoids a full copy of image data
            rows = part[start : start + ROWS_HASHED]
            digest.update((rows + 0.0 if rows.dtype.kind == "f" else rows).tobytes())
    return digest.hexdigest()


@functools.lru_cache(maxsize=128)
def typed_parts(source: type[DatasetSource], dtype: str) -> tuple[tuple[Array, Array], ...]:
    """Return the train, validation and test parts as contiguous arrays, shared by all runs.

    Inputs and regression targets have the given dtype; class labels remain integers.
    """
    data = prepare_dataset(source)
    classification = data.task != "regression"

    def typed(x: Array, y: Array) -> tuple[Array, Array]:
        inputs = np.ascontiguousarray(x, dtype=dtype)
        target = y if classification else np.ascontiguousarray(y, dtype=dtype)
        inputs.setflags(write=False)
        target.setflags(write=False)
        return inputs, target

    def make() -> list[Array]:
        x_parts, y_parts = _parts(data)[::2], _parts(data)[1::2]
        return [part for x, y in zip(x_parts, y_parts, strict=True) for part in typed(x, y)]

    parts = mapped_arrays(f"{_cache_name(source)}-{dtype}", make) if _is_shared(source) else make()
    return tuple(zip(parts[::2], parts[1::2], strict=True))
