"""The same training in optbench, scikit-learn, PyTorch and JAX, for `tests.benchmarks.peers`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from optbench import Array
from optbench.data.streams import batch_order
from optbench.engine.curve_parts import Part
from optbench.engine.grid import grid_of
from optbench.engine.kernels.arguments import empty_record
from optbench.engine.loops.compiled import CompiledLoop
from optbench.engine.problem import Problem
from optbench.network import Network, pack
from optbench.records import RunSpec
from optbench.registry import default_registry
from tests.records.factories import make_run_spec

LR = 1e-3
SLOW_SECONDS = 0.3
"""Seconds after which a peer that makes single updates from Python stops, if it has no curve."""


@dataclass(frozen=True)
class Work:
    """The work of every peer: updates of a network with batches of one size.

    Attributes:
        sizes: Widths of the network.
        optimizer: ``"adam"`` or ``"sgd"``.
        batch: Examples per update.
        epochs: Passes over the examples.
        x, y: Inputs and labels.
        stops: Numbers of updates after which loss and accuracy are measured, ascending; empty for
            a training without a curve.
        parts: Examples on which they are measured.
        problem: The run of optbench that has this curve.
    """

    sizes: tuple[int, ...]
    optimizer: str
    batch: int
    epochs: int
    x: Array
    y: Array
    stops: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()
    problem: Problem | None = None

    @property
    def n(self) -> int:
        """Number of examples."""
        return len(self.x)

    @property
    def is_full(self) -> bool:
        """Whether an update uses every example."""
        return self.batch == self.n

    @property
    def updates(self) -> int:
        """Number of updates."""
        return self.epochs * -(-self.n // self.batch)


Trainer = Callable[[], int]
"""Trains once, and returns the number of updates over all of its runs."""


def made_up_work(sizes: tuple[int, ...], optimizer: str, batch: int, epochs: int, n: int) -> Work:
    """Return the work on n fixed random examples, without a curve."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, sizes[0])).astype(np.float32)
    return Work(sizes, optimizer, batch, epochs, x, rng.integers(0, sizes[-1], n))


def work_with_curve(problem: Problem) -> Work:
    """Return the work of a whole run, which is evaluated where optbench evaluates it."""
    spec, (x, y) = problem.spec, problem.train
    return Work(
        problem.network.sizes, spec.optimizer, spec.batch_size, spec.epochs, x, y,
        stops_of(spec, len(x)), (problem.curve_train, problem.curve_val), problem,
    )  # fmt: skip


def stops_of(spec: RunSpec, n: int) -> tuple[int, ...]:
    """Return the numbers of updates after which a run on n examples is evaluated."""
    epochs, rest = np.divmod(grid_of(spec, n), n)
    stops = epochs * -(-n // spec.batch_size) + -(-rest // spec.batch_size)
    return (0, *np.unique(stops).tolist())


def optbench_trainer(work: Work, seed: int = 0) -> Trainer:
    """Return the compiled loop of optbench."""
    problem = work.problem or _made_up_problem(work, seed)
    points = np.concatenate([[0], grid_of(problem.spec, work.n)])

    def train() -> int:
        loop = CompiledLoop(problem)
        if work.stops:
            record = empty_record(len(points), loop.evaluation_buffer())
            loop.measure(points, record)
            assert record.counts[0] == len(work.stops)
        else:
            loop.advance(work.n * work.epochs)
        assert np.isfinite(loop.flat).all()
        return loop.updates

    return train


def _made_up_problem(work: Work, seed: int) -> Problem:
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
    return Problem(
        spec=make_run_spec(
            work.optimizer, hyper={**hyper, "lr": LR},
            hidden=work.sizes[1:-1], regime="batch" if work.is_full else "mini-batch",
            batch_size=work.batch, epochs=work.epochs,
        ),
        optimizer=optimizer, network=Network(work.sizes, "relu", "cross-entropy"),
        theta0=pack(params, "float32"), train=(x, y), val=(x, y), test=(x, y),
        order=None if work.is_full else batch_order(work.n, work.epochs, 0),
        updates_per_epoch=-(-work.n // work.batch),
    )  # fmt: skip


def sklearn_trainer(work: Work) -> Trainer:
    """Return the MLPClassifier of scikit-learn, without a curve."""
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
        return epochs * -(-work.n // work.batch)

    return train


def torch_trainer(work: Work, form: str) -> Trainer:
    """Return PyTorch eager with its foreach or its fused optimizer."""
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
    warnings.filterwarnings("ignore", "The given NumPy array is not writable")
    x, y = torch.from_numpy(work.x), torch.from_numpy(work.y)
    parts = [(torch.from_numpy(a), torch.from_numpy(b)) for a, b in work.parts]

    def evaluate() -> list[tuple[float, float]]:
        scores = []
        with torch.no_grad():
            for inputs, labels in parts:
                logits = model(inputs)
                hits = (logits.argmax(1) == labels).float().mean()
                scores.append((loss(logits, labels).item(), hits.item()))
        return scores

    def batches() -> Any:
        for _ in range(work.epochs):
            order = torch.randperm(work.n)
            for start in range(0, work.n, work.batch):
                rows = order[start : start + work.batch]
                yield (x, y) if work.is_full else (x[rows], y[rows])

    def train() -> int:
        curve = [evaluate()] if work.stops else []
        updates, end = 0, time.perf_counter() + SLOW_SECONDS
        stops = set(work.stops)
        for inputs, labels in batches():
            optimizer.zero_grad(set_to_none=True)
            loss(model(inputs), labels).backward()
            optimizer.step()
            updates += 1
            if updates in stops:
                curve.append(evaluate())
            elif not stops and time.perf_counter() > end:
                break
        assert len(curve) == len(work.stops)
        return updates

    return train


def jax_trainer(work: Work, runs: int) -> Trainer:
    """Return JAX: jit over a loop over the updates, vmap over runs with different seeds."""
    import jax
    import jax.numpy as jnp

    def initial(key: Any) -> Any:
        params = []
        for a, b in zip(work.sizes, work.sizes[1:], strict=False):
            key, mine = jax.random.split(key)
            params.append((jax.random.normal(mine, (a, b)) * (2 / a) ** 0.5, jnp.zeros(b)))
        return params

    def forward(params: Any, x: Any) -> Any:
        for weight, bias in params[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        return x @ params[-1][0] + params[-1][1]

    def mean_loss(logits: Any, y: Any) -> Any:
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))

    def loss(params: Any, x: Any, y: Any) -> Any:
        return mean_loss(forward(params, x), y)

    def evaluate(params: Any, parts: Any) -> Any:
        scores = []
        for x, y in parts:
            logits = forward(params, x)
            scores.append((mean_loss(logits, y), jnp.mean(jnp.argmax(logits, 1) == y)))
        return scores

    def adam(params: Any, m: Any, v: Any, t: Any, grads: Any) -> tuple[Any, Any, Any]:
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
        first, second = 1 - 0.9**t, 1 - 0.999**t
        step = jax.tree.map(lambda a, b: LR * (a / first) / (jnp.sqrt(b / second) + 1e-8), m, v)
        return jax.tree.map(jnp.subtract, params, step), m, v

    def run(key: Any, x: Any, y: Any, order: Any, parts: Any, stops: Any) -> Any:
        params = initial(key)
        zeros = jax.tree.map(jnp.zeros_like, params)

        def update(state: Any, rows: Any) -> tuple[Any, None]:
            params, m, v, t = state
            batch = (x, y) if work.is_full else (x[rows], y[rows])
            grads = jax.grad(loss)(params, *batch)
            if work.optimizer == "adam":
                params, m, v = adam(params, m, v, t, grads)
            else:
                params = jax.tree.map(lambda p, g: p - LR * g, params, grads)
            return (params, m, v, t + 1), None

        def to_stop(state: Any, ends: Any) -> tuple[Any, Any]:
            first, last = ends
            state = jax.lax.fori_loop(first, last, lambda i, at: update(at, order[i])[0], state)
            return state, evaluate(state[0], parts)

        state = (params, zeros, zeros, 1.0)
        if not work.stops:
            return jax.lax.scan(update, state, order)[0][0]
        curve = jax.lax.scan(to_stop, state, (stops[:-1], stops[1:]))
        return curve[0][0], evaluate(params, parts), curve[1]

    # Many runs need fewer updates each, unless there is a curve.
    updates = work.updates if work.stops else max(1, work.updates // max(1, runs // 4))
    rng = np.random.default_rng(0)
    order = rng.integers(0, work.n, (updates, 1 if work.is_full else work.batch))
    compiled = jax.jit(jax.vmap(run, in_axes=(0, *[None] * 5)))
    keys, stops = jax.random.split(jax.random.key(0), runs), np.array(work.stops)
    arguments = jax.device_put((keys, work.x, work.y, order, work.parts, stops))
    ready: Any = jax.block_until_ready  # which has no types

    def train() -> int:
        ready(compiled(*arguments))
        return updates * runs

    return train
