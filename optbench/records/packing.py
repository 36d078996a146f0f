"""Runs as bytes: JSON for a spec, raw little-endian float64 for a curve, MessagePack for a result.

Stores and workers share this form. Reading it executes nothing.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import msgspec
import numpy as np

from optbench.errors import StoreError
from optbench.records.curve import CURVE_COLUMNS, FLOAT, Curve
from optbench.records.result import RunOutcome, RunResult, StoredRun
from optbench.records.spec import RunSpec

UNREADABLE = (msgspec.MsgspecError, TypeError, ValueError, RecursionError)
"""What decoding raises for data of another form, or of another type than bytes."""

OUTCOME_FIELDS = tuple(field.name for field in fields(RunOutcome))
_outcome = operator.attrgetter(*OUTCOME_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedRun(RunOutcome):
    """A result as a store and a message hold it; its fields are the columns of the table ``runs``.

    Attributes:
        key: Content key of the run.
        spec: Spec of the run, as JSON.
        columns: Names of the columns of the curve, with commas between them.
        curve: Numbers of the curve.
    """

    key: str
    spec: bytes
    columns: str
    curve: bytes


_encode = msgspec.msgpack.Encoder(enc_hook=operator.methodcaller("item")).encode
"""The hook makes Python's numbers of NumPy's, which a metric may be."""
_decode = msgspec.msgpack.Decoder(PackedRun).decode
_specs = msgspec.json.Decoder(RunSpec)
_REPEATED = ["control", "hidden", "regime"]
_REPEATED += [field.name for field in msgspec.structs.fields(RunSpec) if field.type is str]
_repeated = operator.attrgetter(*_REPEATED)

T = TypeVar("T")


@functools.lru_cache(4096)
def shared(value: T) -> T:
    """Return the first of all equal values, so that the others can be freed."""
    return value


@functools.lru_cache(4096)
def _all_shared(values: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_REPEATED, map(shared, values), strict=True))


# -- specs ------------------------------------------------------------------------------------


def pack_spec(spec: RunSpec) -> bytes:
    """Return a spec as JSON; hyperparameters keep their order."""
    return msgspec.json.encode(spec)


def unpack_spec(data: bytes, key: str = "") -> RunSpec:
    """Return the spec that `pack_spec` wrote.

    Args:
        data: JSON.
        key: Content key that the run must have; empty for any.

    Raises:
        StoreError: The data are not a spec, or are the spec of another run.
    """
    try:
        spec = _specs.decode(data)
    except UNREADABLE as cause:
        raise StoreError(f"this is not a run: {cause}") from cause
    # the same few values in every run of a study: kept in memory once
    spec = msgspec.structs.replace(spec, **_all_shared(_repeated(spec)))
    if key and spec.key != key:
        raise StoreError("it is another run")
    return spec


# -- curves -----------------------------------------------------------------------------------


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


@functools.lru_cache
def split_columns(text: str) -> tuple[str, ...]:
    """Return the names in `PackedRun.columns`.

    Raises:
        StoreError: A column that every curve has is missing.
    """
    names = tuple(text.split(","))
    if names[: len(CURVE_COLUMNS)] != CURVE_COLUMNS:
        raise StoreError("its curve lacks columns")
    return names


# -- results ----------------------------------------------------------------------------------


def pack_run(result: RunResult) -> PackedRun:
    """Return a result as stores hold it, without its parameters (their hash stays)."""
    spec = result.spec
    return PackedRun(
        key=spec.key,
        spec=pack_spec(spec),
        columns=",".join(result.curve.columns),
        curve=pack_curve(result.curve),
        **dict(zip(OUTCOME_FIELDS, _outcome(result), strict=True)),
    )


def unpack_run(
    packed: PackedRun, run: RunSpec | StoredRun | None = None, curve: Curve | None = None
) -> RunResult:
    """Return the result that `pack_run` made.

    Args:
        packed: The packed result.
        run: What to use instead of the packed spec.
        curve: What to use instead of the packed curve.

    Raises:
        StoreError: The spec is damaged or belongs to another key, or the curve is damaged.
    """
    if curve is None:
        curve = unpack_curve(split_columns(packed.columns), packed.curve)
    return RunResult(
        run=run or unpack_spec(packed.spec, packed.key),
        curve=curve,
        **dict(zip(OUTCOME_FIELDS, _outcome(packed), strict=True)),
    )


def pack_result(result: RunResult) -> bytes:
    """Return a result as a message of a worker, without its parameters (their hash stays)."""
    return _encode(pack_run(result))


def unpack_result(data: bytes) -> RunResult:
    """Return the result that `pack_result` wrote.

    Raises:
        StoreError: The data are not a result.
    """
    try:
        packed = _decode(data)
    except UNREADABLE as cause:
        raise StoreError(f"this is not the result of a run: {cause}") from cause
    return unpack_run(packed)
