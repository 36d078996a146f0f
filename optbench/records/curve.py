"""What was measured along a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from optbench.contracts import Array

CURVE_COLUMNS = (
    "epoch",
    "updates",
    "examples",
    "seconds",
    "train_loss",
    "val_loss",
    "train_metric",
    "val_metric",
)


class Curve(Mapping[str, Array]):
    """What was measured along a run: equally long float64 columns, one row an evaluation.

    Columns: ``epoch`` and ``examples`` (gradients of examples computed), ``updates``, ``seconds``
    (training alone, evaluation excluded), loss and metric on training and validation part. The
    metric is accuracy for classification, R squared for regression. Layer health, where it was
    recorded, adds columns such as ``"layer1.dead"``.

    Example:
        >>> import optbench
        >>> result = optbench.train("sgd", dataset="iris", epochs=2)
        >>> float(result.curve["updates"][0])
        0.0
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, Array]) -> None:
        self._columns = {k: np.asarray(v, dtype=np.float64) for k, v in columns.items()}

    def __getitem__(self, column: str) -> Array:
        return self._columns[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __getattr__(self, column: str) -> Array:
        if column.startswith("_") or column not in self:
            raise AttributeError(f"the curve has no column '{column}'")
        return self[column]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self)

    @property
    def rows(self) -> int:
        """Number of evaluations."""
        return len(next(iter(self.values()), ()))

    def table(self, columns: Sequence[str]) -> Array:
        """Several columns at once, shape (columns, rows); NaN for one that is not there."""
        table = np.full((len(columns), self.rows), np.nan)
        for row, column in zip(table, columns, strict=True):
            if column in self:
                row[:] = self[column]
        return table

    def last(self, column: str) -> float:
        """Last value of a column; NaN when there is none."""
        values = self[column] if column in self else np.empty(0)
        return float(values[-1]) if len(values) else float("nan")

    def to_pandas(self) -> Any:
        """The curve as a pandas DataFrame (pandas must be installed)."""
        import pandas as pd

        return pd.DataFrame(dict(self))

    def __repr__(self) -> str:
        return f"Curve({self.rows} rows: {', '.join(self.columns)})"
