"""The accuracy of a classifier that ignores its inputs."""

from __future__ import annotations

import functools

import numpy as np

from optbench.contracts import DatasetSource
from optbench.data.splits import prepare_dataset


@functools.lru_cache(maxsize=128)
def base_rate(source: type[DatasetSource]) -> float | None:
    """Return the test accuracy of always predicting the largest class of the training part.

    Args:
        source: The dataset, which is loaded.

    Returns:
        Share of the test part that belongs to this class; None for regression.

    Example:
        >>> from optbench import make_dataset
        >>> x = np.random.default_rng(0).normal(size=(1000, 2))
        >>> base_rate(make_dataset(x, np.arange(1000) % 100 == 0))
        0.99
    """
    if source.task == "regression":
        return None
    data = prepare_dataset(source)
    return float(np.mean(data.y_test == np.bincount(data.y_train).argmax()))
