"""Runs as bytes: JSON for what is said, raw little-endian float64 for what was measured.

The store and the workers share this form. Reading it executes nothing.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec
import numpy as np

from optbench.contracts import Array
from optbench.errors import StoreError
from optbench.records import Curve, RunResult, RunSpec, Status

UNREADABLE = (msgspec.MsgspecError, TypeError, ValueError, RecursionError)
"""What decoding raises for bytes that are not what they should be; also for what are no bytes."""

_LENGTH = struct.Struct("<I")
_FLOAT = np.dtype("<f8")


class _Head(msgspec.Struct, frozen=True):
    """All of a result but its curve."""

    spec: RunSpec
    status: Status
    reason: str
    test_loss: float | None
    test_metric: float | None
    params_hash: str
    grad_evals: int
    seconds: float
    loop: str
    columns: tuple[str, ...]


_heads = msgspec.json.Decoder(_Head)
_specs = msgspec.json.Decoder(RunSpec)
_REPEATED = ["control", "hidden", "regime"]
_REPEATED += [field.name for field in msgspec.structs.fields(RunSpec) if field.type is str]


T = TypeVar("T")


@functools.lru_cache(4096)
def shared(value: T) -> T:
    """The first of all equal values, so that the others can be forgotten."""
    return value


def pack_spec(spec: RunSpec) -> bytes:
    """A run as JSON; hyperparameters keep their order."""
    return msgspec.json.encode(spec)


def unpack_spec(data: bytes) -> RunSpec:
    """The run that `pack_spec` wrote.

    Raises:
        StoreError: the bytes are no run.
    """
    try:
        spec = _specs.decode(data)
    except UNREADABLE as cause:
        raise StoreError(f"this is no run: {cause}") from cause
    for name in _REPEATED:  # the same few values in every run of a study: kept in memory once
        msgspec.structs.force_setattr(spec, name, shared(getattr(spec, name)))
    return spec


def pack_curve(curve: Curve) -> bytes:
    """The columns one after the other, each little-endian float64."""
    if not len(curve):
        return b""
    return np.array(list(curve.values()), dtype=_FLOAT).tobytes()


def unpack_curve(columns: Sequence[str], data: bytes) -> Curve:
    """The curve that `pack_curve` wrote; its columns are read-only views of `data`.

    Raises:
        StoreError: the bytes do not divide into the columns.
    """
    return Curve(dict(zip(columns, _table(columns, data), strict=True)))


def _table(columns: Sequence[str], data: bytes) -> Array:
    """Shape (columns, rows)."""
    size = len(columns) * _FLOAT.itemsize
    if len(data) % size if size else data:
        raise StoreError(f"{len(data)} bytes do not divide into {len(columns)} columns of a curve")
    rows = len(data) // size if size else 0
    return np.frombuffer(data, dtype=_FLOAT).reshape(len(columns), rows)


class StoredCurve(Curve):
    """A curve that stays where it is stored until it is asked for; its last row is at hand.

    So a study of many runs fits into memory.

    Args:
        names: its columns.
        data: what `pack_curve` wrote; not kept.
        key: of the run.
        fetch: gives the data of a run again.

    Raises:
        StoreError: the bytes do not divide into the columns.
    """

    __slots__ = ("_fetch", "_key", "_last", "_names", "_rows")

    def __init__(
        self, names: tuple[str, ...], data: bytes, key: str, fetch: Callable[[str], bytes]
    ) -> None:
        table = _table(names, data)
        self._names = names
        self._rows = int(table.shape[1])
        self._key = key
        self._fetch = fetch
        self._last = table[:, -1:].tobytes()

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
        table[there] = _table(self._names, self._data())[places]
        return table

    def last(self, column: str) -> float:
        """Last value of a column; NaN when there is none."""
        if not self._last or column not in self._names:
            return float("nan")
        at = self._names.index(column) * _FLOAT.itemsize
        return float(struct.unpack_from("<d", self._last, at)[0])

    def _data(self) -> bytes:
        data = self._fetch(self._key)
        if len(data) != self._rows * len(self._names) * _FLOAT.itemsize:
            raise StoreError(f"run {self._key} has been trained again; load the study anew")
        return data


@functools.lru_cache
def _places(names: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Indices of those wanted names that are there: among the wanted, and among the names."""
    there = [i for i, name in enumerate(wanted) if name in names]
    return there, [names.index(wanted[i]) for i in there]


def pack_result(result: RunResult) -> bytes:
    """A result as bytes, without its parameters (their hash stays)."""
    head = _Head(
        spec=result.spec,
        status=result.status,
        reason=result.reason,
        test_loss=_or_none(result.test_loss),
        test_metric=_or_none(result.test_metric),
        params_hash=result.params_hash,
        grad_evals=result.grad_evals,
        seconds=result.seconds,
        loop=result.loop,
        columns=result.curve.columns,
    )
    text = msgspec.json.encode(head)
    return _LENGTH.pack(len(text)) + text + pack_curve(result.curve)


def unpack_result(data: bytes) -> RunResult:
    """The result that `pack_result` wrote.

    Raises:
        StoreError: the bytes are no result.
    """
    try:
        end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
        head = _heads.decode(data[_LENGTH.size : end])
    except (*UNREADABLE, struct.error) as cause:
        raise StoreError(f"this is no result of a run: {cause}") from cause
    return RunResult(
        spec=head.spec,
        status=head.status,
        reason=head.reason,
        curve=unpack_curve(head.columns, data[end:]),
        test_loss=_or_nan(head.test_loss),
        test_metric=_or_nan(head.test_metric),
        params_hash=head.params_hash,
        grad_evals=head.grad_evals,
        seconds=head.seconds,
        loop=head.loop,
    )


def without_params(result: RunResult) -> RunResult:
    """The same result without its parameters, which only the one who trained it keeps."""
    return result if result.params is None else replace(result, params=None)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
