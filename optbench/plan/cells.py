"""From a suite to the cells of a study: every name and value checked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from optbench.contracts import Optimizer, Value
from optbench.engine.specs import make_spec
from optbench.errors import ConfigError
from optbench.hyperparameters import parse_spelling, split_control
from optbench.records import Entrant, Regime, RunSpec, StudyProtocol, Workload, changed, spell
from optbench.registry import Registry
from optbench.suites import NetworkChoice, Suite


@dataclass(frozen=True)
class CellPlan:
    """One entrant on one workload, with every name and value checked.

    Attributes:
        optimizer: its class.
        template: a run of it; others differ in hyperparameter values and seed.
    """

    entrant: Entrant
    workload: Workload
    optimizer: Optimizer
    template: RunSpec

    def run(self, hyper: Mapping[str, Value], seed: int) -> RunSpec:
        """The run of one configuration with one seed; `hyper` has every value, already valid."""
        return msgspec.structs.replace(self.template, hyper=dict(hyper), seed=seed)


@dataclass(frozen=True)
class StudyPlan:
    """All that a study will train.

    Attributes:
        suite: name of the suite.
        protocol: how configurations are chosen and judged.
        cells: every entrant on every workload that it is defined on.
        left_out: one line for each entrant and regime that do not go together.
    """

    suite: str
    protocol: StudyProtocol
    cells: tuple[CellPlan, ...]
    left_out: tuple[str, ...] = ()

    @property
    def entrants(self) -> list[Entrant]:
        """Who competes, in the order given."""
        return list({cell.entrant.label: cell.entrant for cell in self.cells}.values())

    @property
    def workloads(self) -> list[Workload]:
        """What they are compared on."""
        return list({cell.workload.label: cell.workload for cell in self.cells}.values())


def build_plan(suite: Suite, registry: Registry) -> StudyPlan:
    """Check every name and value of a suite once, and lay out its cells.

    Raises:
        ConfigError: an unknown name, a value out of range, or nothing left to train.
    """
    entrants = [make_entrant(text, registry) for text in _optimizers(suite, registry)]
    labels = [entrant.label for entrant in entrants]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise ConfigError(f"optimizer {min(twice)} is entered twice")
    cells: list[CellPlan] = []
    left_out: dict[str, None] = {}
    for dataset, network, initializer, regime in suite.workloads():
        for entrant in entrants:
            optimizer = registry.optimizer(entrant.optimizer)
            if "full-batch" in optimizer.needs and regime != "batch":
                left_out[f"{entrant.label} is defined on full batches only: not in {regime}"] = None
                continue
            cells.append(_cell(suite, entrant, registry, dataset, network, initializer, regime))
    if not cells:
        raise ConfigError(f"nothing to train: {'; '.join(left_out)}")
    return StudyPlan(suite.name, suite.protocol, tuple(cells), tuple(left_out))


def make_entrant(text: str, registry: Registry) -> Entrant:
    """Read ``adam[lr=0.01,schedule=cosine]``; what it gives is never tuned.

    Raises:
        ConfigError: an unknown name, or a value out of range.
    """
    name, values = parse_spelling(text)
    given, control = split_control(registry.optimizer(name), values)
    label = spell(name, {**given, **changed(control)})
    return Entrant(label=label, optimizer=name, given=given, control=control)


def _optimizers(suite: Suite, registry: Registry) -> Sequence[str]:
    if suite.optimizers != "all":
        return suite.optimizers
    names = list(registry.entries("optimizers"))
    if not names:
        raise ConfigError("no optimizer is registered; see `optbench plugins`")
    return names


def _cell(
    suite: Suite,
    entrant: Entrant,
    registry: Registry,
    dataset: str,
    network: NetworkChoice,
    initializer: str,
    regime: Regime,
) -> CellPlan:
    spec = make_spec(
        spell(entrant.optimizer, {**entrant.given, **changed(entrant.control)}),
        dataset=dataset,
        hidden=network.hidden,
        activation=network.activation,
        initializer=initializer,
        regime=regime,
        batch_size=suite.batch_size,
        epochs=suite.epochs_of(regime),
        dtype=suite.protocol.dtype,
        grid_points=suite.protocol.grid_points,
        registry=registry,
    )
    return CellPlan(entrant, spec.workload, registry.optimizer(entrant.optimizer), spec)
