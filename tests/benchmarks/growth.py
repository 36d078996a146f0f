"""Measures how the time of an update grows with the network, the batch, the runs and the slots.

    python -m tests.benchmarks.growth [--rounds 5] [--json growth.json]

Networks on digits, Adam, float32, in processor time of the thread. The exponent is the slope of the
straight line through the logarithms of the larger half of the sizes: 1 is linear growth, 0 is none.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from optbench.engine.loops.choice import make_loop
from optbench.engine.problem import Problem, build_problem
from optbench.registry import default_registry
from tests.engine.spec_factory import spec_of

UPDATES = 400
"""Updates of one measurement, about."""
SLOTS = {"sgd": 0, "lion": 1, "adam": 2, "adan": 4}
"""Optimizers by their number of arrays beside the parameters."""


def problem_of(optimizer: str = "adam", batch_size: int = 32, **workload: Any) -> Problem:
    """Return a problem whose training makes about `UPDATES` updates."""
    per_epoch = -(-1078 // batch_size)
    spec = spec_of(
        f"{optimizer}[lr=1e-4]", dataset="digits", batch_size=batch_size,
        epochs=max(1, UPDATES // per_epoch), grid_points=2, **workload,
    )  # fmt: skip
    return build_problem(spec, default_registry())


def train(problem: Problem) -> int:
    """Train a problem and return the number of updates."""
    trainer = make_loop(problem, "compiled")
    trainer.advance(problem.n_train * problem.spec.epochs)
    return trainer.updates


def microseconds(problems: dict[int, Problem], rounds: int) -> dict[int, float]:
    """Return the time of an update by size: the median over rounds in which sizes take turns."""
    times: dict[int, list[float]] = {size: [] for size in problems}
    for problem in problems.values():
        train(problem)
    for _ in range(rounds):
        for size, problem in problems.items():
            start = time.thread_time()
            updates = train(problem)
            times[size].append((time.thread_time() - start) / updates * 1e6)
    return {size: statistics.median(values) for size, values in times.items()}


def runs_at_once(counts: Iterable[int], rounds: int) -> dict[int, float]:
    """Return microseconds of elapsed time per update of any run, with a thread for each core."""
    problems = [problem_of(seed=seed) for seed in range(max(counts))]
    train(problems[0])
    result = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for count in counts:
            times = []
            for _ in range(rounds):
                start = time.perf_counter()
                updates = sum(pool.map(train, problems[:count]))
                times.append((time.perf_counter() - start) / updates * 1e6)
            result[count] = statistics.median(times)
    return result


def exponent(times: dict[int, float]) -> float:
    """Return the exponent of growth over the larger half of the sizes.

    Example:
        >>> exponent({1: 5.0, 2: 6.0, 4: 12.0, 8: 24.0})
        1.0
    """
    sizes = sorted(times)[len(times) // 2 :]
    slope = np.polyfit(np.log(sizes), np.log([times[size] for size in sizes]), 1)[0]
    return round(float(slope), 2)


def main() -> None:
    """Print the table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    makers: dict[str, tuple[Iterable[int], Callable[[int], Problem]]] = {
        "hidden layers of 32": ((1, 2, 4, 8, 16), lambda n: problem_of(hidden=(32,) * n)),
        "width of two layers": ((8, 16, 32, 64, 128, 256), lambda n: problem_of(hidden=(n, n))),
        "examples per update": ((1, 4, 16, 64, 256, 1024), lambda n: problem_of(batch_size=n)),
    }
    table = {
        title: microseconds({size: make(size) for size in sizes}, options.rounds)
        for title, (sizes, make) in makers.items()
    }
    table["runs at once"] = runs_at_once((1, 2, 4, 16), options.rounds)
    for title, times in table.items():
        cells = "  ".join(f"{size}: {value:.3g}" for size, value in times.items())
        print(f"{title:<22}{cells}   exponent {exponent(times)}")
    slots = microseconds(
        {count: problem_of(name, batch_size=1) for name, count in SLOTS.items()}, options.rounds
    )
    cells = "  ".join(f"{name} ({count}): {slots[count]:.3g}" for name, count in SLOTS.items())
    print(f"{'slots, batch 1':<22}{cells}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({**table, "slots": slots}, file, indent=1)


if __name__ == "__main__":
    main()
