"""Groups of equal things, which are computed together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable


def indices_by_key(keys: Iterable[Hashable]) -> list[list[int]]:
    """Return the indices at which each key stands, in the order of the keys' first occurrence.

    Example:
        >>> indices_by_key("aba")
        [[0, 2], [1]]
    """
    indices: dict[Hashable, list[int]] = {}
    for i, key in enumerate(keys):
        indices.setdefault(key, []).append(i)
    return list(indices.values())
