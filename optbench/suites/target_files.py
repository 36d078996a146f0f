"""Files of frozen losses, registered by plugins: targets to reach, and the best known losses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Literal, get_args

import msgspec

from optbench.errors import ConfigError
from optbench.registry import Registry
from optbench.suites.document_checks import convert_document
from optbench.suites.toml_files import quote_toml, read_toml
from optbench.support.text import printable

Level = Literal["easy", "medium", "hard"]
LEVELS: tuple[Level, ...] = get_args(Level)

TARGET_LEVEL: Level = "medium"
"""The level to which times are measured, in the leaderboard and when tuning selects by time."""
BEST = ("best_train", "best_val", "best_test")
"""Names of the best known losses of a `Target`."""
DIGITS = 4
"""Significant digits of a frozen loss, which is not known more precisely."""


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frozen losses of one dataset and network: targets, and the best known losses.

    Scores count progress from the loss of guessing to the best known loss. A best known loss is
    that of the best entrant on its best regime and initializer, as the median over its runs.

    Attributes:
        easy, medium, hard: Validation losses to reach.
        best_train: Best known training loss at the end of a run; NaN if unknown.
        best_val: Best known validation loss that a run held; NaN if unknown.
        best_test: Best known test loss, at the evaluation with the lowest validation loss; NaN if
            unknown.
        origin: What the losses were derived from.
    """

    easy: float
    medium: float
    hard: float
    best_train: float = math.nan
    best_val: float = math.nan
    best_test: float = math.nan
    origin: str = ""

    def loss(self, level: Level) -> float:
        """Return the validation loss to reach at a level."""
        return {"easy": self.easy, "medium": self.medium, "hard": self.hard}[level]


Targets = dict[tuple[str, str], Target]
"""(dataset, ``Workload.network``) -> frozen losses."""


class _Entry(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a file: the dataset and the network, and the fields of their `Target`."""

    dataset: str
    network: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    target: tuple[_Entry, ...] = ()


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
        for entry in _read(path).target:
            key = (entry.dataset, entry.network)
            where = f"targets {path}: {entry.dataset}, {entry.network}"
            if key in targets:
                raise ConfigError(f"{where} come twice")
            if not math.inf > entry.easy >= entry.medium >= entry.hard > 0:
                raise ConfigError(
                    f"{where}: the losses must be finite, with easy >= medium >= hard > 0"
                )
            target = Target(**{name: getattr(entry, name) for name in Target.__struct_fields__})
            for name in BEST:
                best = getattr(target, name)
                if not (0 < best < math.inf or math.isnan(best)):
                    raise ConfigError(f"{where}: {name} is {best:g}; a finite loss above 0")
            targets[key] = target
    return targets


def _read(path: Path) -> _File:
    where = f"targets {path}"
    return convert_document(read_toml(path, where), _File, where)


def write_targets(targets: Mapping[tuple[str, str], Target], head: str = "") -> str:
    """Return the text of a file of targets, sorted by dataset and network.

    Args:
        targets: (dataset, network) -> frozen losses.
        head: A comment at the top of the file.
    """
    lines = [f"# {printable(line)}".rstrip() for line in head.splitlines()]
    for (dataset, network), target in sorted(targets.items(), key=itemgetter(0)):
        lines += ["", "[[target]]", f"dataset = {quote_toml(dataset)}"]
        lines += [f"network = {quote_toml(network)}"]
        losses = ((name, getattr(target, name)) for name in (*LEVELS, *BEST))
        lines += [f"{name} = {_round(loss)!r}" for name, loss in losses if not math.isnan(loss)]
        lines += [f"origin = {quote_toml(target.origin)}"] if target.origin else []
    return "\n".join(lines).lstrip("\n") + "\n"


def _round(loss: float) -> float:
    return float(f"{loss:.{DIGITS}g}")
