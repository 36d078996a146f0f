"""Planning and execution of sweeps over one or two hyperparameters, with everything else fixed."""

from __future__ import annotations

import itertools
import logging
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from optbench.analysis.views.sweep_points import SweepPoint, sweep_point
from optbench.contracts import Value
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.errors import ConfigError
from optbench.execution import Executor
from optbench.hyperparameters import parse_spelling
from optbench.records import RunResult, RunSpec, spell
from optbench.registry import Registry
from optbench.store import Store
from optbench.study.driver import Driver, KnownResults, Observer, ignore_progress
from optbench.study.sweep_axes import RUN_AXES, Axis
from optbench.support.text import count

_log = logging.getLogger(__name__)

MAX_RUNS = 100_000
"""Largest number of runs in a sweep."""
MAX_LAYERS = 1000
"""Largest number of hidden layers in a sweep over ``layers``."""
DEFAULT_WIDTH = 32
"""Number of units per layer if a sweep adds layers to a network without hidden layers."""


class PlannedPoint(NamedTuple):
    """One point of the grid of a sweep.

    Attributes:
        optimizer: Spelling of the optimizer.
        values: Value of each swept hyperparameter.
        runs: One run per seed.
    """

    optimizer: str
    values: dict[str, Value]
    runs: tuple[RunSpec, ...]


@dataclass(frozen=True)
class SweepPlan:
    """The runs of a sweep.

    Attributes:
        axes: Swept axes.
        optimizers: Spellings of the optimizers.
        points: Grid points of each optimizer.
        fixed: Description of everything that is not swept, for the title.
    """

    axes: tuple[Axis, ...]
    optimizers: tuple[str, ...]
    points: tuple[PlannedPoint, ...]
    fixed: str


def plan_sweep(
    axes: Sequence[Axis],
    optimizers: Sequence[str],
    seeds: int,
    workload: Mapping[str, Any],
    registry: Registry | None = None,
) -> SweepPlan:
    """Return every point of the grid, with one run per seed.

    Args:
        axes: One or two axes with different names.
        optimizers: Spellings of the optimizers.
        seeds: Number of runs per point.
        workload: Arguments of `optbench.engine.specs.make_workload` that are not swept.
        registry: Registry in which names are looked up; that of the process if None.

    Raises:
        ConfigError: There are too many axes or runs, an axis occurs twice, or a value is out of
            range.
    """
    names = [axis.name for axis in axes]
    if not 1 <= len(axes) <= 2 or len(set(names)) < len(names):
        raise ConfigError("sweep one or two different hyperparameters at a time")
    total = math.prod(len(axis.values) for axis in axes) * len(optimizers) * seeds
    if total > MAX_RUNS:
        raise ConfigError(f"this would be {total:,} runs; at most {MAX_RUNS:,}")
    points = []
    for optimizer in optimizers:
        for combination in itertools.product(*(axis.values for axis in axes)):
            values = dict(zip(names, combination, strict=True))
            spec = _spec_at(optimizer, values, workload, registry)
            runs = tuple(msgspec.structs.replace(spec, seed=seed) for seed in range(seeds))
            points.append(PlannedPoint(optimizer, values, runs))
    largest = max(points, key=lambda point: point.runs[0].batch_size)  # few examples limit it
    fixed = _describe_fixed(largest.runs[0], names, workload)
    _log_full_batches(points)
    return SweepPlan(tuple(axes), tuple(optimizers), tuple(points), fixed)


def _log_full_batches(points: Sequence[PlannedPoint]) -> None:
    """Say once which batch sizes of a sweep are the whole training part, and so one workload."""
    sizes: dict[Value, None] = {}
    for point in points:
        size, spec = point.values.get("batch_size"), point.runs[0]
        if point.values.keys() & {"regime", "train_size"} or not isinstance(size, int):
            return
        if spec.regime == "batch" and size > spec.batch_size:
            sizes[size] = None
            largest = f"{spec.batch_size} training examples of {spec.dataset}"
    if sizes:
        listed = ", ".join(map(str, sizes))
        _log.info("batch_size=%s: full batch, the %s in every update", listed, largest)


def _describe_fixed(spec: RunSpec, swept: Sequence[str], asked: Mapping[str, Any]) -> str:
    """Return the settings that all runs share, formatted like the label of a workload."""
    work = spec.workload
    regime = asked.get("regime", work.regime) if "batch_size" in swept else work.regime
    widths = [str(n) for n in work.hidden[:1]] if "layers" in swept else map(str, work.hidden)
    size = f" B={work.batch_size}" if work.regime == "mini-batch" else ""
    parts = {
        "dataset": _whole_dataset(work.dataset) if "train_size" in swept else work.dataset,
        "neurons": f"widths {'-'.join(widths)}" if work.hidden else "no hidden layer",
        "activation": work.activation,
        "initializer": work.initialization,
        "batch_size": regime + ("" if "batch_size" in swept else size),
        "epochs": count(work.epochs, "epoch"),
    }
    left_out = set(swept) - {"batch_size"} | ({"batch_size"} if "regime" in swept else set())
    return " | ".join(text for name, text in parts.items() if name not in left_out)


def _whole_dataset(text: str) -> str:
    """Return the spelling of a dataset without ``train_size``."""
    name, given = parse_spelling(text)
    return spell(name, {key: value for key, value in given.items() if key != "train_size"})


def _spec_at(
    optimizer: str,
    values: Mapping[str, Value],
    workload: Mapping[str, Any],
    registry: Registry | None,
) -> RunSpec:
    """Return the run at a point of the grid, with seed 0."""
    arguments, hyper = dict(workload), {}
    for name, value in values.items():
        if name not in RUN_AXES:
            hyper[name] = value
        elif name == "train_size":
            dataset, given = parse_spelling(arguments["dataset"])
            arguments["dataset"] = spell(dataset, {**given, name: value})
        elif name not in ("layers", "neurons"):
            arguments[name] = value
    if "layers" in values or "neurons" in values:
        hidden = tuple(arguments["hidden"]) or (DEFAULT_WIDTH,)
        layers = _check_layers(values.get("layers", len(hidden)))
        arguments["hidden"] = [values.get("neurons", hidden[0])] * layers
    return make_spec(
        entrant=make_entrant(optimizer, hyper, registry=registry),
        workload=make_workload(**arguments, registry=registry),
        registry=registry,
    )


def _check_layers(layers: Value) -> int:
    if isinstance(layers, bool) or not isinstance(layers, int) or not 0 <= layers <= MAX_LAYERS:
        raise ConfigError(f"layers={layers} is not allowed; a whole number from 0 to {MAX_LAYERS}")
    return layers


class _SweepRuns:
    """The runs of a sweep that are missing from the store, in the order of the plan."""

    leader = ""

    def __init__(self, specs: Mapping[str, RunSpec], results: KnownResults) -> None:
        self.planned = len(specs)
        self._missing = [spec for key, spec in specs.items() if key not in results]
        self.done = self.planned - len(self._missing)
        self._waiting = deque(self._missing)
        self._results = results

    def templates(self) -> list[RunSpec]:
        return self._missing

    def next_runs(self, room: int) -> list[RunSpec]:
        return [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]

    def accept(self, result: RunResult) -> str:
        self.done += 1
        self._results.release([result])
        return result.spec.optimizer


def run_sweep(
    plan: SweepPlan,
    store: Store,
    executor: Executor,
    *,
    observer: Observer = ignore_progress,
    command: str = "",
    environment: Mapping[str, Any] | None = None,
) -> tuple[list[SweepPoint], bool]:
    """Train the runs that are missing from the store, and summarize every complete point.

    Ctrl-C ends the sweep early; finished runs are kept.

    Args:
        plan: The sweep.
        store: Store of the results; runs that it has are not trained.
        executor: Trains the runs; closed when interrupted.
        observer: Function called with the progress after every run, and periodically.
        command: Command recorded in the store with the runs that are trained.
        environment: Environment recorded with them.

    Returns:
        The complete points in the order of the plan, and whether all points are complete.

    Raises:
        StoreError: The store cannot be written; committed results are safe.
    """
    specs = {spec.key: spec for point in plan.points for spec in point.runs}
    results = KnownResults(store)
    work = _SweepRuns(specs, results)
    Driver(work, results, store, executor, observer, command=command, environment=environment).run()
    known = {result.key: result for result in store.results(specs)}
    points = [
        sweep_point(point.optimizer, point.values, [known[spec.key] for spec in point.runs])
        for point in plan.points
        if all(spec.key in known for spec in point.runs)
    ]
    return points, len(points) == len(plan.points)
