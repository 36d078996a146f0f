"""Runs as bytes: JSON for what is said, raw little-endian float64 for what was measured.

The store and the workers share this form. Reading it executes nothing.
"""

from __future__ import annotations

import functools
import operator
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import numpy as np

from optbench.errors import StoreError
from optbench.records.curve import FLOAT, Curve
from optbench.records.result import RunResult, Status
from optbench.records.spec import RunSpec

UNREADABLE = (msgspec.MsgspecError, TypeError, ValueError, RecursionError)
"""What decoding raises for bytes that are not what they should be; also for what are no bytes."""

_LENGTH = struct.Struct("<I")


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
_repeated = operator.attrgetter(*_REPEATED)


T = TypeVar("T")


@functools.lru_cache(4096)
def shared(value: T) -> T:
    """The first of all equal values, so that the others can be forgotten."""
    return value


@functools.lru_cache(4096)
def _all_shared(values: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_REPEATED, map(shared, values), strict=True))


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
    # the same few values in every run of a study: kept in memory once
    return msgspec.structs.replace(spec, **_all_shared(_repeated(spec)))


def pack_curve(curve: Curve) -> bytes:
    """Return the columns one after the other, each little-endian float64."""
    return curve.matrix.tobytes()


def unpack_curve(columns: Sequence[str], data: bytes) -> Curve:
    """Return the curve that `pack_curve` wrote; its matrix is a read-only view of `data`.

    Raises:
        StoreError: The bytes do not divide into the columns.
    """
    rows = curve_rows(len(columns), len(data))
    return Curve(columns, np.frombuffer(data, dtype=FLOAT).reshape(len(columns), rows))


def curve_rows(columns: int, size: int) -> int:
    """Return the number of evaluations in `size` bytes.

    Raises:
        StoreError: The bytes do not divide into the columns.
    """
    row = columns * FLOAT.itemsize
    if size % row if row else size:
        raise StoreError(f"{size} bytes do not divide into {columns} columns of a curve")
    return size // row if row else 0


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
