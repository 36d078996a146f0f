"""Files of frozen losses, registered by plugins: targets to reach, and the best known losses."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Literal, cast, get_args

import msgspec

from optbench.errors import ConfigError, PluginWarning, unknown_name
from optbench.registry import Registry
from optbench.suites.document_checks import convert_document
from optbench.suites.toml_files import quote_toml, read_toml
from optbench.support.text import printable

Level = Literal["easy", "medium", "hard"]
LEVELS: tuple[Level, ...] = get_args(Level)

SHARES: dict[Level, float] = {"easy": 0.5, "medium": 0.75, "hard": 0.9}
"""Level -> share of the way from guessing to the best known loss, in log loss."""
TARGET_LEVEL: Level = "medium"
"""The level to which times are measured, in the leaderboard and when tuning selects by time."""
BEST = ("best_train", "best_val", "best_test")
"""Names of the best known losses of a `Target`."""
DIGITS = 4
"""Significant digits of a frozen loss, which is not known more precisely."""


def parse_levels(texts: Iterable[str | float]) -> tuple[float, ...]:
    """Return levels as shares of the way from guessing to the best known loss.

    Args:
        texts: Names of levels, or shares above 0 and up to 1.

    Raises:
        ConfigError: One of them is neither.

    Example:
        >>> parse_levels(["hard", "0.5"])
        (0.5, 0.9)
    """
    shares = []
    for text in texts:
        named = SHARES.get(cast(Level, text))
        try:
            share = float(text) if named is None else named
        except ValueError:
            raise unknown_name("level", str(text), LEVELS) from None
        if not 0 < share <= 1:
            raise ConfigError(
                f"level {text} is not a share above 0 and up to 1, or {', '.join(LEVELS)}"
            )
        shares.append(share)
    return tuple(sorted(set(shares)))


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

    def loss_at(self, share: float) -> float:
        """Return the validation loss at a share of the way to the best known loss, in log loss.

        It is that of a level at the share of the level, and interpolated between.

        Args:
            share: Above 0 for guessing, up to 1 for the best known loss.

        Example:
            >>> target = Target(easy=0.1, medium=0.0316, hard=0.016)
            >>> target.loss_at(0.5), round(target.loss_at(0.25), 3)
            (0.1, 0.316)
        """
        points = [(SHARES[level], self.loss(level)) for level in LEVELS]
        if math.isfinite(self.best_val):
            points.append((1.0, self.best_val))
        for known, loss in points:
            if share == known:
                return loss
        ends = list(itertools.pairwise(points))
        (x0, low), (x1, high) = next((e for e in ends if share < e[1][0]), ends[-1])
        return low * math.pow(high / low, (share - x0) / (x1 - x0))


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

    A file that cannot be used is left out, and so is a workload for which two files have other
    losses; each costs a `PluginWarning`.
    """
    targets: Targets = {}
    disputed = set()
    for entry in registry.entries("targets").values():
        try:
            own = read_targets([entry.item])
        except ConfigError as cause:
            text = f"plugin {entry.distribution}: its targets are left out: {cause}"
            warnings.warn(text, PluginWarning, stacklevel=2)
            continue
        for key in sorted(own.keys() & targets.keys()):
            if own[key] != targets[key]:
                disputed.add(key)
                text = f"two plugins have targets for {', '.join(key)}, one of them "
                text += f"{entry.distribution}: both are left out"
                warnings.warn(text, PluginWarning, stacklevel=2)
        targets |= own
    return {key: target for key, target in targets.items() if key not in disputed}


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
