"""Compares the speed of optbench with scikit-learn, PyTorch and JAX, interleaved in one process.

    python -m tests.benchmarks.peers [--rounds 7] [--batch 1] [--curve] [--cpu avx2] [--json FILE]

Each peer trains the same network on the same examples in the same batches with the same optimizer.
The figure is updates per second of processor time in training, with everything compiled before; it
is the median over rounds in which the peers take turns, so that a busy moment affects all of them.
With ``--curve``, they train whole runs, and each peer evaluates loss and accuracy on the training
and the validation part after the same updates as optbench; the time of that counts.
It needs the extra ``peers``; a peer that is not installed is named on stderr. ``--cpu avx2`` lets
every library leave AVX-512 alone, and ``--cpu generic`` AVX2 too, where it can: XLA multiplies
matrices with AVX-512 all the same.
"""

from __future__ import annotations

# ruff: noqa: E402  (one thread each: set before the libraries read it)
import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
CPUS = {
    "native": {},
    "avx2": {
        # The name alone leaves the features of this processor, such as twice the registers.
        "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2", "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",  # PyTorch multiplies with it, on Intel with AVX-512
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
    "generic": {
        "NUMBA_CPU_NAME": "generic", "OPENBLAS_CORETYPE": "Nehalem",
        "ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
    },
}  # fmt: skip
"""Instruction sets, and the variables by which each library takes code of no newer one."""
for cpu, variables in CPUS.items():
    if ["--cpu", cpu] in [sys.argv[i : i + 2] for i in range(len(sys.argv))]:
        os.environ.update(variables)

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from optbench import Array, DatasetSource
from optbench.engine.problem import Problem, build_problem
from optbench.errors import OptbenchError
from optbench.registry.scoped import ScopedRegistry
from tests.benchmarks.peer_trainers import (
    Trainer,
    Work,
    jax_trainer,
    made_up_work,
    optbench_trainer,
    sklearn_trainer,
    torch_trainer,
    work_with_curve,
)
from tests.engine.spec_factory import spec_of

N = 1500
OPTIMIZERS = ("adam", "sgd")
BATCHES = (1, 32, N)
NETWORKS = {"64-32-32-10": (64, 32, 32, 10), "784-256-256-10": (784, 256, 256, 10)}
EPOCHS = {"64-32-32-10": {1: 20, 32: 60, N: 60}, "784-256-256-10": {1: 1, 32: 4, N: 4}}
"""Passes over the data by network and batch; one measurement lasts some hundredths of a second or
longer."""
GOALS = {  # batch -> peer -> least ratio, for the small network with Adam
    32: {"scikit-learn": 15, "PyTorch": 20, "JAX": 1.3},
    1: {"PyTorch": 60, "JAX": 1.3},
    N: {"PyTorch": 2, "JAX": 1.1},
}
CURVES: tuple[dict[str, Any], ...] = (
    {"dataset": "digits", "hidden": (32, 32), "regime": "sgd", "epochs": 2},
    {"dataset": "digits", "hidden": (32, 32), "epochs": 10},
    {"dataset": "digits", "hidden": (32, 32), "epochs": 40},
    {"dataset": "digits", "hidden": (32, 32), "regime": "batch", "epochs": 100},
    {"dataset": "fashion-mnist", "hidden": (100,), "batch_size": 200, "epochs": 1},
)
"""Workloads of the runs with a curve."""
MANY_RUNS = ("16 runs", "64 runs")
"""Forms of JAX that take minutes with a large network."""


class RandomImages(DatasetSource):
    """Random numbers in the shape of Fashion-MNIST, where the images are not at hand."""

    name = "random-images"
    task = "multiclass"
    standardize = False

    def load(self) -> tuple[Array, Array, Array, Array]:
        """Return 60,000 training and 10,000 test images."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((70_000, 784), dtype=np.float32)
        y = rng.integers(0, 10, 70_000)
        return x[:60_000], y[:60_000], x[60_000:], y[60_000:]


def available(curve: bool = False) -> dict[str, Callable[[Work], dict[str, Trainer]]]:
    """Return the peers that are installed; the others are named on stderr.

    Args:
        curve: Whether they have to evaluate along the run, which scikit-learn does not offer.
    """
    peers: dict[str, Callable[[Work], dict[str, Trainer]]] = {
        "optbench": lambda work: {"compiled": optbench_trainer(work)},
        "scikit-learn": lambda work: {"MLPClassifier": sklearn_trainer(work)},
        "PyTorch": lambda work: {f: torch_trainer(work, f) for f in ("foreach", "fused")},
        "JAX": lambda work: {f"{runs} runs": jax_trainer(work, runs) for runs in (1, 16, 64)},
    }
    if curve:
        del peers["scikit-learn"]
    for name, module in {"scikit-learn": "sklearn", "PyTorch": "torch", "JAX": "jax"}.items():
        try:
            __import__(module)
        except ImportError:
            print(f"{name} is not installed: pip install 'optbench[peers]'", file=sys.stderr)
            peers.pop(name, None)
    return peers


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Keep every thread of this process on the given cores, where the system allows it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    for cpus in (cores, before):
        for task in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(task), cpus)
        if cpus is cores:
            yield


def measure(
    trainers: dict[str, Trainer], rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """Return updates per second of each trainer: the median over interleaved rounds.

    Processor time, the default, leaves out what other processes do on a core; trainers that use
    several cores need `time.perf_counter`.
    """
    rates: dict[str, list[float]] = {name: [] for name in trainers}
    for train in trainers.values():
        train()
    for _ in range(rounds):
        for name, train in trainers.items():
            start = clock()
            updates = train()
            rates[name].append(updates / (clock() - start))
    return {name: statistics.median(values) for name, values in rates.items()}


def compare(
    rounds: int, networks: list[str], optimizers: list[str], batches: list[int]
) -> list[dict[str, object]]:
    """Measure each network, optimizer and batch size on one core; return one row for each."""
    peers = available()
    return [
        measure_row(
            made_up_work(NETWORKS[network], optimizer, batch, EPOCHS[network][batch], N),
            peers, rounds, {"network": network, "optimizer": optimizer, "batch": batch},
        )
        for network in networks
        for optimizer in optimizers
        for batch in batches
    ]  # fmt: skip


def compare_curves(rounds: int, optimizers: list[str]) -> list[dict[str, object]]:
    """Measure whole runs with their evaluations on one core; return one row for each."""
    peers, rows = available(curve=True), []
    for optimizer in optimizers:
        for workload in CURVES:
            problem = problem_of(optimizer, workload)
            spec = problem.spec
            label = {
                "network": "-".join(map(str, problem.network.sizes)), "optimizer": optimizer,
                "batch": spec.batch_size, "dataset": spec.dataset, "epochs": spec.epochs,
            }  # fmt: skip
            rows.append(measure_row(work_with_curve(problem), peers, rounds, label))
    return rows


def problem_of(optimizer: str, workload: Mapping[str, Any]) -> Problem:
    """Return a run on a workload, with random numbers for images that cannot be loaded."""
    registry = ScopedRegistry()
    try:
        spec = spec_of(optimizer, **workload)
    except OptbenchError:
        made_up = {**workload, "dataset": registry.dataset_name(RandomImages)}
        spec = spec_of(optimizer, registry=registry, **made_up)
    return build_problem(spec, registry)


def measure_row(
    work: Work,
    peers: Mapping[str, Callable[[Work], dict[str, Trainer]]],
    rounds: int,
    label: dict[str, object],
) -> dict[str, object]:
    """Measure the best form of each peer; print and return a row."""
    small = work.sizes[0] < 784
    trainers = {
        f"{peer}|{form}": trainer
        for peer, make in peers.items()
        for form, trainer in make(work).items()
        if small or form not in MANY_RUNS
    }
    rates = measure(trainers, rounds)
    best = {
        peer: max((r, name.split("|")[1]) for name, r in rates.items() if name.startswith(peer))
        for peer in peers
    }
    row = {
        **label,
        "updates_per_second": {peer: rate for peer, (rate, _) in best.items()},
        "best_form": {peer: form for peer, (_, form) in best.items()},
        "ratio": {p: best["optbench"][0] / best[p][0] for p in best if p != "optbench"},
    }
    print_row(row, work.is_full)
    return row


def print_row(row: dict[str, Any], is_full: bool) -> None:
    """Print one line: rates, and how many times as fast optbench is."""
    goals = (
        GOALS.get(row["batch"], {})
        if (row["network"], row["optimizer"]) == ("64-32-32-10", "adam") and "dataset" not in row
        else {}
    )
    batch = "full" if is_full else row["batch"]
    cells = [f"{row['network']:<15}{row['optimizer']:<5}{batch:>5}"]
    if "epochs" in row:
        cells.append(f"{row['epochs']:>3} epochs of {row['dataset']:<13}")
    for peer, rate in row["updates_per_second"].items():
        ratio = row["ratio"].get(peer)
        goal = f" (goal {goals[peer]}x)" if peer in goals else ""
        cells.append(f"{peer} {rate:,.0f}/s" + (f" = {ratio:.2f}x{goal}" if ratio else ""))
    print("  ".join(cells), flush=True)


def sweep(rounds: int, runs: int = 64) -> dict[str, object]:
    """Measure a sweep of many runs on all cores: optbench with threads, JAX with vmap."""
    network = "64-32-32-10"
    work = made_up_work(NETWORKS[network], "adam", 32, EPOCHS[network][32], N)
    jobs = [optbench_trainer(work, seed) for seed in range(runs)]

    def threads() -> int:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return sum(pool.map(lambda train: train(), jobs))

    trainers: dict[str, Trainer] = {"optbench": threads}
    if "JAX" in available():
        trainers["JAX"] = jax_trainer(work, runs)
    rates = measure(trainers, rounds, time.perf_counter)
    result: dict[str, object] = {"cores": os.cpu_count(), "runs": runs, "updates_per_second": rates}
    line = "  ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items())
    if "JAX" in rates:
        result["ratio"] = rates["optbench"] / rates["JAX"]
        line += f" = {result['ratio']:.2f}x (goal 2x)"
    print(f"sweep of {runs} runs on {os.cpu_count()} cores  {line}", flush=True)
    return result


def main() -> None:
    """Measure, print a table, and write JSON if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--network", choices=NETWORKS, action="append")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, action="append")
    parser.add_argument("--batch", choices=BATCHES, type=int, action="append")
    parser.add_argument("--curve", action="store_true", help="whole runs with their evaluations")
    parser.add_argument("--cpu", choices=CPUS, default="native", help="newest instructions in use")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    networks, optimizers = options.network or list(NETWORKS), options.optimizer or list(OPTIMIZERS)
    batches = options.batch or list(BATCHES)
    with on_cores({core}):
        if options.curve:
            rows = compare_curves(options.rounds, optimizers)
        else:
            rows = compare(options.rounds, networks, optimizers, batches)
    result = {
        "machine": platform.processor() or platform.machine(), "cpu": options.cpu,
        "python": platform.python_version(), "rounds": options.rounds, "one_core": rows,
    }  # fmt: skip
    if not options.curve and 32 in batches:
        result["sweep"] = sweep(options.rounds)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
