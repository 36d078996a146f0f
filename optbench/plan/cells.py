"""The cells of a study, laid out from a suite; every name and value is checked once."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from optbench.contracts import Optimizer, Stepper, Value
from optbench.data.base_rates import base_rate
from optbench.data.dataset_cautions import dataset_cautions
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.errors import ConfigError
from optbench.records import Criteria, Entrant, RunSpec, StudyProtocol, Workload
from optbench.records.seeds import evaluation_seed, tuning_seed
from optbench.registry import Registry
from optbench.suites import TARGET_LEVEL, Suite, Targets, WorkloadChoice, known_targets
from optbench.tuning.search_points import is_searched, search_points
from optbench.tuning.space import SearchSpace


@dataclass(frozen=True)
class CellPlan:
    """One entrant on one workload in one replicate, with every name and value checked.

    Attributes:
        entrant: The optimizer, with the values that the user fixed.
        workload: What it is trained on.
        space: What is tuned.
        budget: Number of configurations to try.
        template: One of the runs; the others differ from it in hyperparameter values and seed.
        target: Validation loss to reach, where tuning selects by time.
        replicate: Number of the replicate, on which seeds and search points depend.
    """

    entrant: Entrant
    workload: Workload
    space: SearchSpace
    budget: int
    template: RunSpec
    target: float | None = None
    replicate: int = 0

    @property
    def optimizer(self) -> Optimizer:
        """Class of the optimizer."""
        return self.space.optimizer

    @property
    def stream(self) -> str:
        """Name of the stream of search points, the same for every entrant."""
        return f"{self.workload.label} | {self.replicate}"

    @functools.cached_property
    def is_tuned(self) -> bool:
        """Whether there is more than one configuration to try."""
        return is_searched(self.space, self.budget)

    @functools.cached_property
    def points(self) -> list[dict[str, Value]]:
        """The configurations to try, the default one first; drawn when they are asked for."""
        return search_points(self.space, self.budget, self.stream)

    def tuning_runs(self, hyper: Mapping[str, Value], first: int, count: int) -> list[RunSpec]:
        """Return the runs of one configuration with several tuning seeds.

        Args:
            hyper: A valid value for every hyperparameter.
            first: Index of the first seed.
            count: Number of seeds.
        """
        label = self.workload.label
        seeds = [tuning_seed(label, self.replicate, first + i) for i in range(count)]
        return self._runs(hyper, seeds)

    def evaluation_runs(self, hyper: Mapping[str, Value], count: int) -> list[RunSpec]:
        """Return the runs of one configuration with the first evaluation seeds.

        Args:
            hyper: A valid value for every hyperparameter.
            count: Number of seeds.
        """
        label = self.workload.label
        seeds = [evaluation_seed(label, self.replicate, i) for i in range(count)]
        return self._runs(hyper, seeds)

    def _runs(self, hyper: Mapping[str, Value], seeds: Sequence[int]) -> list[RunSpec]:
        values, replace = dict(hyper), msgspec.structs.replace
        return [replace(self.template, hyper=values, seed=seed) for seed in seeds]


@dataclass(frozen=True)
class StudyPlan:
    """The cells of a study, and how they are tuned and evaluated.

    Attributes:
        suite: Name of the suite.
        protocol: How configurations are chosen and evaluated.
        cells: Every entrant on every workload on which it is defined, in every replicate. The cells
            of a replicate stand together, so that an interrupted study has replicates that are
            complete; within one, those of a workload, whose runs share their seeds.
        left_out: One line for each entrant and regime that do not go together, and for each
            workload that is another one under a second name.
        drawn: Whether each workload is an independent draw from a declared distribution.
        data_cautions: One line for each fault of a dataset that makes its figures misleading.
        base_rates: Dataset -> accuracy of always predicting its largest class; without regressions.
        criteria: What its pairs are judged by.
        shards: Number of the part that this is, and number of all parts; empty for a whole study.
    """

    suite: str
    protocol: StudyProtocol
    cells: tuple[CellPlan, ...]
    left_out: tuple[str, ...] = ()
    drawn: bool = False
    data_cautions: tuple[str, ...] = ()
    base_rates: Mapping[str, float] = dataclasses.field(default_factory=dict)
    criteria: Criteria = dataclasses.field(default_factory=Criteria)
    shards: tuple[tuple[int, int], ...] = ()

    def with_criteria(
        self, baseline: str | None, regions: Mapping[str, float | str] | None
    ) -> StudyPlan:
        """Return this plan with a baseline or regions of practical equivalence; None keeps them.

        Raises:
            ConfigError: The baseline is not an entrant, or a region is not allowed.
        """
        criteria = self.criteria.change(baseline, regions)
        if baseline:
            criteria.check_baseline(entrant.label for entrant in self.entrants)
        return dataclasses.replace(self, criteria=criteria)

    def shard(self, number: int, count: int) -> StudyPlan:
        """Return the part of this plan that one of several drivers trains.

        The workloads and replicates are dealt out in turn. A part has all entrants on each of its
        workloads, and no two parts have a run in common, so `optbench merge` joins their stores.

        Args:
            number: Number of the part, from 1 to `count`.
            count: Number of parts.

        Raises:
            ConfigError: There are fewer workloads and replicates than parts.
        """
        places = list(dict.fromkeys(cell.stream for cell in self.cells))
        if count > len(places):
            raise ConfigError(
                f"{count} shards are too many: this study has {len(places)} workloads and "
                "replicates to deal out"
            )
        chosen = set(places[number - 1 :: count])
        cells = tuple(cell for cell in self.cells if cell.stream in chosen)
        return dataclasses.replace(self, cells=cells, shards=((number, count),))

    @property
    def entrants(self) -> list[Entrant]:
        """The entrants, in the order given."""
        return list({cell.entrant.label: cell.entrant for cell in self.cells}.values())

    @property
    def first_seeds(self) -> list[int]:
        """Seed of the first evaluation run on each workload, in the first replicate."""
        first = self.protocol.first_replicate
        return [evaluation_seed(workload.label, first, 0) for workload in self.workloads]

    @property
    def workloads(self) -> list[Workload]:
        """The workloads that they are compared on."""
        return list({cell.workload.label: cell.workload for cell in self.cells}.values())


def build_plan(suite: Suite, registry: Registry, targets: Targets | None = None) -> StudyPlan:
    """Check every name and value of a suite once, and lay out its cells.

    Args:
        suite: The suite.
        registry: Where names are looked up.
        targets: Frozen targets, used by ``select = "time"``; if None, those that plugins register.

    Raises:
        ConfigError: An unknown name, a value out of range, a targets file that cannot be read,
            no target where tuning selects by time, or nothing left to train.
    """
    protocol = suite.protocol
    if targets is None:  # read in any case: the report needs them, after hours of training
        targets = known_targets(registry)
    entrants = [make_entrant(text, registry=registry) for text in _optimizers(suite, registry)]
    labels = [entrant.label for entrant in entrants]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise ConfigError(f"optimizer {min(twice)} is entered twice")
    spaces = [
        SearchSpace(registry.optimizer(entrant.optimizer), entrant.given, protocol.ruleset)
        for entrant in entrants
    ]
    first: list[CellPlan] = []
    left_out: dict[str, None] = {}
    for workload in _workloads(suite, registry, left_out):
        target = _target(workload, targets) if protocol.select == "time" else None
        for entrant, space in zip(entrants, spaces, strict=True):
            regime = workload.regime
            if "full-batch" in space.optimizer.needs and regime != "batch":
                left_out[f"{entrant.label} supports full batches only: left out in {regime}"] = None
                continue
            first.append(_new_cell(entrant, workload, space, protocol, registry, target))
    if not first:
        raise ConfigError(f"nothing to train: {'; '.join(left_out)}")
    cells = _in_every_replicate(first, protocol)
    return StudyPlan(
        suite.name,
        suite.protocol,
        cells,
        tuple(left_out),
        drawn=suite.is_drawn,
        data_cautions=_data_cautions([cell.workload for cell in first], registry),
        base_rates=_base_rates([cell.workload for cell in first], registry),
    )


def plan_replicates(
    suite: str,
    protocol: StudyProtocol,
    pairs: Sequence[tuple[Entrant, Workload]],
    registry: Registry,
    *,
    drawn: bool = False,
) -> StudyPlan:
    """Return the plan of further replicates of entrants on workloads that were checked before.

    Args:
        suite: Name of the suite.
        protocol: Protocol with the numbers of the replicates.
        pairs: Each entrant with each of its workloads.
        registry: Where names are looked up.
        drawn: Whether each workload is an independent draw from a declared distribution.

    Raises:
        ConfigError: A name is no longer registered.
    """
    targets = known_targets(registry) if protocol.select == "time" else {}
    first = []
    for entrant, workload in pairs:
        space = SearchSpace(registry.optimizer(entrant.optimizer), entrant.given, protocol.ruleset)
        target = _target(workload, targets) if protocol.select == "time" else None
        first.append(_new_cell(entrant, workload, space, protocol, registry, target))
    cells = _in_every_replicate(first, protocol)
    return StudyPlan(suite, protocol, cells, drawn=drawn)


def _data_cautions(workloads: Sequence[Workload], registry: Registry) -> tuple[str, ...]:
    """Return the cautions about the datasets of workloads, each with the name of its dataset."""
    return tuple(
        f"{name}: {text}"
        for name in dict.fromkeys(workload.dataset for workload in workloads)
        for text in dataset_cautions(registry.dataset_source(name))
    )


def _base_rates(workloads: Sequence[Workload], registry: Registry) -> dict[str, float]:
    """Return the base rate of each dataset with classes."""
    names = dict.fromkeys(workload.dataset for workload in workloads)
    rates = {name: base_rate(registry.dataset_source(name)) for name in names}
    return {name: rate for name, rate in rates.items() if rate is not None}


def _new_cell(
    entrant: Entrant,
    workload: Workload,
    space: SearchSpace,
    protocol: StudyProtocol,
    registry: Registry,
    target: float | None,
) -> CellPlan:
    """Return the cell of an entrant on a workload, before it is put into a replicate."""
    template = make_spec(
        entrant=entrant,
        workload=workload,
        dtype=protocol.dtype,
        grid_points=protocol.grid_points,
        registry=registry,
    )
    return CellPlan(entrant, workload, space, protocol.budget, template, target)


def _in_every_replicate(first: Sequence[CellPlan], protocol: StudyProtocol) -> tuple[CellPlan, ...]:
    """Return the cells of each replicate; Steppers may have fewer than the others."""
    return tuple(
        dataclasses.replace(cell, replicate=protocol.first_replicate + index)
        for index in range(protocol.replicates)
        for cell in first
        if index < _replicates(cell, protocol)
    )


def _replicates(cell: CellPlan, protocol: StudyProtocol) -> int:
    is_stepper = issubclass(cell.optimizer, Stepper)
    return (protocol.stepper_replicates if is_stepper else 0) or protocol.replicates


def _optimizers(suite: Suite, registry: Registry) -> Sequence[str]:
    if suite.optimizers != "all":
        return suite.optimizers
    names = list(registry.entries("optimizers"))
    if not names:
        raise ConfigError("no optimizer is registered; see `optbench plugins`")
    return names


def _workloads(suite: Suite, registry: Registry, left_out: dict[str, None]) -> Iterator[Workload]:
    """Yield every workload of a suite once, checked; note the names that stand for another one."""
    regimes: dict[str, str] = {}  # label -> regime that the suite gives
    for choice in suite.workloads():
        workload = make_workload(**msgspec.structs.asdict(choice), registry=registry)
        if workload.regime != choice.regime:
            left_out[_describe_other_name(choice, workload)] = None
        elif regimes.get(workload.label) == workload.regime:
            left_out[f"{workload.label}: the suite has it twice; it is trained once"] = None
        if workload.label not in regimes:
            regimes[workload.label] = choice.regime
            yield workload


def _describe_other_name(choice: WorkloadChoice, workload: Workload) -> str:
    """Say why a regime of a suite is another regime on a dataset."""
    name = f"{choice.regime} with batch_size={choice.batch_size}"
    if workload.regime == "sgd":
        return f"{name}: an update of one example is regime sgd, and is listed as such"
    return (
        f"{name} on {workload.dataset}: an update of all {workload.batch_size} training examples "
        "is regime batch, and is listed as such"
    )


def _target(workload: Workload, targets: Targets) -> float:
    """Return the validation loss that tuning by time has to reach."""
    target = targets.get((workload.dataset, workload.network))
    if target is None:
        raise ConfigError(
            f"select=time needs a target for {workload.dataset}, {workload.network}; "
            "none is known (see `optbench targets`)"
        )
    return target.loss(TARGET_LEVEL)
