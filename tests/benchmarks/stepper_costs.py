"""Measures an update of every optimizer that is not one compiled loop, and the start of a worker.

    python -m tests.benchmarks.stepper_costs [--rounds 5] [--json steppers.json]

All optimizers of the registry that train step by step, those of the adapters included where these
are installed; on digits with a network of 64-32-32-10, batch 32 (all examples for a method that is
defined only on the full gradient), float32, in processor time of this process. *Gradient* is the
compiled gradient, times the gradients that an update takes; *step* is the rest. *Bare* is one step
of the library on the same arrays with a gradient that does not change, without optbench. The last
lines compare the first and the last epochs of a long run, and measure how long a worker process
takes from its first run to the first update.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from optbench import Array, Optimizer
from optbench.contracts import Values
from optbench.engine.kernels.subnormals import flushed_subnormals
from optbench.engine.loops.choice import choose_loop, make_loop
from optbench.engine.loops.network_code import CompiledNetwork
from optbench.engine.problem import Problem, build_problem
from optbench.errors import OptbenchError
from optbench.execution import LocalExecutor
from optbench.network import unpack
from optbench.registry import Registry, default_registry
from tests.engine.spec_factory import spec_of

UPDATES = 340
"""Updates of one measurement: ten epochs of digits in batches of 32."""
LONG_RUN = "torch:adam[weight_decay=0.1]"
LONG_EPOCHS, COMPARED_EPOCHS = 500, 50
"""Epochs of the long run, in which averages of vanished gradients decay, and of its two ends."""

COLUMNS = ("update", "gradient", "step", "bare")

Work = Callable[[], int]
"""Takes steps, and returns their number."""
Maker = Callable[[], Work]
"""Prepares steps that start afresh."""


def stepped_optimizers(registry: Registry) -> dict[str, Optimizer]:
    """Return all optimizers that are trained step by step, by name."""
    found = {}
    for name in registry.listed("optimizers"):
        optimizer = registry.optimizer(name)
        if choose_loop(optimizer)[0] == "stepped":
            found[name] = optimizer
    return found


def problem_of(name: str, optimizer: Optimizer, epochs: int | None = None) -> Problem:
    """Return a problem whose training makes about `UPDATES` updates."""
    full = "full-batch" in optimizer.needs
    spec = spec_of(
        name, dataset="digits", regime="batch" if full else "mini-batch",
        epochs=epochs or (UPDATES if full else UPDATES // 34), grid_points=2,
    )  # fmt: skip
    return build_problem(spec, default_registry())


def harness_maker(problem: Problem, costs: list[float]) -> Maker:
    """Return what trains a problem; the number of gradients per update is appended to `costs`."""

    def make() -> Work:
        loop = make_loop(problem)

        def train() -> int:
            loop.advance(problem.n_train * problem.spec.epochs)
            costs.append(loop.grad_evals / loop.updates)
            return loop.updates

        return train

    return make


def gradient_maker(problem: Problem) -> Maker:
    """Return what computes the gradients of as many updates, at the initial parameters."""
    net, (x, y) = CompiledNetwork(problem), problem.train
    size, order = problem.spec.batch_size, problem.order
    every = np.arange(problem.n_train, dtype=np.int32)[None] if order is None else order
    every.setflags(write=False)
    grad = np.empty_like(problem.theta0)

    def compute() -> int:
        for epoch in range(problem.spec.epochs):
            rows = every[epoch % len(every)]
            for start in range(0, len(rows), size):
                net.loss_and_grad(problem.theta0, grad, x, y, rows[start : start + size])
        return problem.total_updates

    return lambda: compute


def arrays_of(problem: Problem) -> list[Array]:
    """Return copies of the initial weights and biases."""
    layers = unpack(problem.theta0.copy(), problem.network.sizes)
    return [part for layer in layers for part in layer]


def torch_maker(optimizer: Any, problem: Problem) -> Maker | None:
    """Return what takes steps of a PyTorch class with a fixed gradient; None if it is not simple.

    A class that takes only matrices or evaluates the loss itself is not simple.
    """
    import torch

    if optimizer._recipe.groups != "all" or optimizer._recipe.evaluates:
        return None

    def make() -> Work:
        torch.set_num_threads(1)
        params = [torch.nn.Parameter(torch.from_numpy(part)) for part in arrays_of(problem)]
        extra = dict(optimizer._recipe.extra)  # such as the fused implementation
        bare = optimizer._make(Values(problem.spec.hyper), extra, params)
        for param in params:
            param.grad = torch.full_like(param, 1e-3)

        def steps() -> int:
            for _ in range(UPDATES):
                bare.step()
            return UPDATES

        return steps

    return make


def optax_maker(optimizer: Any, problem: Problem) -> Maker | None:
    """Return what takes compiled steps of a transformation; None if it is not simple.

    A transformation that evaluates the loss or draws random numbers is not simple.
    """
    import jax
    import optax

    if optimizer.needs & {"closure", "rng"}:
        return None
    bare = optax.with_extra_args_support(
        optimizer._wrapped(**optimizer._arguments.bind(Values(problem.spec.hyper)))
    )

    @jax.jit
    def step(params: Any, state: Any, grads: Any) -> Any:
        updates, after = bare.update(grads, state, params, value=1.0, grad=grads)
        return optax.apply_updates(params, updates), after

    compiled: Any = step  # which has no types, as the other function below
    ready: Any = jax.block_until_ready
    params = [jax.numpy.asarray(part) for part in arrays_of(problem)]
    grads = [jax.numpy.full_like(param, 1e-3) for param in params]

    def steps() -> int:
        theta, state = params, bare.init(params)
        for _ in range(UPDATES):
            theta, state = compiled(theta, state, grads)
        ready(theta)
        return UPDATES

    return lambda: steps


BARE: dict[str, Callable[[Any, Problem], Maker | None]] = {
    "torch": torch_maker,
    "optax": optax_maker,
}
"""What takes the bare steps of a library, by the first part of the names of its optimizers."""


def microseconds(makers: Mapping[str, Maker], rounds: int) -> dict[str, float]:
    """Return the time of a step: the median over rounds in which the makers take turns."""
    times: dict[str, list[float]] = {name: [] for name in makers}
    for turn, (name, make) in itertools.product(range(-1, rounds), makers.items()):
        work = make()
        with flushed_subnormals():
            start = time.process_time()
            count = work()
            seconds = time.process_time() - start
        if turn >= 0:  # the first turn compiles and loads
            times[name].append(seconds / count * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def measure_optimizer(name: str, optimizer: Optimizer, rounds: int) -> dict[str, float]:
    """Return microseconds of an update, of its gradients, of its step, and of the bare step."""
    problem, costs = problem_of(name, optimizer), list[float]()
    makers = {"update": harness_maker(problem, costs), "gradient": gradient_maker(problem)}
    make_bare = BARE.get(name.partition(":")[0])
    bare = make_bare(optimizer, problem) if make_bare else None
    times = microseconds(makers | ({"bare": bare} if bare else {}), rounds)
    times["gradient"] *= costs[-1]
    return {**times, "step": times["update"] - times["gradient"]}


def slowdown(name: str, rounds: int) -> float:
    """Return how long the last epochs of a long run take, as a multiple of the first ones."""
    problem = problem_of(name, default_registry().optimizer(name.partition("[")[0]), LONG_EPOCHS)
    ratios = []
    for _ in range(rounds):
        loop, seconds = make_loop(problem), []
        with flushed_subnormals():
            for epoch in range(COMPARED_EPOCHS, LONG_EPOCHS + 1, COMPARED_EPOCHS):
                start = time.process_time()
                loop.advance(problem.n_train * epoch)
                seconds.append(time.process_time() - start)
        ratios.append(seconds[-1] / seconds[0])
    return statistics.median(ratios)


def start_seconds(name: str, rounds: int) -> dict[str, float]:
    """Return the time from the submission of a first run to its first update.

    Returns:
        ``"elapsed"``: what a first run takes longer than a second one, of which the process has
        loaded everything; ``"processor"``: processor time of the process, with both short runs.
    """
    runs = [spec_of(name, dataset="iris", epochs=1, grid_points=2, seed=seed) for seed in (1, 2)]
    elapsed, busy = [], []
    for _ in range(rounds):
        before = children_seconds()
        with LocalExecutor(1) as executor:
            executor.prepare(runs)
            times = []
            for run in runs:
                start = time.perf_counter()
                assert not any(result.status == "failed" for result in executor.map([run]))
                times.append(time.perf_counter() - start)
        elapsed.append(times[0] - times[1])
        busy.append(children_seconds() - before)
    return {"elapsed": statistics.median(elapsed), "processor": statistics.median(busy)}


def children_seconds() -> float:
    """Return the processor time of all child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def one_of_each(names: Iterable[str]) -> dict[str, str]:
    """Return one optimizer of each library, by the library.

    Example:
        >>> one_of_each(["a", "b", "c:d", "c:e"])
        {'built-in': 'a', 'c': 'c:d'}
    """
    chosen: dict[str, str] = {}
    for name in names:
        library = name.partition(":")[0] if ":" in name else "built-in"
        chosen.setdefault(library, name)
    return chosen


def main() -> None:
    """Print the table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    optimizers = stepped_optimizers(default_registry())
    print(f"{'microseconds an update':<40}" + "".join(f"{t:>10}" for t in COLUMNS))
    table = {}
    for name, optimizer in optimizers.items():
        try:
            times = table[name] = measure_optimizer(name, optimizer, options.rounds)
        except OptbenchError as cause:
            print(f"{name:<40}{cause}")
            continue
        cells = (f"{times[column]:>10.1f}" if column in times else "" for column in COLUMNS)
        print(f"{name:<40}" + "".join(cells), flush=True)
    result: dict[str, Any] = {"updates": table}
    mixed = [name for name, optimizer in optimizers.items() if "full-batch" not in optimizer.needs]
    result["start"] = {}
    for library, name in one_of_each(mixed).items():
        seconds = result["start"][library] = start_seconds(name, options.rounds)
        print(
            f"start of a worker for {name}: {seconds['elapsed']:.2f} s, "
            f"{seconds['processor']:.2f} of its processor"
        )
    if LONG_RUN.partition("[")[0] in optimizers:
        ratio = result["slowdown"] = slowdown(LONG_RUN, options.rounds)
        print(
            f"{LONG_RUN}: the last {COMPARED_EPOCHS} of {LONG_EPOCHS} epochs take {ratio:.2f} "
            "times as long as the first"
        )
    if options.json:
        with open(options.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
