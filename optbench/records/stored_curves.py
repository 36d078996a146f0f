"""Curves that stay in their store until they are used, so that a large study fits into memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from optbench.contracts import Array
from optbench.errors import StoreError
from optbench.records.curve import FLOAT, Curve, common_places
from optbench.records.packing import curve_rows, unpack_curve

CURVES_AT_ONCE = 500
"""Packed curves in memory at once while many are stacked."""
_read_number = struct.Struct("<d").unpack_from

T = TypeVar("T")


class CurveSource(Protocol):
    """A store of curves, packed by `pack_curve`."""

    def curve(self, key: str) -> bytes:
        """Return the curve of a run."""

    def curves(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the curves of several runs by key."""


class StoredCurve(Curve):
    """A curve whose matrix is read from its store at each use; its last row is in memory.

    Args:
        columns: Names of the columns.
        data: The packed curve; only its last row is kept.
        key: Key of the run.
        source: Store to read the curve from.

    Raises:
        StoreError: The data do not divide into the columns; or, where the curve is used, the store
            no longer has this curve.
    """

    __slots__ = ("_key", "_last", "_rows", "_source")

    def __init__(
        self, columns: tuple[str, ...], data: bytes, key: str, source: CurveSource
    ) -> None:
        self._columns = columns
        self._rows = rows = curve_rows(len(columns), len(data))
        self._key = key
        self._source = source
        self._last = memoryview(data).cast("d")[rows - 1 :: rows].tobytes() if rows else b""

    def __reduce__(self) -> tuple[type[Curve], tuple[tuple[str, ...], Array]]:
        """Pickle the numbers themselves, since the store may not exist elsewhere."""
        return Curve, (self._columns, self.matrix)

    @property
    def matrix(self) -> Array:
        """All numbers, shape (columns, evaluations), read-only; read from the store each time."""
        return unpack_curve(self._columns, self._check(self._source.curve(self._key))).matrix

    @property
    def rows(self) -> int:
        """Number of evaluations."""
        return self._rows

    def last(self, column: str) -> float:
        """Return the last value of a column; NaN if there is none."""
        if not self._last or column not in self._columns:
            return float("nan")
        offset = self._columns.index(column) * FLOAT.itemsize
        return float(_read_number(self._last, offset)[0])

    def _check(self, data: bytes) -> bytes:
        if len(data) != self._rows * len(self._columns) * FLOAT.itemsize:
            raise StoreError(f"run {self._key} has been trained again; load the study again")
        return data


def stack(curves: Sequence[Curve], columns: Sequence[str], least: int = 0) -> Array:
    """Stack columns of many curves; stored curves are read many at a time, which is faster.

    Args:
        curves: Curves, stored or in memory.
        columns: Names of the columns.
        least: Least number of rows of the result.

    Returns:
        Shape (columns, curves, rows), with the rows of the longest curve; NaN where a curve has no
        such column or has ended.
    """
    longest = max([least, *(curve.rows for curve in curves)])
    stacked = np.full((len(columns), len(curves), longest), np.nan)
    groups: dict[tuple[CurveSource, tuple[str, ...], int], list[tuple[int, StoredCurve]]] = {}
    for i, curve in enumerate(curves):
        if isinstance(curve, StoredCurve):
            group = (curve._source, curve.columns, curve.rows)
            groups.setdefault(group, []).append((i, curve))
        else:
            stacked[:, i, : curve.rows] = curve.table(columns)
    for (_, names, rows), group_curves in groups.items():
        places, sources = common_places(names, tuple(columns))
        for batch in batches(group_curves, CURVES_AT_ONCE):
            indices = [i for i, _ in batch]
            data = b"".join(_read([curve for _, curve in batch]))
            matrices = np.frombuffer(data, dtype=FLOAT).reshape(len(batch), len(names), rows)
            for place, source in zip(places, sources, strict=True):
                stacked[place, indices, :rows] = matrices[:, source]
    return stacked


def load_curves(curves: Sequence[Curve]) -> list[Curve]:
    """Return the same curves in memory, for callers that use them more than once."""
    by_source: dict[CurveSource, list[StoredCurve]] = {}
    for curve in curves:
        if isinstance(curve, StoredCurve):
            by_source.setdefault(curve._source, []).append(curve)
    loaded = {
        id(curve): unpack_curve(curve.columns, data)
        for stored in by_source.values()
        for curve, data in zip(stored, _read(stored), strict=True)
    }
    return [loaded.get(id(curve), curve) for curve in curves]


def _read(curves: Sequence[StoredCurve]) -> list[bytes]:
    """Return the packed curves; all are in one source."""
    packed = curves[0]._source.curves([curve._key for curve in curves])
    return [curve._check(packed[curve._key]) for curve in curves]


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in their order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
