"""Curves that stay in their store until somebody asks: so a study of many runs fits into memory."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from optbench.contracts import Array
from optbench.errors import StoreError
from optbench.records import Curve
from optbench.records.packing import FLOAT, curve_rows, curve_table, unpack_curve

AT_ONCE = 500
"""Curves in memory at once while many are stacked."""
_number = struct.Struct("<d").unpack_from

T = TypeVar("T")


class CurveSource(Protocol):
    """Where curves are stored, packed as `pack_curve` does it."""

    def curve(self, key: str) -> bytes:
        """The curve of a run."""

    def curves(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The curves of some runs, by key."""


class StoredCurve(Curve):
    """A curve that stays where it is stored until it is asked for; its last row is at hand.

    Args:
        names: its columns.
        data: what `pack_curve` wrote; not kept.
        key: of the run.
        source: gives the data of a run again.

    Raises:
        StoreError: the bytes do not divide into the columns.
    """

    __slots__ = ("_key", "_last", "_names", "_rows", "_source")

    def __init__(self, names: tuple[str, ...], data: bytes, key: str, source: CurveSource) -> None:
        self._names = names
        self._rows = rows = curve_rows(len(names), len(data))
        self._key = key
        self._source = source
        self._last = memoryview(data).cast("d")[rows - 1 :: rows].tobytes() if rows else b""

    def __reduce__(self) -> tuple[type[Curve], tuple[dict[str, Array]]]:
        """Elsewhere the store may not be at hand: a copy has all of its numbers."""
        return Curve, (dict(self),)

    def __getitem__(self, column: str) -> Array:
        return unpack_curve(self._names, self._data())[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, column: object) -> bool:
        return column in self._names

    @property
    def rows(self) -> int:
        """Number of evaluations."""
        return self._rows

    def table(self, columns: Sequence[str]) -> Array:
        """Several columns at once, shape (columns, rows); NaN for one that is not there."""
        table = np.full((len(columns), self._rows), np.nan)
        there, places = _places(self._names, tuple(columns))
        table[there] = curve_table(self._names, self._data())[places]
        return table

    def last(self, column: str) -> float:
        """Last value of a column; NaN when there is none."""
        if not self._last or column not in self._names:
            return float("nan")
        at = self._names.index(column) * FLOAT.itemsize
        return float(_number(self._last, at)[0])

    def _data(self) -> bytes:
        return self._checked(self._source.curve(self._key))

    def _checked(self, data: bytes) -> bytes:
        if len(data) != self._rows * len(self._names) * FLOAT.itemsize:
            raise StoreError(f"run {self._key} has been trained again; load the study anew")
        return data


def stack(curves: Sequence[Curve], columns: Sequence[str], least: int = 0) -> Array:
    """Columns of many curves, shape (columns, curves, rows); NaN for what is not there.

    Stored curves are read many at once, which takes a fifth of the time. There are as many rows as
    the longest curve has, and `least` at least.
    """
    longest = max([least, *(curve.rows for curve in curves)])
    stacked = np.full((len(columns), len(curves), longest), np.nan)
    alike: dict[tuple[CurveSource, tuple[str, ...], int], list[tuple[int, StoredCurve]]] = {}
    for i, curve in enumerate(curves):
        if isinstance(curve, StoredCurve):
            alike.setdefault((curve._source, curve._names, curve._rows), []).append((i, curve))
        else:
            stacked[:, i, : curve.rows] = curve.table(columns)
    for (_, names, rows), found in alike.items():
        there, places = _places(names, tuple(columns))
        for some in batches(found, AT_ONCE):
            indices = [i for i, _ in some]
            data = b"".join(_read([curve for _, curve in some]))
            tables = np.frombuffer(data, dtype=FLOAT).reshape(len(some), len(names), rows)
            for column, place in zip(there, places, strict=True):
                stacked[column, indices, :rows] = tables[:, place]
    return stacked


def at_hand(curves: Sequence[Curve]) -> list[Curve]:
    """The same curves in memory, for whoever looks at them more than once."""
    sources: dict[CurveSource, list[StoredCurve]] = {}
    for curve in curves:
        if isinstance(curve, StoredCurve):
            sources.setdefault(curve._source, []).append(curve)
    read = {
        id(curve): unpack_curve(curve._names, data)
        for stored in sources.values()
        for curve, data in zip(stored, _read(stored), strict=True)
    }
    return [read.get(id(curve), curve) for curve in curves]


def _read(curves: Sequence[StoredCurve]) -> list[bytes]:
    """Curves from one source, packed."""
    found = curves[0]._source.curves([curve._key for curve in curves])
    return [curve._checked(found[curve._key]) for curve in curves]


@functools.lru_cache
def _places(names: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Indices of those wanted names that are there: among the wanted, and among the names."""
    there = [i for i, name in enumerate(wanted) if name in names]
    return there, [names.index(wanted[i]) for i in there]


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in their order, so many at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
