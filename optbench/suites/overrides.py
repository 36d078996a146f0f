"""A suite with what the command line changes in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from optbench.errors import ConfigError
from optbench.suites import NetworkChoice, Suite, check_suite, find_suite

if TYPE_CHECKING:
    from optbench.registry import Registry

_LISTS = ("optimizers", "datasets", "initializers", "regimes")
_NUMBERS = ("batch_size", "epochs")
_PROTOCOL = ("ruleset", "budget", "seeds", "tuning_seeds", "select", "dtype", "grid_points")


def chosen_suite(name: str, changes: Mapping[str, Any], registry: Registry) -> Suite:
    """The suite of this name or file, changed by the options that were given.

    Args:
        name: a registered suite, or the path of a TOML file.
        changes: values of the options of ``optbench run``; None or empty where not given.
        registry: where suites are registered.

    Raises:
        ConfigError: no such suite, or a value that makes no sense.
    """
    known = {key: entry.item for key, entry in registry.entries("suites").items()}
    suite = find_suite(name, known)
    new: dict[str, Any] = {key: tuple(changes[key]) for key in _LISTS if changes.get(key)}
    new |= {key: changes[key] for key in _NUMBERS if changes.get(key) is not None}
    if changes.get("hidden") or changes.get("activations"):
        new["networks"] = _networks(suite, changes.get("hidden"), changes.get("activations"))
    judged = {key: changes[key] for key in _PROTOCOL if changes.get(key) is not None}
    new["protocol"] = msgspec.structs.replace(suite.protocol, **judged)
    return check_suite(msgspec.structs.replace(suite, **new), "options")


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
    """Read ``32,32``; ``linear`` means no hidden layer.

    Raises:
        ConfigError: something is not a whole number >= 1.
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
