"""Compares the speed of optbench with scikit-learn, PyTorch and JAX, interleaved in one process.

    python -m tests.benchmarks.peers [--rounds 7] [--json peers.json]

Each peer trains the same network on the same examples in the same batches with the same optimizer.
The figure is updates per second of training, with everything compiled before; it is the median over
rounds in which the peers take turns, so that a busy moment of the machine affects all of them.
It needs the extra ``peers``; a peer that is not installed is named on stderr.
"""

from __future__ import annotations

# ruff: noqa: E402  (one thread each: set before the libraries read it)
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

N = 1500
LR = 1e-3
SLOW_SECONDS = 0.3
"""Seconds after which a peer that makes single updates from Python stops."""
OPTIMIZERS = ("adam", "sgd")
NETWORKS = {"64-32-32-10": (64, 32, 32, 10), "784-256-256-10": (784, 256, 256, 10)}
GOALS = {  # batch -> peer -> least ratio, for the small network with Adam
    32: {"scikit-learn": 15, "PyTorch": 20, "JAX": 1.3},
    1: {"PyTorch": 60, "JAX": 1.3},
    N: {"PyTorch": 2, "JAX": 1.1},
}


@dataclass(frozen=True)
class Work:
    """The work of every peer: `updates` updates of a network with batches of one size."""

    sizes: tuple[int, ...]
    optimizer: str
    batch: int
    x: np.ndarray
    y: np.ndarray

    @property
    def epochs(self) -> int:
        """Number of passes over the data; one measurement lasts some tenths of a second."""
        small = len(self.sizes) == 4 and self.sizes[0] == 64
        return {1: 4 if small else 1, 32: 60 if small else 4}.get(self.batch, 60 if small else 4)

    @property
    def updates(self) -> int:
        """Number of updates."""
        return self.epochs * -(-N // self.batch)


Trainer = Callable[[], int]
"""Trains once, and returns the number of updates over all of its runs."""


def make_work(sizes: tuple[int, ...], optimizer: str, batch: int) -> Work:
    """Return the work with fixed random inputs and labels."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, sizes[0])).astype(np.float32)
    return Work(sizes, optimizer, batch, x, rng.integers(0, sizes[-1], N))


def optbench_trainer(work: Work, seed: int = 0) -> Trainer:
    """Return the compiled loop of optbench."""
    from optbench.data.streams import batch_order
    from optbench.engine.loops.compiled import CompiledLoop
    from optbench.engine.problem import Problem
    from optbench.network import Network, pack
    from optbench.registry import default_registry
    from tests.records.factories import make_run_spec

    optimizer = default_registry().optimizer(work.optimizer)
    hyper = {name: declared.default for name, declared in optimizer.hypers().items()}
    rng = np.random.default_rng(seed)
    params = [
        (rng.normal(0, (2 / a) ** 0.5, (a, b)), np.zeros(b))
        for a, b in zip(work.sizes, work.sizes[1:], strict=False)
    ]
    x, y = work.x.copy(), work.y.copy()
    x.setflags(write=False)
    y.setflags(write=False)
    full = work.batch == N
    problem = Problem(
        spec=make_run_spec(
            work.optimizer, hyper={**hyper, "lr": LR},
            hidden=work.sizes[1:-1], regime="batch" if full else "mini-batch",
            batch_size=work.batch, epochs=work.epochs,
        ),
        optimizer=optimizer, network=Network(work.sizes, "relu", "cross-entropy"),
        theta0=pack(params, "float32"), train=(x, y), val=(x, y), test=(x, y),
        order=None if full else batch_order(N, work.epochs, 0),
        updates_per_epoch=-(-N // work.batch),
    )  # fmt: skip

    def train() -> int:
        loop = CompiledLoop(problem)
        loop.advance(N * work.epochs)
        assert np.isfinite(loop.flat).all()
        return loop.updates

    return train


def sklearn_trainer(work: Work) -> Trainer:
    """Return the MLPClassifier of scikit-learn."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    epochs = max(1, work.epochs // 10)  # its rate does not depend on how long it trains
    model = MLPClassifier(
        work.sizes[1:-1], solver=work.optimizer, alpha=0, batch_size=work.batch,
        learning_rate_init=LR, momentum=0, nesterovs_momentum=False, max_iter=epochs,
        tol=0, n_iter_no_change=10**9, random_state=0,
    )  # fmt: skip

    def train() -> int:
        model.fit(work.x, work.y)
        return epochs * -(-N // work.batch)

    return train


def torch_trainer(work: Work, form: str) -> Trainer:
    """PyTorch eager with its foreach or its fused optimizer."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    layers: list[torch.nn.Module] = []
    for a, b in zip(work.sizes, work.sizes[1:], strict=False):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[work.optimizer]
    optimizer = kind(model.parameters(), lr=LR, **{form: True})
    loss = torch.nn.CrossEntropyLoss()
    x, y = torch.from_numpy(work.x), torch.from_numpy(work.y)

    def train() -> int:
        updates, end = 0, time.perf_counter() + SLOW_SECONDS
        for _ in range(work.epochs):
            order = torch.randperm(N)
            for start in range(0, N, work.batch):
                rows = order[start : start + work.batch]
                bx, by = (x, y) if work.batch == N else (x[rows], y[rows])
                optimizer.zero_grad(set_to_none=True)
                loss(model(bx), by).backward()
                optimizer.step()
                updates += 1
                if time.perf_counter() > end:
                    return updates
        return updates

    return train


def jax_trainer(work: Work, runs: int) -> Trainer:
    """Return JAX: jit over scan over the updates, vmap over runs with different seeds."""
    import jax
    import jax.numpy as jnp

    def initial(key: Any) -> Any:
        params = []
        for a, b in zip(work.sizes, work.sizes[1:], strict=False):
            key, mine = jax.random.split(key)
            params.append((jax.random.normal(mine, (a, b)) * (2 / a) ** 0.5, jnp.zeros(b)))
        return params

    def loss(params: Any, x: Any, y: Any) -> Any:
        for weight, bias in params[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        logits = x @ params[-1][0] + params[-1][1]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))

    def adam(params: Any, m: Any, v: Any, t: Any, grads: Any) -> tuple[Any, Any, Any]:
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
        first, second = 1 - 0.9**t, 1 - 0.999**t
        step = jax.tree.map(lambda a, b: LR * (a / first) / (jnp.sqrt(b / second) + 1e-8), m, v)
        return jax.tree.map(jnp.subtract, params, step), m, v

    def run(key: Any, x: Any, y: Any, order: Any) -> Any:
        params = initial(key)
        zeros = jax.tree.map(jnp.zeros_like, params)

        def update(state: Any, rows: Any) -> tuple[Any, None]:
            params, m, v, t = state
            batch = (x, y) if work.batch == N else (x[rows], y[rows])
            grads = jax.grad(loss)(params, *batch)
            if work.optimizer == "adam":
                params, m, v = adam(params, m, v, t, grads)
            else:
                params = jax.tree.map(lambda p, g: p - LR * g, params, grads)
            return (params, m, v, t + 1), None

        return jax.lax.scan(update, (params, zeros, zeros, 1.0), order)[0][0]

    updates = max(1, work.updates // max(1, runs // 4))  # many runs need fewer updates each
    rng = np.random.default_rng(0)
    order = rng.integers(0, N, (updates, min(work.batch, 1 if work.batch == N else N)))
    compiled = jax.jit(jax.vmap(run, in_axes=(0, None, None, None)))
    arguments = (jax.random.split(jax.random.key(0), runs), work.x, work.y, order)
    ready: Any = jax.block_until_ready  # which has no types

    def train() -> int:
        ready(compiled(*arguments))
        return updates * runs

    return train


def available() -> dict[str, Callable[[Work], dict[str, Trainer]]]:
    """Return the peers that are installed; the others are named on stderr."""
    peers: dict[str, Callable[[Work], dict[str, Trainer]]] = {
        "optbench": lambda work: {"compiled": optbench_trainer(work)},
        "scikit-learn": lambda work: {"MLPClassifier": sklearn_trainer(work)},
        "PyTorch": lambda work: {f: torch_trainer(work, f) for f in ("foreach", "fused")},
        "JAX": lambda work: {f"{runs} runs": jax_trainer(work, runs) for runs in (1, 16, 64)},
    }
    for name, module in {"scikit-learn": "sklearn", "PyTorch": "torch", "JAX": "jax"}.items():
        try:
            __import__(module)
        except ImportError:
            print(f"{name} is not installed: pip install 'optbench[peers]'", file=sys.stderr)
            del peers[name]
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


def measure(trainers: dict[str, Trainer], rounds: int) -> dict[str, float]:
    """Return updates per second of each trainer: the median over interleaved rounds."""
    rates: dict[str, list[float]] = {name: [] for name in trainers}
    for train in trainers.values():
        train()
    for _ in range(rounds):
        for name, train in trainers.items():
            start = time.perf_counter()
            updates = train()
            rates[name].append(updates / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in rates.items()}


def compare(rounds: int, networks: list[str], optimizers: list[str]) -> list[dict[str, object]]:
    """Measure each network, optimizer and batch size on one core; return one row for each."""
    peers = available()
    rows = []
    for network in networks:
        for optimizer in optimizers:
            for batch in (1, 32, N):
                work = make_work(NETWORKS[network], optimizer, batch)
                trainers: dict[str, Trainer] = {}
                for peer, make in peers.items():
                    # 64 runs of the large network in one scan take minutes in a full batch.
                    forms = make(work)
                    if network != "64-32-32-10":
                        forms = {k: v for k, v in forms.items() if k not in ("16 runs", "64 runs")}
                    trainers.update({f"{peer}|{form}": t for form, t in forms.items()})
                rates = measure(trainers, rounds)
                best = {
                    peer: max(
                        (r, name.split("|")[1])
                        for name, r in rates.items()
                        if name.startswith(peer)
                    )
                    for peer in peers
                }
                row = {
                    "network": network, "optimizer": optimizer, "batch": batch,
                    "updates_per_second": {peer: rate for peer, (rate, _) in best.items()},
                    "best_form": {peer: form for peer, (_, form) in best.items()},
                    "ratio": {p: best["optbench"][0] / best[p][0] for p in best if p != "optbench"},
                }  # fmt: skip
                rows.append(row)
                print_row(row)
    return rows


def print_row(row: dict[str, Any]) -> None:
    """Print one line: rates, and how many times as fast optbench is."""
    goals = (
        GOALS.get(row["batch"], {})
        if (row["network"], row["optimizer"]) == ("64-32-32-10", "adam")
        else {}
    )
    batch = "full" if row["batch"] == N else row["batch"]
    cells = [f"{row['network']:<15}{row['optimizer']:<5}{batch:>5}"]
    for peer, rate in row["updates_per_second"].items():
        ratio = row["ratio"].get(peer)
        goal = f" (goal {goals[peer]}x)" if peer in goals else ""
        cells.append(f"{peer} {rate:,.0f}/s" + (f" = {ratio:.2f}x{goal}" if ratio else ""))
    print("  ".join(cells), flush=True)


def sweep(rounds: int, runs: int = 64) -> dict[str, object]:
    """Measure a sweep of many runs on all cores: optbench with threads, JAX with vmap."""
    work = make_work(NETWORKS["64-32-32-10"], "adam", 32)
    jobs = [optbench_trainer(work, seed) for seed in range(runs)]

    def threads() -> int:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return sum(pool.map(lambda train: train(), jobs))

    trainers: dict[str, Trainer] = {"optbench": threads}
    if "JAX" in available():
        trainers["JAX"] = jax_trainer(work, runs)
    rates = measure(trainers, rounds)
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
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    with on_cores({core}):
        rows = compare(
            options.rounds,
            options.network or list(NETWORKS),
            options.optimizer or list(OPTIMIZERS),
        )
    result = {
        "machine": platform.processor() or platform.machine(), "python": platform.python_version(),
        "rounds": options.rounds, "one_core": rows, "sweep": sweep(options.rounds),
    }  # fmt: skip
    if options.json:
        with open(options.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
