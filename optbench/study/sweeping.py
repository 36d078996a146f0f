"""Sweeps: one or two hyperparameters over values, everything else fixed; kept like any study."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from optbench.analysis.views.sweep_points import SweepPoint, sweep_point
from optbench.contracts import Hyper, Optimizer, Value
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.errors import ConfigError, unknown_name
from optbench.execution import Executor
from optbench.hyperparameters import CONTROL_HYPERS, parse_spelling, parse_value
from optbench.records import RunResult, RunSpec
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study.driver import Driver, KnownResults, Observer, ignore_progress

RUN_AXES = ("layers", "neurons", "batch_size", "epochs", "activation", "initializer", "regime")
"""What can be swept beside the optimizer's own hyperparameters."""
ALIASES = {"depth": "layers", "width": "neurons", "units": "neurons", "hidden": "neurons"}
"""What else they are called."""
EVEN = ("layers",)
"""Whole numbers that a range divides evenly; the others are divided by ratio."""
POINTS = 7
"""Points of a range that does not say how many."""
DIGITS = 2
"""Significant digits of the points of a range, so that they can be read and typed."""
MOST = 100_000
"""Runs in a sweep."""


@dataclass(frozen=True)
class Axis:
    """One swept hyperparameter.

    Attributes:
        name: as in `RUN_AXES`, or a hyperparameter of the optimizer.
        values: what it takes, in order.
        logarithmic: whether it is to be drawn on a log axis.
    """

    name: str
    values: tuple[Value, ...]
    logarithmic: bool = False


def parse_axis(text: str, optimizers: Sequence[str]) -> Axis:
    """Read ``lr=0.001,0.01,0.1`` or ``lr=1e-4..1`` or ``lr=1e-4..1:9``.

    Args:
        text: name, and values with commas between them or a range.
        optimizers: those that are swept; a hyperparameter must belong to each.

    Raises:
        ConfigError: the form is wrong, nothing has such a name, or a range is no range.
    """
    name, equals, rest = (part.strip() for part in text.partition("="))
    name = name.replace("-", "_")
    if not equals or not rest:
        raise ConfigError(
            f"'{text}' is not of the form name=values, as in lr=0.01,0.1 or lr=1e-4..1"
        )
    declared = _declared(name, optimizers)
    low, dots, high = rest.partition("..")
    if dots:
        return _range(name, text, low, high, declared)
    values = tuple(dict.fromkeys(_value(part) for part in rest.split(",") if part.strip()))
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    spread = (
        len(numbers) == len(values) > 2 and min(numbers) > 0 and max(numbers) >= 20 * min(numbers)
    )
    return Axis(name, values, spread)


def _value(text: str) -> Value:
    return parse_value(text.strip())


def _declared(name: str, optimizers: Sequence[str]) -> Hyper | None:
    if name in RUN_AXES:
        return None
    found: Hyper | None = None
    for text in optimizers:
        optimizer: Optimizer = default_registry().optimizer(parse_spelling(text)[0])
        hypers = {**CONTROL_HYPERS, **optimizer.hypers()}
        if name not in hypers:
            known = [*RUN_AXES, *hypers]
            raise unknown_name(f"hyperparameter of {optimizer.name} to sweep", name, known, ALIASES)
        found = hypers[name]
    return found


def _range(name: str, text: str, low: str, high: str, declared: Hyper | None) -> Axis:
    high, _, count = high.partition(":")
    try:
        ends = float(low), float(high)
        n = int(count) if count else POINTS
    except ValueError:
        raise ConfigError(f"'{text}' is no range; write low..high or low..high:points") from None
    if (
        not (math.isfinite(ends[0]) and math.isfinite(ends[1]))
        or ends[0] >= ends[1]
        or not 2 <= n <= 1000
    ):
        raise ConfigError(f"'{text}' is no range; low must be below high, with 2 to 1000 points")
    whole = declared.kind is int if declared else True
    if declared is None and name not in ("layers", "neurons", "batch_size", "epochs"):
        raise ConfigError(f"{name} has no range; list its values with commas between them")
    prior = declared.prior if declared else None
    ratio = name not in EVEN if declared is None else prior == "log"
    if prior == "one-minus-log" and ends[1] < 1:
        points = 1 - np.geomspace(1 - ends[0], 1 - ends[1], n)
    elif ratio and ends[0] > 0:
        points = np.geomspace(*ends, n)
    else:
        points, ratio = np.linspace(*ends, n), False
    if whole:
        return Axis(name, tuple(dict.fromkeys(round(p) for p in points.tolist())), ratio)
    return Axis(name, tuple(float(f"{p:.{DIGITS}g}") for p in points.tolist()), ratio)


@dataclass(frozen=True)
class SweepPlan:
    """The runs of a sweep.

    Attributes:
        axes: what is swept.
        optimizers: spellings.
        points: optimizer, swept values, and one run a seed.
        fixed: what stays the same, for the title.
    """

    axes: tuple[Axis, ...]
    optimizers: tuple[str, ...]
    points: tuple[tuple[str, dict[str, Value], tuple[RunSpec, ...]], ...]
    fixed: str


def plan_sweep(
    axes: Sequence[Axis], optimizers: Sequence[str], seeds: int, run: Mapping[str, Any]
) -> SweepPlan:
    """Every point of the grid, with one run a seed.

    Args:
        axes: one or two, of different names.
        optimizers: their spellings.
        seeds: runs at each point.
        run: arguments of `optbench.engine.specs.make_workload` that stay the same.

    Raises:
        ConfigError: too many axes, an axis twice, too many runs, or a value out of range.
    """
    names = [axis.name for axis in axes]
    if not 1 <= len(axes) <= 2 or len(set(names)) < len(names):
        raise ConfigError("sweep one or two different hyperparameters at a time")
    total = math.prod(len(axis.values) for axis in axes) * len(optimizers) * seeds
    if total > MOST:
        raise ConfigError(f"this would be {total:,} runs; at most {MOST:,}")
    points = []
    for optimizer in optimizers:
        for values in itertools.product(*(axis.values for axis in axes)):
            at = dict(zip(names, values, strict=True))
            spec = _spec(optimizer, at, run)
            specs = tuple(msgspec.structs.replace(spec, seed=seed) for seed in range(seeds))
            points.append((optimizer, at, specs))
    return SweepPlan(tuple(axes), tuple(optimizers), tuple(points), _fixed(points[0][2][0], names))


def _fixed(spec: RunSpec, swept: Sequence[str]) -> str:
    """What all runs share, in the words of a workload's label."""
    work = spec.workload
    widths = [str(n) for n in work.hidden[:1]] if "layers" in swept else map(str, work.hidden)
    size = f" B={work.batch_size}" if work.regime == "mini-batch" else ""
    parts = {
        "dataset": work.dataset,
        "neurons": f"widths {'-'.join(widths)}" if work.hidden else "no hidden layer",
        "activation": work.activation,
        "initializer": work.initialization,
        "batch_size": work.regime + ("" if "batch_size" in swept else size),
        "epochs": f"{work.epochs} epochs",
    }
    gone = set(swept) - {"batch_size"} | ({"batch_size"} if "regime" in swept else set())
    return " | ".join(text for name, text in parts.items() if name not in gone)


def _spec(optimizer: str, at: Mapping[str, Value], run: Mapping[str, Any]) -> RunSpec:
    workload, hyper = dict(run), {}
    for name, value in at.items():
        if name not in RUN_AXES:
            hyper[name] = value
        elif name not in ("layers", "neurons"):
            workload[name] = value
    hidden = tuple(workload["hidden"]) or (32,)
    width, depth = at.get("neurons", hidden[0]), at.get("layers", len(hidden))
    if "layers" in at or "neurons" in at:
        workload["hidden"] = [width] * _count(depth)
    return make_spec(entrant=make_entrant(optimizer, hyper), workload=make_workload(**workload))


def _count(layers: Value) -> int:
    if isinstance(layers, bool) or not isinstance(layers, int) or not 0 <= layers <= 1000:
        raise ConfigError(f"layers={layers} is not allowed; a whole number from 0 to 1000")
    return layers


class _SweepRuns:
    """The runs of a sweep that the store lacks, in the order of the plan."""

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
    """Train the runs that the store lacks, and summarise every point that is complete.

    Ctrl-C ends it early; everything finished is kept.

    Args:
        plan: the sweep.
        store: where results are kept, and looked up first.
        executor: trains the runs; closed when interrupted.
        observer: called with the progress after every run, and now and then.
        command: noted in the store with the runs that are trained.
        environment: likewise.

    Returns:
        The complete points in the order of the plan, and whether these are all.

    Raises:
        StoreError: the store cannot be written; everything committed is safe.
    """
    specs = {spec.key: spec for _, _, seeds in plan.points for spec in seeds}
    results = KnownResults(store)
    work = _SweepRuns(specs, results)
    Driver(work, results, store, executor, observer, command=command, environment=environment).run()
    known = {result.key: result for result in store.results(specs)}
    points = [
        sweep_point(optimizer, at, [known[spec.key] for spec in seeds])
        for optimizer, at, seeds in plan.points
        if all(spec.key in known for spec in seeds)
    ]
    return points, len(points) == len(plan.points)
