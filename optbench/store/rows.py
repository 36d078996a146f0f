"""A run as one row of the table `runs`, and back."""

from __future__ import annotations

import functools
import math
from itertools import product
from pathlib import Path
from typing import Any, Protocol

from optbench.errors import StoreError
from optbench.records import CURVE_COLUMNS, RunResult, RunSpec, SpecSource, Status
from optbench.records.packing import pack_curve, pack_spec, shared, unpack_curve, unpack_spec
from optbench.records.stored_curves import CurveSource, StoredCurve

FIELDS = (
    "key, spec, status, reason, test_loss, test_metric, params_hash, grad_evals, seconds, loop, "
    "columns, curve"
)
NAMES = FIELDS.split(", ")
_NUMBER = (float, type(None))
_TYPES: tuple[tuple[type, ...], ...] = (
    (str,), (bytes,), (str,), (str,), _NUMBER, _NUMBER, (str,), (int,), (float,), (str,), (str,),
    (bytes,),
)  # fmt: skip
"""Of `FIELDS`, in their order."""
_SOUND = frozenset(product(*_TYPES))
"""Every series of types that a row may have."""
_STATUSES = {status.value: status for status in Status}


def row_of(result: RunResult, session: int | None) -> tuple[object, ...]:
    """The values of `FIELDS`, and who trained it."""
    return (
        result.key,
        pack_spec(result.spec),
        result.status.value,
        result.reason,
        result.test_loss,
        result.test_metric,
        result.params_hash,
        result.grad_evals,
        result.seconds,
        result.loop,
        ",".join(result.curve.columns),
        pack_curve(result.curve),
        session,
    )


class Source(CurveSource, SpecSource, Protocol):
    """Where runs are stored."""


def result_of(row: tuple[Any, ...], source: Source | None = None, late: bool = False) -> RunResult:
    """The run of a row.

    Args:
        row: values of `FIELDS`.
        source: where its curve is read again when somebody asks for it; None to keep it.
        late: likewise its spec, which is then not looked into here.

    Raises:
        StoreError: the row is damaged.
        ValueError: its status is none.
    """
    if tuple(map(type, row)) not in _SOUND:
        raise StoreError(_odd_type(row))
    names = _columns(row[10])
    ended = (
        _STATUSES.get(row[2]) or Status(row[2]),
        StoredCurve(names, row[11], row[0], source) if source else unpack_curve(names, row[11]),
        row[3],
        math.nan if row[4] is None else row[4],
        math.nan if row[5] is None else row[5],
        None,
        row[6],
        row[7],
        row[8],
        shared(row[9]),
    )
    if source and late:
        return RunResult.unread(row[0], source, *ended)
    return RunResult(spec_of(row[0], row[1]), *ended)


def spec_of(key: str, data: bytes) -> RunSpec:
    """The spec of a run.

    Raises:
        StoreError: the bytes are no run, or the run of another key.
    """
    spec = unpack_spec(data)
    if spec.key != key:
        raise StoreError("it is another run")
    return spec


def damaged(path: Path, key: str, cause: Exception) -> StoreError:
    """Names the file and the run, so that the rest can be rescued."""
    return StoreError(f"{path}: run {key} is damaged: {cause}")


def _odd_type(row: tuple[Any, ...]) -> str:
    """SQLite keeps any type in any column."""
    name, value = next(
        (name, value)
        for name, value, kinds in zip(NAMES, row, _TYPES, strict=True)
        if type(value) not in kinds
    )
    return f"its {name} is {type(value).__name__}"


@functools.lru_cache
def _columns(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if names[: len(CURVE_COLUMNS)] != CURVE_COLUMNS:
        raise StoreError("its curve lacks columns")
    return names
