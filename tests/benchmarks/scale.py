"""Measures time and memory of the driver for a study of 100,000 runs, without the training.

    python -m tests.benchmarks.scale [--runs 100000] [--shards 10] [--real] [--cluster]

Each phase is a separate process, so that its peak memory can be measured. The results of the runs
are made up in a few microseconds each, so the time is that of planning, storing and comparing. On a
machine with other work to do, processor seconds say more than elapsed ones. With
``--real`` the runs are trained, for one pass over iris; with ``--cluster`` two workers of a Dask
cluster on this machine train them. With ``--shards N``, N drivers have a part each, two at a time,
and ``optbench merge`` joins their stores. Then ``optbench report`` reports the whole study.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from optbench.execution import Executor, LocalExecutor
from optbench.execution.cluster import ClusterExecutor
from optbench.plan import build_plan
from optbench.plan.steps import planned_runs
from optbench.records import CURVE_COLUMNS, REGIMES, RunResult, RunSpec, Status, StudyProtocol
from optbench.registry import default_registry
from optbench.store import Store
from optbench.study import STORE_NAME, run_study
from optbench.study.merging import merge_studies
from optbench.suites import NetworkChoice, Suite
from tests.faults.clusters import Cluster
from tests.records import factories

EVALUATIONS = 40
UPDATES = np.concatenate([[0.0], np.geomspace(1.0, 300.0, EVALUATIONS - 1)])


class MadeUp(Executor):
    """Returns at once a plausible result that depends only on the key of the run."""

    def __init__(self) -> None:
        self._done: list[RunResult] = []

    def prepare(self, specs: Iterable[RunSpec]) -> None:
        """Do nothing."""

    def room(self) -> int:
        """Return the free places in a window of 64."""
        return 64 - len(self._done)

    def submit(self, spec: RunSpec) -> None:
        """Make up the result."""
        self._done.append(make_up(spec))

    def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
        """Take the results of all submitted runs."""
        arrived += self._done
        self._done.clear()

    def close(self) -> None:
        """Do nothing."""


def make_up(spec: RunSpec) -> RunResult:
    """Return a loss that falls as a power of the updates, fastest near some learning rate."""
    skill = zlib.crc32(spec.optimizer.encode()) % 100 / 100
    noise = np.random.default_rng(zlib.crc32(spec.key.encode()))
    distance = math.log10(float(spec.hyper.get("lr", 0.01))) + 2 - skill
    rate = (0.4 + 0.2 * skill) * math.exp(-(distance**2)) + 0.02 * noise.random()
    val = 1.5 * (1 + UPDATES) ** -rate * np.exp(0.01 * noise.normal(size=EVALUATIONS))
    rows = (UPDATES / 30, UPDATES, UPDATES * 32, UPDATES * 1e-5, 0.9 * val, val, 1 - val, 1 - val)
    return factories.make_result(
        spec,
        factories.make_curve(dict(zip(CURVE_COLUMNS, rows, strict=True))),
        Status.DIVERGED if distance > 1.2 else Status.OK,
        test_loss=float(val[-1]) * 1.05,
        test_metric=0.9,
        params_hash="0" * 64,
        grad_evals=300,
        loop="compiled",
    )


def suite_of(runs: int, real: bool) -> Suite:
    """Return a suite with about this number of runs, by the usual protocol."""
    registry = default_registry()
    names = [
        name
        for name, entry in registry.entries("optimizers").items()
        if "full-batch" not in entry.item.needs and (not real or hasattr(entry.item, "update"))
    ]
    suite = Suite(
        name="scale",
        datasets=("iris",) if real else ("iris", "wine", "moons", "digits", "blobs"),
        regimes=REGIMES[:1] if real else REGIMES,
        initializers=tuple(registry.entries("initializers"))[:1],
        networks=(NetworkChoice(hidden=(4,)),),
        optimizers=tuple(names),
        epochs=1,
        protocol=StudyProtocol(replicates=1),
    )
    plan = build_plan(suite, registry)
    planned = sum(planned_runs(cell, plan.protocol) for cell in plan.cells)
    replicates = min(max(1, round(runs / planned)), StudyProtocol().replicates)
    protocol = StudyProtocol(replicates=replicates)
    others = max(1, round(runs / planned / replicates))
    widths = range(4, 4 + math.ceil(math.sqrt(others)))
    initializers = tuple(registry.entries("initializers"))[: math.ceil(others / len(widths))]
    networks = tuple(NetworkChoice(hidden=(width,)) for width in widths)
    return msgspec.structs.replace(
        suite, initializers=initializers, networks=networks, protocol=protocol
    )


def study(
    runs: int, out: Path, real: bool, scheduler: str | None, shard: tuple[int, int]
) -> dict[str, Any]:
    """Plan, train or make up, and store a study or a part of it; return the figures."""
    registry = default_registry()
    started = time.perf_counter()
    plan = build_plan(suite_of(runs, real), registry).shard(*shard)
    planned = time.perf_counter()
    executor: Executor = LocalExecutor(health="none") if real else MadeUp()
    if scheduler is not None:
        executor = ClusterExecutor(scheduler, health="none")
    with executor, Store(out / STORE_NAME) as store:
        done = run_study(plan, store, executor)
    ended = time.perf_counter()
    training = sum(run.seconds for run in done.runs)
    return {
        "cells": len(plan.cells),
        "runs": done.trained,
        "plan seconds": planned - started,
        "seconds": ended - started,
        "of them training": training,
        "ms a run": 1000 * (ended - started) / done.trained,
    }


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Start a cluster with two workers; yield the address of its scheduler."""
    with Cluster(folder) as processes:
        processes.add_worker()
        processes.add_worker()
        processes.wait_for_workers(2)
        yield processes.address


def report(out: Path) -> dict[str, Any]:
    """Run ``optbench report FOLDER``; return the figures."""
    from optbench.cli import main

    started = time.perf_counter()
    code = main.main(["report", str(out)], standalone_mode=False)
    assert not code, f"exit code {code}"
    return {"seconds": time.perf_counter() - started}


def merge(out: Path) -> dict[str, Any]:
    """Join the stores of all parts; return the figures."""
    parts = sorted(out.glob("part*"))
    started = time.perf_counter()
    merged = merge_studies(parts, out)
    return {"runs": len(merged.study.runs), "seconds": time.perf_counter() - started}


def phase(name: str, args: argparse.Namespace, out: Path, part: int = 1) -> dict[str, Any]:
    """Run a phase in a process of its own; return the figures that it prints."""
    options = ["--phase", name, "--out", str(out), "--runs", str(args.runs)]
    options += ["--part", str(part), "--shards", str(args.shards)]
    options += [f"--{name}" for name in ("real", "cluster") if getattr(args, name)]
    command = [sys.executable, "-m", "tests.benchmarks.scale", *options]
    result = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    figures: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return figures


def figures_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one phase."""
    if args.phase == "report":
        return report(args.out)
    if args.phase == "merge":
        return merge(args.out)
    with cluster(args.out) if args.cluster else nullcontext() as address:
        real = args.real or args.cluster
        return study(args.runs, args.out, real, address, (args.part, args.shards))


def show(name: str, figures: Mapping[str, float]) -> None:
    """Print the figures of a phase."""
    for key, value in figures.items():
        print(f"{name:8}{key:18}{value:12,.2f}", flush=True)


def main() -> None:
    """Measure, and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--real", action="store_true", help="train the runs: a pass over iris")
    parser.add_argument("--cluster", action="store_true", help="the same on a Dask cluster")
    parser.add_argument("--shards", type=int, default=1, help="drivers with a part each")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--phase", choices=("study", "merge", "report"), help=argparse.SUPPRESS)
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.phase:
        args.out.mkdir(parents=True, exist_ok=True)
        figures = figures_of(args)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        busy = {"processor seconds": time.process_time()}
        print(json.dumps({**figures, **busy, "peak MB": peak}))
        return
    with tempfile.TemporaryDirectory() as folder:
        out = args.out or Path(folder)
        if args.shards > 1:
            parts = range(1, args.shards + 1)
            with ThreadPoolExecutor(2) as drivers:
                done = drivers.map(lambda i: phase("study", args, out / f"part{i:03}", i), parts)
                for number, figures in zip(parts, done, strict=True):
                    show(f"part {number}", figures)
            show("merge", phase("merge", args, out))
        else:
            show("study", phase("study", args, out))
        show("report", phase("report", args, out))
        size = (out / STORE_NAME).stat().st_size / 2**20
        print(f"store   {'MB':18}{size:12,.2f}")


if __name__ == "__main__":
    main()
