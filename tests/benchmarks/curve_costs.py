"""Measures what the curve of a run costs, beside the training itself.

    python -m tests.benchmarks.curve_costs [--rounds 5] [--json costs.json]

Whole runs with the 40 evaluations that they have by default, Adam, float32, one core, in processor
time of the thread. `fashion-mnist` is left out unless this machine has it or may download it. The
last row is the suite `quick`, all of its runs together: one run of each entrant on each workload is
measured, with its default values, and counts as often as the suite trains it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import time

import numpy as np

from optbench.engine.grid import grid_of
from optbench.engine.kernels.arguments import empty_record
from optbench.engine.loops.choice import make_loop
from optbench.engine.problem import build_problem
from optbench.engine.training import train_problem
from optbench.errors import OptbenchError
from optbench.plan import StudyPlan
from optbench.plan.steps import planned_runs
from optbench.records import RunSpec
from optbench.registry import default_registry
from tests.benchmarks.cores import one_replicate
from tests.engine.spec_factory import spec_of

ROWS = (
    ("digits", (32, 32), "sgd", 1, 10),
    ("digits", (32, 32), "mini-batch", 32, 10),
    ("digits", (32, 32), "mini-batch", 32, 40),
    ("digits", (32, 32), "batch", 0, 100),
    ("moons", (16, 16), "mini-batch", 32, 40),
    ("mnist-1d", (64, 32), "mini-batch", 32, 20),
    ("diabetes", (32,), "mini-batch", 32, 40),
    ("fashion-mnist", (100,), "mini-batch", 200, 10),
    ("fashion-mnist", (256, 256), "mini-batch", 32, 1),
)
"""Dataset, hidden layers, regime, batch size (where it is free) and epochs of the runs."""
SUITE = "quick"


Costs = dict[str, float]
"""Milliseconds of training, of the curve, and of everything around both."""


def measure_row(
    dataset: str, hidden: tuple[int, ...], regime: str, batch_size: int, epochs: int, rounds: int
) -> Costs:
    """Return the costs of a run of Adam."""
    spec = spec_of(
        "adam", dataset=dataset, hidden=hidden, regime=regime, batch_size=batch_size or 32,
        epochs=epochs,
    )  # fmt: skip
    return measure_run(spec, rounds)


def measure_run(spec: RunSpec, rounds: int) -> Costs:
    """Return the costs of a run, each the median after one run that compiles and loads."""
    problem = build_problem(spec, default_registry())
    points = np.concatenate([[0], grid_of(spec, problem.n_train)])
    train_problem(problem)
    times: dict[str, list[float]] = {"training": [], "curve": [], "around": []}
    for _ in range(rounds):
        trainer = make_loop(problem)
        record = empty_record(len(points), trainer.evaluation_buffer())
        start = time.thread_time()
        trainer.measure(points, record)
        seconds = time.thread_time() - start
        times["training"].append(float(record.numbers[0]))
        times["curve"].append(seconds - float(record.numbers[0]))
        start = time.thread_time()
        train_problem(build_problem(spec, default_registry()))
        times["around"].append(time.thread_time() - start - seconds)
    return {name: statistics.median(values) * 1000 for name, values in times.items()}


def measure_suite(plan: StudyPlan, rounds: int) -> Costs:
    """Return the costs of all runs of a plan, from one run of each cell."""
    total = dict.fromkeys(("training", "curve", "around"), 0.0)
    for cell in plan.cells:
        costs = measure_run(cell.template, rounds)
        for name in total:
            total[name] += costs[name] * planned_runs(cell, plan.protocol)
    return total


def show(name: str, costs: Costs) -> None:
    """Print a row of the table."""
    share = costs["curve"] / costs["training"]
    cells = (
        f"{costs['training']:>10.2f}{costs['curve']:>10.2f}{share:>8.1%}{costs['around']:>10.2f}"
    )
    print(f"{name:<48}{cells}", flush=True)


def main() -> None:
    """Print the table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    print(f"{'milliseconds a run':<48}{'training':>10}{'curve':>10}{'':>8}{'around':>10}")
    rows = {}
    for dataset, hidden, regime, batch_size, epochs in ROWS:
        size = f" {batch_size}" if batch_size > 1 else ""
        name = f"{dataset} {'-'.join(map(str, hidden))} {regime}{size}, {epochs} epochs"
        with contextlib.suppress(OptbenchError):  # no network, and no copy of the data
            costs = measure_row(dataset, hidden, regime, batch_size, epochs, options.rounds)
            rows[name] = costs
            show(name, costs)
    plan = one_replicate(SUITE)
    rows[SUITE] = measure_suite(plan, options.rounds)
    show(f"{SUITE}, all runs of one replicate", rows[SUITE])
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
