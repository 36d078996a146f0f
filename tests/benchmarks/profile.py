"""Measures the parts of an update, beside the limits of the machine.

    python -m tests.benchmarks.profile [--json profile.json]

A 64-32-32-10 ReLU network on digits, Adam, float32, one core. Each part of an update is repeated on
the same data; the whole update is timed in the loop that trains. Two limits are measured as well:
OpenBLAS on matrices of 512 x 512, and an update that only reads and writes.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before the libraries read it

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from optbench import Array
from optbench.engine.kernels import by_example, layers, propagation, row_tiles
from optbench.engine.kernels.arguments import CHUNK
from optbench.engine.kernels.jit import jit
from optbench.engine.kernels.views import View
from optbench.engine.loops.compiled import CompiledLoop
from optbench.engine.problem import build_problem
from optbench.registry import default_registry
from tests.engine.spec_factory import spec_of

ROUNDS, REPEATS = 15, 2000
"""Measurements of each part, and repetitions in each measurement."""


@jit
def _forward(times: Any, theta: Array, net: Any, x: Any, m: Array, space: Any) -> None:
    for _ in range(times):
        propagation.forward(theta, net, View(x, 0, net.sizes[0], 1), m, space)


@jit
def _forward_example(times: Any, theta: Array, net: Any, x: Any, m: Array, space: Any) -> None:
    n = net.sizes[1]
    W, bias = View(theta, net.w_at[0], n, 1), View(theta, net.b_at[0], n, 1)
    X, Z = View(x, 0, n, 1), View(space.acts, space.a_at[1], n, 1)
    for _ in range(times):
        row_tiles.row_times_matrix(X, W, Z, bias, n, net.sizes[0])  # type: ignore[call-arg]
        by_example.forward_rest(theta, net, space)


@jit
def _output(times: Any, net: Any, data: Any, order: Any, m: Array, space: Any) -> None:
    for _ in range(times):
        layers.output_delta(
            net.loss, space.delta, space.acts, space.a_at[-1], m, net.sizes[-1], data, order, 0, m
        )


@jit
def _backward(
    times: Any, theta: Array, grad: Array, net: Any, x: Any, m: Array, space: Any
) -> None:
    for _ in range(times):
        propagation.backward(theta, grad, net, View(x, 0, net.sizes[0], 1), m, space, False)


@jit
def _backward_example(
    times: Any, theta: Array, grad: Array, net: Any, x: Any, m: Array, space: Any
) -> None:
    for _ in range(times):
        for layer in range(len(net.sizes) - 2, -1, -1):
            count, n = net.sizes[layer], net.sizes[layer + 1]
            Delta, G = View(space.delta, 0, n, 1), View(grad, net.w_at[layer], n, 1)
            A = View(space.acts, space.a_at[layer], n, 1) if layer > 0 else View(x, 0, n, 1)
            row_tiles.outer_product(A, Delta, G, count, n)  # type: ignore[call-arg]
            if layer > 0:
                W, other = View(theta, net.w_at[layer], n, 1), View(space.other, 0, count, 1)
                row_tiles.row_dots(Delta, W, other, 0, n, count)
                layers.times_slope(
                    net.activation, space.other, count, space.acts, space.zs, space.a_at[layer]
                )


@jit
def _gradient(
    times: Any,
    theta: Array,
    grad: Array,
    net: Any,
    data: Any,
    order: Any,
    batch: Any,
    gather: Any,
    space: Any,
) -> None:
    for _ in range(times):
        propagation.gradient(theta, grad, net, data, order, 0, batch, gather, False, space)


@jit
def _update(
    times: Any, rule: Any, one: Array, theta: Array, grad: Array, slots: Any, scalars: Any, h: Array
) -> None:
    for t in range(times):
        rule(theta, grad, slots, scalars, h, t + 1, 0, 1, theta.size, one, 0, True)


@jit
def _touch(times: Any, theta: Array, grad: Array, slots: Any) -> None:
    """Read and write the arrays that Adam reads and writes, with one addition per number."""
    m, v = slots[0], slots[1]
    for _ in range(times):
        for i in range(theta.size):
            g = grad[i]
            m[i] += g
            v[i] += g
            theta[i] += g


def microseconds(function: Callable[..., object], times: int, *arguments: object) -> float:
    """Return the processor time of one repetition, in microseconds: the median over rounds."""
    function(1, *arguments)
    seconds = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        function(times, *arguments)
        seconds.append((time.thread_time() - start) / times)
    return statistics.median(seconds) * 1e6


def blas_peak() -> float:
    """Return the speed of OpenBLAS on one core in float32, in GFLOP/s."""
    a = np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32)
    seconds = microseconds(lambda times: [a @ a for _ in range(times)], 3) / 1e6
    return 2 * 512**3 / seconds / 1e9


def flops(sizes: tuple[int, ...], rows: int) -> int:
    """Operations of the matrix products of one gradient: forward, weights, activations."""
    products = [a * b for a, b in pairwise(sizes)]
    return 2 * rows * (2 * sum(products) + sum(products[1:]))


def profile(regime: str, epochs: int) -> dict[str, float]:
    """Microseconds of each part of one update."""
    spec = spec_of("adam[lr=1e-4]", dataset="digits", regime=regime, epochs=epochs)
    problem = build_problem(spec, default_registry())
    trainer = CompiledLoop(problem)
    net, space = trainer._net.net, trainer._net.space
    data = trainer._net.data(problem.train)
    x = data.x.copy()  # writable, as the kernels take it
    batch = spec.batch_size
    rows = min(batch, CHUNK)
    times = max(20, REPEATS // max(1, batch // 32))
    state = (trainer.flat, trainer._grad, trainer._slots, trainer._scalars, trainer._h)
    theta, grad = state[:2]
    gather = regime != "batch"
    forward, backward = (
        (_forward, _backward) if batch > 1 else (_forward_example, _backward_example)
    )
    parts = {
        "forward": microseconds(forward, times, theta, net, x, rows, space),
        "loss": microseconds(_output, times, net, data, trainer._order, rows, space),
        "backward": microseconds(backward, times, theta, grad, net, x, rows, space),
    }
    parts = {name: value * batch / rows for name, value in parts.items()}
    parts["gradient, with copying the rows"] = (
        microseconds(_gradient, times, theta, grad, net, data, trainer._order, batch, gather, space)
        if batch > 1
        else sum(parts.values())  # one example is not copied
    )
    parts["update (Adam)"] = microseconds(_update, REPEATS, trainer._rule, space.one, *state)
    parts["limit of the update: reading and writing"] = microseconds(
        _touch, REPEATS, theta, grad, trainer._slots
    )

    def train(times: int) -> None:
        for _ in range(times):
            CompiledLoop(problem).advance(problem.n_train * epochs)

    parts["whole update as it trains"] = microseconds(train, 1) / problem.total_updates
    parts["GFLOP/s of the gradient"] = flops(problem.network.sizes, batch) / (
        parts["gradient, with copying the rows"] * 1e3
    )
    return parts


def main() -> None:
    """Print the table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    columns = {"batch 1": profile("sgd", 6), "batch 32": profile("mini-batch", 60)}
    columns["full batch"] = profile("batch", 100)
    peak = blas_peak()
    print(f"{'microseconds an update':<44}" + "".join(f"{name:>12}" for name in columns))
    for part in columns["batch 1"]:
        print(f"{part:<44}" + "".join(f"{column[part]:>12.2f}" for column in columns.values()))
    print(f"{'OpenBLAS, 512 x 512, GFLOP/s':<44}{peak:>12.2f}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"parts": columns, "blas_gflops": peak}, file, indent=1)


if __name__ == "__main__":
    main()
