"""Reads ``name[key=value,...]`` and checks values against what a plugin declares."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterable, Mapping

import msgspec

from optbench.contracts import Configurable, Hyper, Plugin, Value, rate_of
from optbench.errors import ConfigError, unknown_name
from optbench.records import StepControl

_NAME = r"[^\[\]\s]+|[^\[\]\s][^\[\]\n]*\.[A-Za-z]\w*"  # names of files may have spaces
_SPELLING = re.compile(rf"(?P<name>{_NAME})(\[(?P<body>[^\[\]]*)\])?")
_OTHER_BRACKETS = re.compile(r"(?P<name>[\w:.-]+)\s*[({](?P<body>[^\[\](){}]*[:=][^\[\](){}]*)[)}]")

NO_CONTROL = StepControl()
CONTROL_HYPERS = {
    "schedule": Hyper(NO_CONTROL.schedule, "learning-rate schedule", name="schedule"),
    "warmup": Hyper(0.0, "fraction of the run that warms up", 0.0, 0.99, name="warmup"),
    "final": Hyper(0.0, "final rate as a fraction of the rate", 0.0, 1.0, name="final"),
    "clip_norm": Hyper(0.0, "largest L2 norm of the gradient, 0 for none", 0.0, name="clip_norm"),
}
"""Options of every optimizer, in addition to its own hyperparameters."""


def parse_spelling(text: str) -> tuple[str, dict[str, Value]]:
    """Split ``adam[lr=0.01,schedule=cosine]`` into a name and raw values.

    Raises:
        ConfigError: The brackets or a ``key=value`` are malformed, or a key is given twice.

    Example:
        >>> parse_spelling("adam[lr=0.01,amsgrad=true]")
        ('adam', {'lr': 0.01, 'amsgrad': True})
    """
    match = _SPELLING.fullmatch(text.strip())
    if other := _OTHER_BRACKETS.fullmatch(text.strip()):
        body = re.sub(r"\s*[:=]\s*", "=", other["body"])
        raise ConfigError(
            f"'{text}' is not of the form name[key=value,...]; write "
            f"'{other['name']}[{body}]', in square brackets and in quotes"
        )
    if match is None:
        raise ConfigError(f"'{text}' is not of the form name[key=value,...]")
    values: dict[str, Value] = {}
    for part in filter(None, (match["body"] or "").split(",")):
        key, equals, raw = (piece.strip() for piece in part.partition("="))
        if raw.startswith("("):
            stem = key.removesuffix("s")
            raise ConfigError(
                f"'{part}, ...' in '{text}' is not a single value; those of a tuple have names of "
                f"their own, such as {stem}1=...,{stem}2=..."
            )
        if not equals or not key or not raw:
            raise ConfigError(f"'{part}' in '{text}' is not of the form key=value")
        if key in values:
            raise ConfigError(f"'{key}' is given twice in '{text}'")
        values[key] = parse_value(raw)
    return match["name"], values


def has_values(text: str) -> bool:
    """Return whether a name is followed by values in brackets of any kind."""
    return "[" in text or _OTHER_BRACKETS.fullmatch(text) is not None


def parse_value(raw: str) -> Value:
    """Return a whole number, a number, true or false, or else the text itself.

    Numbers are written in plain ASCII digits. One that is too large for float64 stays text, so that
    an error shows it as it was typed.
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


def check_values(plugin: type[Configurable], given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the given values, each checked and in its declared type.

    Args:
        plugin: Class that declares the hyperparameters.
        given: Values by name; missing ones are not filled in.

    Raises:
        ConfigError: A hyperparameter is unknown, or a value is out of range or of the wrong type.
    """
    declared = plugin.hypers()
    checked = {}
    for key, value in given.items():
        if key not in declared:
            raise unknown_hyper(plugin.name, key, declared)
        try:
            checked[key] = declared[key].check(value)
        except ConfigError as problem:
            raise ConfigError(f"{plugin.name}: {problem}") from None
    return checked


def unknown_hyper(plugin: str, key: str, known: Iterable[str]) -> ConfigError:
    """Return the error for an unknown hyperparameter; a tuple such as ``betas`` has parts.

    Example:
        >>> print(unknown_hyper("adam", "betas", ["lr", "beta1", "beta2"]))
        unknown hyperparameter of adam 'betas'; give its parts: beta1, beta2
    """
    known = list(known)
    stem = key.removesuffix("s")
    parts = [name for name in known if name.removeprefix(stem).isdigit()]
    if key.endswith("s") and parts:
        return ConfigError(
            f"unknown hyperparameter of {plugin} '{key}'; give its parts: {', '.join(parts)}"
        )
    return unknown_name(f"hyperparameter of {plugin}", key, known)


def complete(plugin: type[Configurable], given: Mapping[str, Value]) -> dict[str, Value]:
    """Return all hyperparameters of a plugin: the given ones, checked, and the defaults."""
    defaults = {key: declared.default for key, declared in plugin.hypers().items()}
    return {**defaults, **check_values(plugin, given)}


def split_control(
    plugin: type[Plugin], given: Mapping[str, Value]
) -> tuple[dict[str, Value], StepControl]:
    """Separate schedule and clipping from the hyperparameters of an optimizer, and check both.

    Returns:
        The hyperparameters, and schedule and clipping.

    Raises:
        ConfigError: As for `check_values`, or for a schedule of an optimizer without a rate.
    """
    declared = plugin.hypers()
    control = {
        key: _check_control(key, value)
        for key, value in given.items()
        if key in CONTROL_HYPERS and key not in declared
    }
    own = {key: value for key, value in given.items() if key not in control}
    unknown = set(own) - set(declared)
    if unknown:
        raise unknown_hyper(plugin.name, min(unknown), [*declared, *CONTROL_HYPERS])
    result = msgspec.convert(control, StepControl)
    is_scheduled = (result.schedule, result.warmup) != (NO_CONTROL.schedule, 0.0)
    if is_scheduled and rate_of(plugin) is None:
        raise ConfigError(f"{plugin.name} has no rate, so it cannot have a schedule")
    return check_values(plugin, own), result


def _check_control(name: str, value: Value) -> Value:
    declared = CONTROL_HYPERS[name]
    try:
        return declared.check(value)
    except ConfigError as problem:  # a user may have updates in mind
        raise ConfigError(f"{problem} ({declared.meaning})") from None
