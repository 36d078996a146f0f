"""A suite with the changes that options or arguments make to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.suites import NetworkChoice, Suite, check_suite, find_suite

if TYPE_CHECKING:
    from optbench.registry import Registry


def chosen_suite(name: str, changes: Mapping[str, Any], registry: Registry) -> Suite:
    """Return the suite of this name or file, changed by the options that were given.

    Args:
        name: a registered suite, or the path of a TOML file.
        changes: new values by field of `Suite` or of its protocol, and ``hidden`` and
            ``activations`` for its networks; None or empty where nothing changes.
        registry: where suites are registered.

    Raises:
        ConfigError: no such suite, or a value that is not allowed.
    """
    known = {key: entry.item for key, entry in registry.entries("suites").items()}
    suite = find_suite(name, known)
    new, protocol = _given(Suite, changes), _given(StudyProtocol, changes)
    if changes.get("hidden") or changes.get("activations"):
        new["networks"] = _networks(suite, changes.get("hidden"), changes.get("activations"))
    new["protocol"] = msgspec.structs.replace(suite.protocol, **protocol)
    return check_suite(msgspec.structs.replace(suite, **new), "options")


def _given(record: type[msgspec.Struct], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that are fields of a record."""
    return {
        key: tuple(changes[key]) if isinstance(changes[key], list) else changes[key]
        for key in record.__struct_fields__
        if changes.get(key) not in (None, (), [])
    }


def _networks(
    suite: Suite, hidden: Sequence[str] | None, activations: Sequence[str] | None
) -> tuple[NetworkChoice, ...]:
    widths = [parse_widths(text) for text in hidden or ()] or [n.hidden for n in suite.networks]
    phis = list(activations or ()) or [n.activation for n in suite.networks]
    return tuple(
        NetworkChoice(hidden=width, activation=phi)
        for width in dict.fromkeys(widths)
        for phi in dict.fromkeys(phis)
    )


def parse_widths(text: str) -> tuple[int, ...]:
    """Return the widths in a text such as ``32,32``; ``linear`` means no hidden layer.

    Raises:
        ConfigError: a width is not a whole number from 1 to 1,000,000.
    """
    if text.strip() == "linear":
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= 10**6 for part in parts):
        raise ConfigError(
            f"--hidden '{text}' is not allowed; widths from 1 to 1,000,000 with commas between, "
            "as in 32,32, or 'linear' for no hidden layer"
        )
    return tuple(map(int, parts))
