"""Measures the products of matrices of optbench and its peers: the limit of large batches.

    python -m tests.benchmarks.products [--cpu avx2] [--rounds 60]

GFLOP/s in float32 on one core, in processor time: the fastest of many repetitions, because a busy
machine only makes them slower. The libraries take turns. optbench multiplies 128 rows at a time,
as it trains, and the others all 1,500.
"""

from __future__ import annotations

from tests.benchmarks import peers  # isort: skip - sets what the libraries read when imported

import argparse
import contextlib
import math
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from optbench import Array
from optbench.engine.kernels.arguments import CHUNK
from optbench.engine.kernels.jit import jit
from optbench.engine.kernels.matmul import multiply
from optbench.engine.kernels.views import View, transposed

SHAPES = ((784, 256), (256, 256))
"""Shapes of the weights."""


@jit
def _forward(rows: Any, n: Any, k: Any, a: Array, b: Array, c: Array) -> None:
    C = View(c, 0, n, 1)
    for start in range(0, rows, CHUNK):
        m = min(CHUNK, rows - start)
        multiply(m, n, k, View(a, start * k, k, 1), View(b, 0, n, 1), C, C, False)


@jit
def _weight_gradient(rows: Any, n: Any, k: Any, a: Array, b: Array, c: Array) -> None:
    C = View(c, 0, n, 1)
    for start in range(0, rows, CHUNK):
        m = min(CHUNK, rows - start)
        multiply(k, n, m, transposed(View(a, start * k, k, 1)), View(b, 0, n, 1), C, C, start > 0)


def gflops(n_in: int, n_out: int, rounds: int) -> dict[str, float]:
    """Return the speed of the product of each library at its fastest; they take turns."""
    products = products_of(n_in, n_out)
    fastest = dict.fromkeys(products, math.inf)
    for _ in range(rounds + 1):  # the first one compiles
        for name, product in products.items():
            start = time.process_time()
            product()
            fastest[name] = min(fastest[name], time.process_time() - start)
    return {name: 2 * peers.N * n_in * n_out / seconds / 1e9 for name, seconds in fastest.items()}


def products_of(n_in: int, n_out: int) -> dict[str, Callable[[], object]]:
    """Return the product of all inputs and a weight in each library, and one of optbench more."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((peers.N, n_in), dtype=np.float32)
    w = rng.standard_normal((n_in, n_out), dtype=np.float32)
    inputs, weight, delta = x.ravel(), w.ravel(), np.ones(CHUNK * n_out, np.float32)
    out, gradient = np.empty_like(delta), np.empty_like(weight)
    products: dict[str, Callable[[], object]] = {
        "optbench forward": lambda: _forward(peers.N, n_out, n_in, inputs, weight, out),
        "optbench gradient of the weight": lambda: _weight_gradient(
            peers.N, n_out, n_in, inputs, delta, gradient
        ),
        "NumPy": lambda: x @ w,
    }
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)
        left, right = torch.from_numpy(x), torch.from_numpy(w)
        products["PyTorch"] = lambda: left @ right
    with contextlib.suppress(ImportError):
        import jax

        multiply_arrays = jax.jit(lambda a, b: a @ b)
        a, b = jax.numpy.asarray(x), jax.numpy.asarray(w)
        products["JAX"] = lambda: multiply_arrays(a, b).block_until_ready()
    return products


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--cpu", choices=peers.CPUS, default="native")
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    with peers.on_cores({core}):
        for n_in, n_out in SHAPES:
            for name, speed in gflops(n_in, n_out, options.rounds).items():
                print(f"{n_in} x {n_out}  {name:<32}{speed:>8.1f} GFLOP/s", flush=True)


if __name__ == "__main__":
    main()
