"""Measures how much of a result is luck in tuning: collapses, and the spread over tuning draws.

    python -m tests.benchmarks.tuning_luck [--draws 6] [--seeds 10] [--dataset moons]

Five classics are tuned on a dataset in three regimes, several times independently, by four rules:
by the final and by the lowest validation loss of single runs, by the latter after a retest of three
trials, and by the default rule. Each choice is evaluated on the same seeds, so what differs between
the draws is the tuning only.

A cell collapses if its mean score is below 0.55 or one of its evaluation runs is lost. The score
goes from guessing to the lowest test loss of any run here; it is measured where each rule reads the
test part: at the end, or at the lowest validation loss.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from optbench.analysis.statistics.scoring import frozen_score
from optbench.execution import Executor, LocalExecutor
from optbench.plan import CellPlan, StudyPlan, advance, build_plan
from optbench.records import Regime, RunResult, RunSpec, StudyProtocol
from optbench.registry import default_registry
from optbench.suites import Suite
from optbench.tuning.trials import is_lost

COLLAPSE = 0.55
"""Score below which a cell has collapsed."""
EPOCHS: dict[Regime, int] = {"batch": 50, "mini-batch": 20, "sgd": 10}
OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam")


@dataclass(frozen=True)
class Rule:
    """A rule of selection.

    Attributes:
        name: Its name in the table.
        protocol: How configurations are chosen.
        measure: Where the test loss of a run is read.
    """

    name: str
    protocol: StudyProtocol
    measure: Callable[[RunResult], float]


def train(executor: Executor, specs: Iterable[RunSpec], results: dict[str, RunResult]) -> None:
    """Train the runs that have no result yet."""
    wanted = {spec.key: spec for spec in specs if spec.key not in results}
    results |= {result.key: result for result in executor.map(wanted.values())}


def tune(executor: Executor, plan: StudyPlan, results: dict[str, RunResult]) -> list[RunSpec]:
    """Tune every cell, and return one run of the chosen configuration of each."""
    unseeded = msgspec.structs.replace(plan.protocol, seeds=1)
    while True:
        steps = [advance(cell, unseeded, results) for cell in plan.cells]
        missing = [s for step in steps if step.cell.chosen is None for s in step.missing]
        if not missing:
            break
        train(executor, missing, results)
    chosen = [step.cell.chosen or {} for step in steps]
    return [
        cell.evaluation_runs(hyper, 1)[0] for cell, hyper in zip(plan.cells, chosen, strict=True)
    ]


def evaluations(plan: StudyPlan, chosen: list[RunSpec], seeds: int) -> list[list[RunSpec]]:
    """Return the evaluation runs of every choice, with the seeds of the first replicate."""
    first: dict[tuple[str, str], CellPlan] = {}
    for cell in plan.cells:
        first.setdefault((cell.entrant.label, cell.workload.label), cell)
    return [
        first[cell.entrant.label, cell.workload.label].evaluation_runs(spec.hyper, seeds)
        for cell, spec in zip(plan.cells, chosen, strict=True)
    ]


def main() -> None:
    """Measure, and print one row for each rule."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=6, help="independent tunings")
    parser.add_argument("--seeds", type=int, default=10, help="evaluation seeds")
    parser.add_argument("--dataset", default="moons")
    options = parser.parse_args()
    default = StudyProtocol(replicates=options.draws)
    plain = msgspec.structs.replace(default, budget=8, refine_trials=0, retest_trials=0)
    rules = [
        Rule(
            "end of the run, no retest",
            msgspec.structs.replace(plain, select="val_loss"),
            lambda run: run.test_loss,
        ),
        Rule("best point, no retest", plain, lambda run: run.best_test_loss),
        Rule(
            "retest of 3 on 3 seeds",
            msgspec.structs.replace(plain, retest_trials=3, retest_seeds=3),
            lambda run: run.best_test_loss,
        ),
        Rule("default", default, lambda run: run.best_test_loss),
    ]
    results: dict[str, RunResult] = {}
    cells: dict[str, list[list[RunSpec]]] = {}
    started = time.monotonic()
    with LocalExecutor() as executor:
        for rule in rules:
            suite = Suite(
                datasets=(options.dataset,),
                optimizers=OPTIMIZERS,
                epochs=EPOCHS,
                protocol=rule.protocol,
            )
            plan = build_plan(suite, default_registry())
            cells[rule.name] = evaluations(plan, tune(executor, plan, results), options.seeds)
            train(executor, [spec for runs in cells[rule.name] for spec in runs], results)
    shape = (options.draws, -1)
    best = min(
        rule.measure(results[spec.key])
        for rule in rules
        for runs in cells[rule.name]
        for spec in runs
        if math.isfinite(rule.measure(results[spec.key]))
    )
    print(f"{len(results)} runs in {time.monotonic() - started:.0f} s; lowest test loss {best:.4f}")
    print(f"{'rule':30} collapses  lost runs  spread  worst spread  mean score")
    for rule in rules:
        print(describe(rule, cells[rule.name], results, best, shape))


def describe(
    rule: Rule,
    cells: list[list[RunSpec]],
    results: Mapping[str, RunResult],
    best: float,
    shape: tuple[int, ...],
) -> str:
    """Return one line of the table."""
    runs = [[results[spec.key] for spec in specs] for specs in cells]
    lost = np.array([[is_lost(run) for run in cell] for cell in runs])
    losses = np.array([[rule.measure(run) for run in cell] for cell in runs])
    guess = max(run.guess_test_loss for cell in runs for run in cell if not is_lost(run))
    scores = frozen_score(np.where(lost, np.inf, losses), guess, best).mean(axis=1)
    collapsed = (scores < COLLAPSE) | lost.any(axis=1)
    spreads = scores.reshape(shape).std(axis=0, ddof=1)
    return (
        f"{rule.name:30} {collapsed.sum():4d} of {len(cells):<3d}{lost.sum():9d}"
        f"{np.sqrt((spreads**2).mean()):9.3f}{spreads.max():12.3f}{scores.mean():14.3f}"
    )


if __name__ == "__main__":
    main()
