"""The examples on which the curve of a run is measured: all, or a fixed sample of a part."""

from __future__ import annotations

import functools

import msgspec
import numpy as np

from optbench.contracts import Array, DatasetSource
from optbench.data.splits import typed_parts
from optbench.data.streams import stream

LARGE = 4096
"""Number of examples above which a part is sampled."""
TRAIN_ROWS = 1024
"""Number of examples of a large training part on which the loss of a curve is measured."""
VAL_ROWS = 2048
"""Number of examples of a large validation part on which the loss of a curve is measured."""
SHORT_ROWS = 256
"""Number of examples of a training part on which the loss of a curve is measured in a short run."""

Part = tuple[Array, Array]
"""Inputs (n, n_features), and labels (n,) or targets (n, n_outputs)."""
CurveRows = tuple[int, int] | msgspec.UnsetType
"""See `RunSpec.curve_rows`."""


def curve_rows(n_train: int, n_val: int) -> CurveRows:
    """Return on how many examples the curves of all runs on a dataset are measured.

    Args:
        n_train: Number of examples in the training part.
        n_val: Number of examples in the validation part.

    Returns:
        Numbers of training and of validation examples; unset if neither part is large.

    Example:
        >>> curve_rows(48_000, 12_000), curve_rows(48_000, 500), curve_rows(600, 200)
        ((1024, 2048), (1024, 500), UNSET)
    """
    if max(n_train, n_val) <= LARGE:
        return msgspec.UNSET
    return (
        TRAIN_ROWS if n_train > LARGE else n_train,
        VAL_ROWS if n_val > LARGE else n_val,
    )


@functools.lru_cache(maxsize=32)
def curve_parts(source: type[DatasetSource], dtype: str, rows: CurveRows) -> tuple[Part, Part]:
    """Return inputs and labels of the training and validation part that curves are measured on.

    A sample of one size is the same for all runs on a dataset. The test part is never sampled.

    Args:
        source: The dataset.
        dtype: Dtype of the runs, ``"float32"`` or ``"float64"``.
        rows: `RunSpec.curve_rows` of the runs.
    """
    train, val, _ = typed_parts(source, dtype)
    if rows is msgspec.UNSET:
        return train, val
    return _sample(train, rows[0], 0), _sample(val, rows[1], 1)


def end_part(source: type[DatasetSource], dtype: str, rows: CurveRows) -> Part:
    """Return inputs and labels that the training loss at the end of a run is measured on.

    They are the whole training part unless it is large. For the arguments see `curve_parts`.
    """
    train = typed_parts(source, dtype)[0]
    return train if len(train[0]) <= LARGE else curve_parts(source, dtype, rows)[0]


def _sample(part: Part, rows: int, seed: int) -> Part:
    if len(part[0]) <= rows:
        return part
    chosen = np.sort(stream("curve", seed).choice(len(part[0]), rows, replace=False))
    x, y = part[0][chosen], part[1][chosen]
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y
