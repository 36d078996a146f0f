"""Reads ``name[key=value,...]`` and checks values against what a plugin declares."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping

import msgspec

from optbench.contracts import Hyper, Plugin, Value
from optbench.errors import ConfigError, unknown_name
from optbench.records import StepControl

_SPELLING = re.compile(r"(?P<name>[^\[\]\s]+)(\[(?P<body>[^\[\]]*)\])?")

NO_CONTROL = StepControl()
CONTROL_HYPERS = {
    "schedule": Hyper(NO_CONTROL.schedule, "learning-rate schedule", name="schedule"),
    "warmup": Hyper(0.0, "fraction of the run that warms up", 0.0, 0.99, name="warmup"),
    "final": Hyper(0.0, "final learning rate as a fraction of lr", 0.0, 1.0, name="final"),
    "clip_norm": Hyper(0.0, "largest L2 norm of the gradient, 0 for none", 0.0, name="clip_norm"),
}
"""What any optimizer takes beside its own hyperparameters."""


def parse_spelling(text: str) -> tuple[str, dict[str, Value]]:
    """Split ``adam[lr=0.01,schedule=cosine]`` into a name and raw values.

    Raises:
        ConfigError: the brackets or a ``key=value`` are malformed, or a key comes twice.

    Example:
        >>> parse_spelling("adam[lr=0.01,amsgrad=true]")
        ('adam', {'lr': 0.01, 'amsgrad': True})
    """
    match = _SPELLING.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"'{text}' is not of the form name[key=value,...]")
    values: dict[str, Value] = {}
    for part in filter(None, (match["body"] or "").split(",")):
        key, equals, raw = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not raw:
            raise ConfigError(f"'{part}' in '{text}' is not of the form key=value")
        if key in values:
            raise ConfigError(f"'{key}' is given twice in '{text}'")
        values[key] = parse_value(raw)
    return match["name"], values


def parse_value(raw: str) -> Value:
    """A whole number, a number, true or false, or else the text itself.

    Numbers are written in plain digits; one too large for float64 stays text, to be told as it was
    typed.
    """
    if raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    if not raw.isascii() or "_" in raw:
        return raw
    with contextlib.suppress(ValueError):
        return int(raw)
    with contextlib.suppress(ValueError):
        number = float(raw)
        return raw if math.isinf(number) and any(c.isdigit() for c in raw) else number
    return raw


def check_values(
    plugin: type[Plugin], given: Mapping[str, Value], name: str = ""
) -> dict[str, Value]:
    """Check the given values; returns those alone, each in its declared type.

    Raises:
        ConfigError: an unknown hyperparameter, or a value out of range or of the wrong type.
    """
    declared = plugin.hypers()
    checked = {}
    for key, value in given.items():
        if key not in declared:
            raise unknown_name(f"hyperparameter of {name or plugin.name}", key, declared)
        try:
            checked[key] = declared[key].check(value)
        except ConfigError as problem:
            raise ConfigError(f"{name or plugin.name}: {problem}") from None
    return checked


def complete(plugin: type[Plugin], given: Mapping[str, Value]) -> dict[str, Value]:
    """All hyperparameters of a plugin: those given, checked, over the defaults."""
    defaults = {key: declared.default for key, declared in plugin.hypers().items()}
    return {**defaults, **check_values(plugin, given)}


def split_control(
    plugin: type[Plugin], given: Mapping[str, Value]
) -> tuple[dict[str, Value], StepControl]:
    """Separate schedule and clipping from the optimizer's own hyperparameters, both checked.

    Raises:
        ConfigError: as `check_values`; or a schedule for an optimizer without ``lr``.
    """
    declared = plugin.hypers()
    control = {
        key: CONTROL_HYPERS[key].check(value)
        for key, value in given.items()
        if key in CONTROL_HYPERS and key not in declared
    }
    own = {key: value for key, value in given.items() if key not in control}
    unknown = set(own) - set(declared)
    if unknown:
        raise unknown_name(
            f"hyperparameter of {plugin.name}", min(unknown), [*declared, *CONTROL_HYPERS]
        )
    result = msgspec.convert(control, StepControl)
    if "lr" not in declared and (result.schedule, result.warmup) != (NO_CONTROL.schedule, 0.0):
        raise ConfigError(f"{plugin.name} has no lr, so a schedule has nothing to act on")
    return check_values(plugin, own), result
