"""Datasets with fewer training examples, and the same validation and test parts."""

from __future__ import annotations

import dataclasses

import numpy as np

from optbench.contracts import Array, Dataset
from optbench.data.streams import stream
from optbench.errors import ConfigError


def with_fewer_examples(data: Dataset, size: float, name: str) -> Dataset:
    """Return a dataset with a part of the training examples.

    Smaller parts are contained in larger ones, and each has the classes in about the same
    proportions as the whole. Inputs and targets keep the scale of the whole training part, so that
    the validation and test parts, and losses on them, stay comparable.

    Args:
        data: The whole dataset.
        size: Share of the training examples in (0, 1], or, above 1, their number.
        name: Name of the result.

    Returns:
        The dataset, with read-only arrays, and without a content hash.

    Raises:
        ConfigError: If the dataset has fewer training examples, or a class would be missing.
    """
    n = len(data.y_train)
    count = round(size * n) if size <= 1 else int(size)
    classes = len(np.unique(data.y_train)) if data.task != "regression" else 1
    least = max(classes, 2)
    if not least <= count <= n:
        raise ConfigError(
            f"train_size={size:g} of {data.name} is {count:,} training examples; "
            f"{least} to {n:,} are possible"
        )
    chosen = np.sort(nested_order(data.y_train, stratify=data.task != "regression")[:count])
    x, y = data.x_train[chosen], data.y_train[chosen]
    for part in (x, y):
        part.setflags(write=False)
    return dataclasses.replace(data, name=name, x_train=x, y_train=y, content_hash="")


def nested_order(y: Array, *, stratify: bool) -> Array:
    """Return an order of the examples in which every beginning is a fair sample.

    Args:
        y: Labels or targets, shape (n, ...).
        stratify: Whether y has labels. The first examples are then one of each class, and every
            longer beginning has the classes in about the same proportions as all of y.

    Returns:
        Indices, shape (n,).
    """
    shuffled = stream("train size", 0).permutation(len(y))
    if not stratify:
        return np.asarray(shuffled)
    place = np.empty(len(y))
    for label in np.unique(y):
        own = shuffled[y[shuffled] == label]
        place[own] = (np.arange(len(own)) + 0.5) / len(own)
        place[own[0]] = 0.0
    return np.asarray(shuffled[np.argsort(place[shuffled], kind="stable")])
