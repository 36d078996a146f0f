"""Compares one core with all cores: a study, its runs alone, and their machine code alone.

    python -m tests.benchmarks.cores [--suite quick] [--rounds 5] [--json cores.json]

One replicate of the suite is trained with one job and with a job for each core, in turns and in
one process. *Study* plans and stores the runs as ``optbench run`` does; *runs* are the same runs in
bare threads; *machine code* is their training and evaluation, with everything prepared before. What
a row loses against the next one is lost to the driver, or to the Python code of a run; what the
last one loses, to memory, to the clock of the cores, or to other processes.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optbench.engine.grid import grid_of
from optbench.engine.kernels.arguments import empty_record
from optbench.engine.kernels.subnormals import flushed_subnormals
from optbench.engine.loops.choice import make_loop
from optbench.engine.problem import build_problem
from optbench.engine.training import train_spec
from optbench.execution import LocalExecutor
from optbench.plan import StudyPlan, build_plan
from optbench.records import RunSpec
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study import STORE_NAME, run_study
from optbench.suites.overrides import change_suite, resolve_suite
from optbench.support.child_processes import available_cores

Work = Callable[[], object]
"""What is timed."""
Maker = Callable[[int], Work]
"""Prepares the same work for any number of jobs."""


def one_replicate(suite: str) -> StudyPlan:
    """Return the plan of a suite with a single replicate."""
    registry = default_registry()
    return build_plan(change_suite(resolve_suite(suite, registry), {"replicates": 1}), registry)


def train_study(plan: StudyPlan, jobs: int) -> list[RunSpec]:
    """Run a study in an empty folder, and return its runs."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalExecutor(jobs, first_seeds=plan.first_seeds) as executor,
        Store(Path(folder) / STORE_NAME) as store,
    ):
        return [result.spec for result in run_study(plan, store, executor).runs]


def in_threads(jobs: int, works: Sequence[Work]) -> None:
    """Do all of it, in as many threads as there are jobs."""

    def do(work: Work) -> None:
        with flushed_subnormals():
            work()

    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(do, works):
            pass


def machine_code(runs: Sequence[RunSpec]) -> list[Work]:
    """Return what trains and evaluates each run, with everything else done before."""
    works: list[Work] = []
    for run in runs:
        problem = build_problem(run, default_registry())
        points = np.concatenate([[0], grid_of(run, problem.n_train)])
        loop = make_loop(problem)
        record = empty_record(len(points), loop.evaluation_buffer())
        works.append(functools.partial(loop.measure, points, record))
    return works


def makers_of(plan: StudyPlan) -> dict[str, Maker]:
    """Return the three rows; the runs are trained once for that."""
    runs = train_study(plan, available_cores())

    def bare_runs(jobs: int) -> Work:
        works = [functools.partial(train_spec, run, health="none") for run in runs]
        return lambda: in_threads(jobs, works)

    def bare_code(jobs: int) -> Work:
        works = machine_code(runs)
        return lambda: in_threads(jobs, works)

    return {
        "study": lambda jobs: lambda: train_study(plan, jobs),
        "runs": bare_runs,
        "machine code": bare_code,
    }


@dataclass(frozen=True)
class Times:
    """Seconds of one measurement.

    Attributes:
        elapsed: By the clock.
        busy: Processor time of all threads of this process.
    """

    elapsed: float
    busy: float


def measure(work: Work) -> Times:
    """Do the work, and return how long it took."""
    elapsed, busy = time.perf_counter(), time.process_time()
    work()
    return Times(time.perf_counter() - elapsed, time.process_time() - busy)


def compare(make: Maker, jobs: int, rounds: int) -> dict[str, float]:
    """Return medians over rounds in which one job and several jobs take turns.

    Returns:
        ``"one"`` and ``"all"``: elapsed seconds; ``"speedup"``: their ratio in one round;
        ``"busy"``: cores that were busy on average with all jobs; ``"work"``: processor time with
        all jobs, as a multiple of that with one.
    """
    pairs = [(measure(make(1)), measure(make(jobs))) for _ in range(rounds)]
    columns = {
        "one": [one.elapsed for one, _ in pairs],
        "all": [several.elapsed for _, several in pairs],
        "speedup": [one.elapsed / several.elapsed for one, several in pairs],
        "busy": [several.busy / several.elapsed for _, several in pairs],
        "work": [several.busy / one.busy for one, several in pairs],
    }
    return {name: statistics.median(values) for name, values in columns.items()}


def main() -> None:
    """Print the table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--suite", default="quick")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    jobs = available_cores()
    plan = one_replicate(options.suite)
    rows = {}
    print(f"{'':<14}{'1 job, s':>10}{f'{jobs} jobs, s':>10}{'speedup':>10}{'busy':>8}{'work':>8}")
    for name, make in makers_of(plan).items():
        row = rows[name] = compare(make, jobs, options.rounds)
        print(
            f"{name:<14}{row['one']:>10.2f}{row['all']:>10.2f}{row['speedup']:>10.2f}"
            f"{row['busy']:>8.2f}{row['work']:>8.2f}",
            flush=True,
        )
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"jobs": jobs, "suite": options.suite, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
