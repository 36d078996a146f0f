"""What was measured along a run."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from optbench.contracts import Array

CURVE_COLUMNS: tuple[str, ...] = (
    "epoch",
    "updates",
    "examples",
    "seconds",
    "train_loss",
    "val_loss",
    "train_metric",
    "val_metric",
)
"""Columns of every curve; layer health adds more."""
FLOAT = np.dtype("<f8")
"""Type of every number of a curve: float64, little-endian, in memory as in a store."""


class Curve(Mapping[str, Array]):
    """What was measured along a run: names of columns, and one matrix with a row for each of them.

    Columns: ``epoch`` and ``examples`` (gradients of examples computed), ``updates``, ``seconds``
    (of training, without evaluation), loss and metric on the training and the validation part. The
    metric is accuracy for classification, R squared for regression. Layer health, where it was
    recorded, adds columns such as ``"layer1.dead"``.

    Args:
        columns: Names of the columns, each once.
        matrix: Numbers, shape (columns, evaluations), float64. Not copied if they are float64 and
            contiguous; read-only from here on.

    Raises:
        ValueError: The matrix does not have one row for each column.

    Example:
        >>> import optbench
        >>> result = optbench.train("sgd", dataset="iris", epochs=2)
        >>> float(result.curve["updates"][0])
        0.0
        >>> result.curve.columns[:3]
        ('epoch', 'updates', 'examples')
    """

    __slots__ = ("_columns", "_matrix")

    def __init__(self, columns: Sequence[str], matrix: npt.ArrayLike) -> None:
        self._columns = tuple(columns)
        self._matrix = np.ascontiguousarray(matrix, FLOAT).view()
        self._matrix.setflags(write=False)
        if self._matrix.ndim != 2 or len(self._matrix) != len(self._columns):
            raise ValueError(
                f"a curve of {len(self._columns)} columns has a matrix of shape "
                f"{self._matrix.shape}; it needs one row for each column"
            )

    @classmethod
    def from_columns(cls, columns: Mapping[str, npt.ArrayLike]) -> Self:
        """Return a curve of equally long columns.

        Example:
            >>> Curve.from_columns({"updates": [0, 10], "val_loss": [2.3, 0.7]})
            Curve(2 rows: updates, val_loss)
        """
        rows = [np.asarray(values, FLOAT) for values in columns.values()]
        return cls(tuple(columns), np.array(rows) if rows else np.empty((0, 0)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self._columns

    @property
    def matrix(self) -> Array:
        """All numbers, shape (columns, evaluations), read-only."""
        return self._matrix

    @property
    def rows(self) -> int:
        """Number of evaluations."""
        return int(self._matrix.shape[1])

    def __getitem__(self, column: str) -> Array:
        if column not in self._columns:
            raise KeyError(column)
        values: Array = self.matrix[self._columns.index(column)]
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, column: object) -> bool:
        return column in self._columns

    def __eq__(self, other: object) -> bool:
        """Return whether columns and numbers are the same; NaN equals NaN."""
        if not isinstance(other, Curve):
            return NotImplemented
        return self._columns == other.columns and np.array_equal(
            self.matrix, other.matrix, equal_nan=True
        )

    __hash__ = None  # type: ignore[assignment]  # as of any mapping

    def __getattr__(self, column: str) -> Array:
        if column.startswith("_") or column not in self:
            raise AttributeError(f"the curve has no column '{column}'")
        return self[column]

    def table(self, columns: Sequence[str]) -> Array:
        """Return several columns, shape (columns, evaluations); NaN for a column that is missing.

        The whole matrix in its own order is a view, any other table a copy.
        """
        if tuple(columns) == self._columns:
            return self.matrix
        table = np.full((len(columns), self.rows), np.nan)
        places, sources = common_places(self._columns, tuple(columns))
        table[places] = self.matrix[sources]
        return table

    def last(self, column: str) -> float:
        """Return the last value of a column; NaN if there is none."""
        if not self.rows or column not in self._columns:
            return float("nan")
        return float(self.matrix[self._columns.index(column), -1])

    def to_pandas(self) -> Any:
        """Return the curve as a pandas DataFrame (pandas must be installed)."""
        import pandas as pd

        return pd.DataFrame(self.matrix.T.copy(), columns=list(self._columns))

    def __repr__(self) -> str:
        return f"Curve({self.rows} rows: {', '.join(self._columns)})"


@functools.lru_cache
def common_places(columns: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return the indices of those wanted columns that exist: in `wanted`, and in `columns`."""
    places = [i for i, name in enumerate(wanted) if name in columns]
    return places, [columns.index(wanted[i]) for i in places]
