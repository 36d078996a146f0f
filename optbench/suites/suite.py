"""A suite: a named set of workloads and a protocol, read from TOML."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from optbench.errors import ConfigError, unknown_name
from optbench.records import REGIMES, Regime, StudyProtocol
from optbench.suites.document_checks import convert_document
from optbench.suites.draws import Draw, draw_workloads
from optbench.suites.toml_files import read_toml
from optbench.suites.workload_choice import Count, Size, WorkloadChoice


class NetworkChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network of a suite: widths of the hidden layers and their activation."""

    hidden: tuple[Count, ...] = (32, 32)
    activation: str = "relu"


class Suite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Workloads and a protocol.

    The workloads are the product of datasets, networks, initializers and regimes, and those in
    `workload`; or else they are drawn.

    Attributes:
        datasets: Names of datasets, values in brackets allowed.
        name: Name of the suite, by default the stem of its file.
        summary: One line for ``optbench list``.
        networks: Hidden widths and activation of each network.
        initializers: Spellings such as ``"he-normal"`` or ``"constant[value=0.1]"``.
        regimes: How many examples an update uses.
        batch_size: Examples per update in ``"mini-batch"``.
        epochs: Passes over the training part, one number or one for each regime.
        workload: Further workloads, one by one.
        draw: The distribution that the workloads are drawn from.
        optimizers: Spellings such as ``"adam[beta1=0.95]"``, or ``"all"`` registered ones.
        protocol: How configurations are chosen and evaluated.
    """

    datasets: tuple[str, ...] = ()
    name: str = ""
    summary: str = ""
    networks: tuple[NetworkChoice, ...] = (NetworkChoice(),)
    initializers: tuple[str, ...] = ("he-normal",)
    regimes: tuple[Regime, ...] = REGIMES
    batch_size: Size = 32
    epochs: Count | dict[Regime, Count] = 10
    workload: tuple[WorkloadChoice, ...] = ()
    draw: Draw | None = None
    optimizers: Literal["all"] | tuple[str, ...] = "all"
    protocol: StudyProtocol = StudyProtocol()

    def epochs_of(self, regime: Regime) -> int:
        """Return the number of epochs of a run in a regime."""
        return self.epochs if isinstance(self.epochs, int) else self.epochs[regime]

    @property
    def is_drawn(self) -> bool:
        """Whether each workload is an independent draw from a declared distribution."""
        return self.draw is not None

    def workloads(self) -> Iterator[WorkloadChoice]:
        """Yield every workload once."""
        if self.draw is not None:
            yield from draw_workloads(self.draw, f"suite {self.name}")
            return
        yield from dict.fromkeys([*self._combined_workloads(), *self.workload])

    def _combined_workloads(self) -> Iterator[WorkloadChoice]:
        """Yield every combination of datasets, networks, initializers and regimes."""
        axes = (self.datasets, self.networks, self.initializers, self.regimes)
        for dataset, network, initializer, regime in itertools.product(*axes):
            yield WorkloadChoice(
                dataset=dataset,
                hidden=network.hidden,
                activation=network.activation,
                initializer=initializer,
                regime=regime,
                batch_size=self.batch_size,
                epochs=self.epochs_of(regime),
            )


def find_suite(name: str, known: Mapping[str, Path]) -> Suite:
    """Return the suite of this name, or the one in this file.

    Args:
        name: A name in `known`, or the path of a TOML file.
        known: Paths of the registered suites by name.

    Raises:
        ConfigError: No such name or file, or the file is not a suite.
    """
    if name in known:
        return load_suite(known[name])
    if name.endswith(".toml") or "/" in name:
        return load_suite(Path(name))
    raise unknown_name("suite", name, known, listing="optbench list suites")


def load_suite(path: Path) -> Suite:
    """Return the suite in a file.

    Raises:
        ConfigError: The file is missing or malformed; names file, key and what is allowed.
    """
    where = f"suite {path}"
    return parse_suite({"name": path.stem, **read_toml(path, where)}, where)


def parse_suite(data: Mapping[str, Any], where: str) -> Suite:
    """Return the suite that a parsed TOML file describes.

    Args:
        data: The document.
        where: What an error message begins with.

    Raises:
        ConfigError: The first key that is wrong, with what is allowed.
    """
    suite = convert_document(data, Suite, where)
    _check_workloads(suite, where)
    for key in ("networks", "initializers", "regimes", "optimizers"):
        _check_selection(key, getattr(suite, key), where)
    for regime in suite.regimes:
        if isinstance(suite.epochs, dict) and regime not in suite.epochs:
            raise ConfigError(f"{where}: epochs has no number for regime '{regime}'")
    return suite


def check_suite(suite: Suite, where: str) -> Suite:
    """Return the suite if every value in it is allowed and no selection is empty.

    Raises:
        ConfigError: The first key that is wrong, with what is allowed.
    """
    return parse_suite(msgspec.to_builtins(suite), where)


def _check_workloads(suite: Suite, where: str) -> None:
    if suite.draw is not None:
        if suite.datasets or suite.workload:
            raise ConfigError(f"{where}: a suite with draw has neither datasets nor workload")
        list(draw_workloads(suite.draw, where))
    elif not (suite.datasets or suite.workload):
        raise ConfigError(f"{where}: datasets is missing or empty; nothing would be trained")
    for key in ("datasets", "workload"):
        _check_distinct(key, getattr(suite, key), where)


def _check_selection(key: str, items: str | Sequence[Any], where: str) -> None:
    if not items:
        raise ConfigError(f"{where}: {key} is empty; nothing would be trained")
    if not isinstance(items, str):
        _check_distinct(key, items, where)


def _check_distinct(key: str, items: Sequence[Any], where: str) -> None:
    for index, item in enumerate(items):
        if item in items[:index]:
            quoted = f"'{item}'" if isinstance(item, str) else str(item)
            raise ConfigError(f"{where}: {key} has {quoted} twice")
