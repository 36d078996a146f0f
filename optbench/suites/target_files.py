"""Files of frozen targets: validation losses to reach, registered by plugins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from optbench.errors import ConfigError
from optbench.registry import Registry
from optbench.suites.document_checks import convert_document
from optbench.suites.toml_files import quote_toml, read_toml
from optbench.support.text import printable

Targets = dict[tuple[str, str], dict[str, float]]
"""(dataset, ``Workload.network``) -> level (``"easy"``, ``"medium"``, ``"hard"``) -> loss."""

TARGET_LEVEL = "medium"
"""The level to which times are measured, in the leaderboard and when tuning selects by time."""
DIGITS = 4
"""Significant digits of a frozen target, which is not known more precisely."""


class _Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dataset: str
    network: str
    easy: float
    medium: float
    hard: float


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    target: tuple[_Target, ...] = ()


def known_targets(registry: Registry) -> Targets:
    """Return the frozen targets of the files that plugins register.

    Raises:
        ConfigError: As for `read_targets`.
    """
    return read_targets(entry.item for entry in registry.entries("targets").values())


def read_targets(paths: Iterable[Path]) -> Targets:
    """Return all targets of these files.

    Raises:
        ConfigError: A file is missing or malformed, or a dataset and network come twice.
    """
    targets: Targets = {}
    for path in paths:
        for target in _read(path).target:
            key = (target.dataset, target.network)
            if key in targets:
                raise ConfigError(f"targets {path}: {target.dataset}, {target.network} come twice")
            if not math.inf > target.easy >= target.medium >= target.hard > 0:
                raise ConfigError(
                    f"targets {path}: {target.dataset}, {target.network}: "
                    "the losses must be finite, with easy >= medium >= hard > 0"
                )
            targets[key] = {"easy": target.easy, "medium": target.medium, "hard": target.hard}
    return targets


def _read(path: Path) -> _File:
    where = f"targets {path}"
    return convert_document(read_toml(path, where), _File, where)


def write_targets(targets: Mapping[tuple[str, str], Mapping[str, float]], head: str = "") -> str:
    """Return the text of a file of targets, sorted by dataset and network.

    Args:
        targets: (dataset, network) -> level -> loss.
        head: A comment that says where they come from.
    """
    lines = [f"# {printable(line)}".rstrip() for line in head.splitlines()]
    for (dataset, network), levels in sorted(targets.items()):
        lines += ["", "[[target]]", f"dataset = {quote_toml(dataset)}"]
        lines += [f"network = {quote_toml(network)}"]
        lines += [f"{level} = {_round(levels[level])!r}" for level in ("easy", "medium", "hard")]
    return "\n".join(lines).lstrip("\n") + "\n"


def _round(loss: float) -> float:
    return float(f"{loss:.{DIGITS}g}")
