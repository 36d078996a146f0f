"""Checksums of rows: a row whose values are not those that were written is found."""

from __future__ import annotations

import hashlib
import math

import msgspec


def checksum(*values: object) -> bytes:
    """Return 16 bytes that depend on every bit of the values of a row.

    NaN counts as None, because SQLite stores it as NULL, and any float as Python's. SQLite has the
    same function under the same name.

    Example:
        >>> checksum("key", float("nan")) == checksum("key", None) != checksum("kez", None)
        True
    """
    plain = [_plain(value) for value in values]
    return hashlib.blake2b(msgspec.msgpack.encode(plain), digest_size=16).digest()


def _plain(value: object) -> object:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else float(value)
