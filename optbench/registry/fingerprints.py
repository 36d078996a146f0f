"""Fingerprints of a plugin's code: part of a run's content key, so that an edit makes a new run."""

from __future__ import annotations

import hashlib
import inspect
import sys
from pathlib import Path

import msgspec

from optbench.registry.entries import Entry

CONTRACTS = "optbench.contracts"
"""Package of the base classes, which are not part of a plugin's code."""


def fingerprint(item: type) -> str:
    """Return twelve hexadecimal digits that change with the source of a plugin class.

    They cover the files of the class and of its bases outside `optbench.contracts`, and the
    ``version`` of the class.
    """
    digest = hashlib.sha256(getattr(item, "version", "").encode())
    for cls in item.__mro__:
        if cls is object or cls.__module__ == "abc" or cls.__module__.startswith(CONTRACTS):
            continue
        digest.update(cls.__qualname__.encode())
        digest.update(_module_source(cls))
    return digest.hexdigest()[:12]


def foreign_fingerprint(entry: Entry[type]) -> str | msgspec.UnsetType:
    """Return the fingerprint of a plugin class, or UNSET if it comes with optbench."""
    return msgspec.UNSET if entry.is_builtin else fingerprint(entry.item)


def _module_source(cls: type) -> bytes:
    module = sys.modules.get(cls.__module__)
    path = getattr(module, "__file__", None)
    if path and Path(path).is_file():
        return Path(path).read_bytes()
    try:
        return inspect.getsource(cls).encode()
    except (OSError, TypeError):
        return b""
