"""The table of registered names, in which a name with two meanings belongs to neither."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable
from typing import Any

from optbench.errors import PluginError
from optbench.registry.entries import Entry


class NameTable:
    """Entries by kind and name.

    A name that is registered for two different things is ambiguous: it can be removed, and looking
    it up is an error, but it does not affect other names. The same thing may be registered several
    times, as when a distribution is found in two folders.

    Args:
        kinds: Names of the kinds.
    """

    def __init__(self, kinds: Iterable[str]) -> None:
        self._claims: dict[str, dict[str, list[Entry[Any]]]] = {kind: {} for kind in kinds}

    def add(self, kind: str, entry: Entry[Any]) -> None:
        """Add an entry."""
        self._claims[kind].setdefault(entry.name, []).append(entry)

    def remove(self, kind: str, name: str, distribution: str) -> None:
        """Remove what a distribution has under this name; entries of others stay."""
        claims = self._claims[kind].pop(name, [])
        if others := [entry for entry in claims if entry.distribution != distribution]:
            self._claims[kind][name] = others

    def entries(self, kind: str) -> dict[str, Entry[Any]]:
        """Return the entries of one kind by name, sorted, without ambiguous names."""
        return {
            name: claims[0]
            for name, claims in sorted(self._claims[kind].items())
            if _rival(claims) is None
        }

    def find(self, kind: str, name: str) -> Entry[Any] | None:
        """Return the entry of this name, or None.

        Raises:
            PluginError: The name is ambiguous; the message names both distributions.
        """
        if name not in self._claims[kind]:
            return None
        if conflict := self.conflict(kind, name):
            raise PluginError(conflict)
        return self._claims[kind][name][0]

    def find_of(self, kind: str, name: str, distribution: str) -> Entry[Any] | None:
        """Return the entry that one distribution has under this name, or None.

        Raises:
            PluginError: The distribution itself has two different things of this name.
        """
        claims = [e for e in self._claims[kind].get(name, []) if e.distribution == distribution]
        if _rival(claims) is not None:
            raise PluginError(_conflict(kind, claims))
        return claims[0] if claims else None

    def conflict(self, kind: str, name: str) -> str:
        """Return a sentence that names both distributions if the name is ambiguous, else ""."""
        claims = self._claims[kind].get(name, [])
        return "" if _rival(claims) is None else _conflict(kind, claims)

    @property
    def conflicts(self) -> list[str]:
        """One sentence for each ambiguous name."""
        found = (self.conflict(kind, name) for kind in self._claims for name in self._claims[kind])
        return [sentence for sentence in found if sentence]


def _conflict(kind: str, claims: list[Entry[Any]]) -> str:
    first, rival = claims[0], _rival(claims) or claims[0]
    return (
        f"two {kind} are named '{first.name}': one from {first.distribution}, one from "
        f"{rival.distribution}; rename or uninstall one of them"
    )


def _rival(claims: list[Entry[Any]]) -> Entry[Any] | None:
    """Return the first entry that is another thing than the first one."""
    return next((each for each in claims[1:] if not _is_same(claims[0], each)), None)


def _is_same(one: Entry[Any], other: Entry[Any]) -> bool:
    """Whether both are one thing, or one class of one file that was imported under two names."""
    if one.item is other.item or (one.item == other.item and not isinstance(one.item, type)):
        return True
    if one.distribution == other.distribution:
        return False
    place = _place(one.item)
    return place is not None and place == _place(other.item)


def _place(item: Any) -> tuple[str, str] | None:
    """Return the file of a class and its name in it; None if it has none of its own."""
    if not isinstance(item, type) or "<locals>" in item.__qualname__:
        return None
    try:
        return os.path.realpath(inspect.getfile(item)), item.__qualname__
    except (OSError, TypeError):
        return None
