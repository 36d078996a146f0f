"""Checksums of rows: a row whose values are not those that were written is found."""

from __future__ import annotations

import hashlib
import operator

import msgspec

_encode = msgspec.msgpack.Encoder(enc_hook=operator.methodcaller("item")).encode
"""The hook makes Python's numbers of NumPy's."""


def checksum(*values: object) -> bytes:
    """Return 16 bytes that depend on every bit of the values of a row.

    NaN counts as None, because SQLite stores it as NULL. SQLite has the same function under the
    same name.

    Example:
        >>> checksum("key", float("nan")) == checksum("key", None) != checksum("kez", None)
        True
    """
    if any(map(operator.ne, values, values)):  # only NaN differs from itself
        values = tuple(value if value == value else None for value in values)  # noqa: PLR0124
    return hashlib.blake2b(_encode(values), digest_size=16).digest()
