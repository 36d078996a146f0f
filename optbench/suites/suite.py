"""Suites: a named set of workloads and a protocol, read from TOML."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from optbench.errors import ConfigError, unknown_name
from optbench.records import DTYPES, MAX_SEEDS, REGIMES, Regime, StudyProtocol
from optbench.suites.toml_files import read_toml


class NetworkChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network of a suite: widths of the hidden layers and their activation."""

    hidden: tuple[int, ...] = (32, 32)
    activation: str = "relu"


class Suite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Workloads as the product of datasets, networks, initializers and regimes, and a protocol.

    Attributes:
        name: the stem of its file.
        summary: one line for ``optbench list``.
        datasets: names of datasets.
        networks: hidden widths and activation of each network.
        initializers: spellings such as ``"he-normal"`` or ``"constant[value=0.1]"``.
        regimes: how many examples an update sees.
        batch_size: examples an update in ``"mini-batch"``.
        epochs: passes over the training part, one number or one for each regime.
        optimizers: spellings such as ``"adam[beta1=0.95]"``, or ``"all"`` that are registered.
        protocol: how configurations are chosen and judged.
    """

    datasets: tuple[str, ...]
    name: str = ""
    summary: str = ""
    networks: tuple[NetworkChoice, ...] = (NetworkChoice(),)
    initializers: tuple[str, ...] = ("he-normal",)
    regimes: tuple[Regime, ...] = REGIMES
    batch_size: int = 32
    epochs: int | dict[Regime, int] = 10
    optimizers: Literal["all"] | tuple[str, ...] = "all"
    protocol: StudyProtocol = StudyProtocol()

    def epochs_of(self, regime: Regime) -> int:
        """Length of a run in a regime."""
        return self.epochs if isinstance(self.epochs, int) else self.epochs[regime]

    def workloads(self) -> Iterator[tuple[str, NetworkChoice, str, Regime]]:
        """Dataset, network, initializer and regime of every workload."""
        return itertools.product(self.datasets, self.networks, self.initializers, self.regimes)


def find_suite(name: str, known: Mapping[str, Path]) -> Suite:
    """The suite of this name, or the one in this file.

    Args:
        name: a name in `known`, or the path of a TOML file.
        known: paths of the registered suites by name.

    Raises:
        ConfigError: no such name or file, or the file is no suite.
    """
    if name in known:
        return load_suite(known[name])
    if name.endswith(".toml") or "/" in name:
        return load_suite(Path(name))
    raise unknown_name("suite", name, known)


def load_suite(path: Path) -> Suite:
    """Read a suite.

    Raises:
        ConfigError: the file is missing or malformed; names file, key and what is allowed.
    """
    where = f"suite {path}"
    return parse_suite({"name": path.stem, **read_toml(path, where)}, where)


def parse_suite(data: Mapping[str, Any], where: str) -> Suite:
    """Check what a TOML file said.

    Args:
        data: the document.
        where: what an error message begins with.

    Raises:
        ConfigError: the first key that is wrong, with what is allowed.
    """
    try:
        suite = msgspec.convert(dict(data), Suite)
    except msgspec.ValidationError as cause:
        raise ConfigError(f"{where}: {_explain(str(cause))}") from None
    except OverflowError as cause:
        raise ConfigError(f"{where}: a number is too large") from cause
    return check_suite(suite, where)


def check_suite(suite: Suite, where: str) -> Suite:
    """Return the suite if its numbers make sense and nothing in it is empty.

    Raises:
        ConfigError: the first key that is wrong, with what is allowed.
    """
    for key in ("datasets", "networks", "initializers", "regimes", "optimizers"):
        _check_selection(key, getattr(suite, key), where)
    numbers: dict[str, tuple[int, int, int]] = {"batch_size": (suite.batch_size, 1, 10**9)}
    for regime in suite.regimes:
        if isinstance(suite.epochs, dict) and regime not in suite.epochs:
            raise ConfigError(f"{where}: epochs says nothing of regime '{regime}'")
        numbers[f"epochs of {regime}"] = (suite.epochs_of(regime), 1, 10**6)
    for index, network in enumerate(suite.networks):
        widths = {
            f"networks[{index}].hidden[{i}]": (n, 1, 10**6) for i, n in enumerate(network.hidden)
        }
        numbers |= widths
    _check_numbers(numbers | _protocol_numbers(suite.protocol), where)
    if suite.protocol.dtype not in DTYPES:
        allowed = " or ".join(DTYPES)
        raise ConfigError(f"{where}: protocol.dtype is '{suite.protocol.dtype}'; {allowed}")
    return suite


def _protocol_numbers(protocol: StudyProtocol) -> dict[str, tuple[int, int, int]]:
    limits = {
        "budget": (1, 10_000),
        "tuning_seeds": (1, 1000),
        "seeds": (1, MAX_SEEDS),
        "widen": (0, 5),
        "grid_points": (2, 10_000),
    }
    return {f"protocol.{key}": (getattr(protocol, key), *span) for key, span in limits.items()}


def _check_numbers(numbers: Mapping[str, tuple[int, int, int]], where: str) -> None:
    for key, (value, low, high) in numbers.items():
        if not low <= value <= high:
            raise ConfigError(f"{where}: {key} is {value}; a whole number from {low} to {high:,}")


def _check_selection(key: str, chosen: str | Sequence[Any], where: str) -> None:
    if not chosen:
        raise ConfigError(f"{where}: {key} is empty; nothing would be trained")
    if not isinstance(chosen, str):
        twice = [item for index, item in enumerate(chosen) if item in chosen[:index]]
        if twice:
            raise ConfigError(f"{where}: {key} has {_text(twice[0])} twice")


def _text(item: object) -> str:
    return f"'{item}'" if isinstance(item, str) else str(item)


_AT = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`(?P<path>\$[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_WRONG_TYPE = re.compile(r"Expected `(.*?)`, got `(.*?)`", re.DOTALL)
_WRONG_WORD = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)

_TABLES: dict[str, type[msgspec.Struct]] = {
    "": Suite,
    "protocol": StudyProtocol,
    "networks": NetworkChoice,
}
_ALLOWED = {
    "regimes": REGIMES,
    "epochs": REGIMES,
    "optimizers": ('"all"', "a list of names"),
    "protocol.ruleset": ("defaults", "lr", "full"),
    "protocol.select": ("val_loss", "time"),
}
_WORDS = {
    "array": "a list",
    "object": "a table",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}


def _explain(message: str) -> str:
    """Say in a user's words what msgspec found: the key, and what is allowed there."""
    match = _AT.fullmatch(message)
    what = match["what"] if match else message
    path = ((match and match["path"]) or "$").removeprefix("$").removeprefix(".")
    key = re.sub(r"\[.*?\]", "", path)
    if unknown := _UNKNOWN.fullmatch(what):
        inside = f" in {path}" if path else ""
        return str(unknown_name(f"key{inside}", unknown[1], _TABLES[key].__struct_fields__))
    if missing := _MISSING.fullmatch(what):
        return f"{missing[1]} is missing"
    allowed = f"; allowed: {', '.join(_ALLOWED[key])}" if key in _ALLOWED else ""
    if wrong := _WRONG_TYPE.fullmatch(what):
        expected, got = (
            " or ".join(_WORDS.get(word, word) for word in kinds.split(" | "))
            for kinds in wrong.groups()
        )
        return f"{path or 'the document'} is {got}, not {expected}{allowed}"
    if word := _WRONG_WORD.fullmatch(what):
        return f"{path} has '{word[1]}'{allowed}"
    return f"{path or 'the document'}: {what}{allowed}"
