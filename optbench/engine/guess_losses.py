"""The loss of guessing: what a model reaches that ignores its inputs."""

from __future__ import annotations

import functools

import msgspec
import numpy as np

from optbench.contracts import Array, DatasetSource
from optbench.data.splits import typed_parts
from optbench.engine.curve_parts import CurveRows, curve_parts, end_part

Losses = tuple[float, float, float]
"""Loss on the training, validation and test part."""


@functools.lru_cache(maxsize=32)
def guess_losses(
    source: type[DatasetSource], dtype: str, rows: CurveRows = msgspec.UNSET
) -> Losses:
    """Return the loss on each part of always predicting what is best without inputs.

    Classification: the cross-entropy of the class frequencies of the training part; a class that
    the training part lacks counts as half an example of it, so that the loss is finite. Regression:
    the mean squared error of the mean targets of the training part.

    The losses are measured on the same examples as those of a run at its end (see `end_part`).

    Args:
        source: The dataset.
        dtype: Dtype of the runs, in which regression targets are rounded; ``"float32"`` or
            ``"float64"``.
        rows: `RunSpec.curve_rows` of the runs.

    Returns:
        Loss on the training, validation and test part, computed in float64.
    """
    train, _, test = (y for _, y in typed_parts(source, dtype))
    end_train, curve_val = end_part(source, dtype, rows)[1], curve_parts(source, dtype, rows)[1][1]
    guess = _squared_error if source.task == "regression" else _cross_entropy
    return guess(train, end_train), guess(train, curve_val), guess(train, test)


def _cross_entropy(train: Array, labels: Array) -> float:
    classes = max(int(train.max()), int(labels.max())) + 1
    counts = np.maximum(np.bincount(train, minlength=classes), 0.5)
    return float(-np.log(counts / counts.sum())[labels].mean())


def _squared_error(train: Array, targets: Array) -> float:
    mean = train.mean(axis=0, dtype=np.float64)
    return float(((targets - mean) ** 2).mean())
