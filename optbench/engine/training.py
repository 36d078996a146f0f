"""Trains one run: chooses the loop, evaluates along the grid, tells divergence from success."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from optbench.contracts import Array, Optimizer, Value
from optbench.engine.grid import evaluation_grid
from optbench.engine.health import HealthRecorder
from optbench.engine.loops.choice import Loop, choose_loop, make_loop
from optbench.engine.problem import Problem, build_problem, initial_params
from optbench.engine.specs import check_widths, make_entrant, make_spec, make_workload
from optbench.errors import ConfigError, describe_error
from optbench.hyperparameters import complete, parse_spelling
from optbench.network import Params, check_activation
from optbench.records import (
    CURVE_COLUMNS,
    Curve,
    Health,
    RunResult,
    RunSpec,
    Status,
    is_evaluation,
)
from optbench.registry import Registry, default_registry

DIVERGED_FACTOR = 10.0
"""A loss of more than this many times the initial loss, ..."""
DIVERGED_PATIENCE = 3
"""... at this many evaluations in a row, is divergence."""


def train(
    optimizer: str | Optimizer,
    dataset: str = "digits",
    hidden: int | Sequence[int] = (32, 32),
    activation: str = "relu",
    initializer: str = "he-normal",
    regime: str = "mini-batch",
    batch_size: int = 32,
    epochs: int = 10,
    seed: int = 0,
    dtype: str = "float32",
    hyper: Mapping[str, Value] | None = None,
    grid_points: int = 40,
    health: bool = True,
) -> RunResult:
    """Train one network with one optimizer and return what was measured.

    Args:
        optimizer: name of a registered optimizer, values in brackets allowed
            (``"adam[lr=0.01,schedule=cosine]"``), or a registered class.
        dataset: name of a registered dataset.
        hidden: widths of the hidden layers, each >= 1, or one number for one layer; empty for a
            linear model.
        activation: relu, tanh, sigmoid, leaky-relu, gelu or linear.
        initializer: name of a registered initializer, values in brackets allowed.
        regime: ``"batch"`` (all examples an update), ``"mini-batch"`` or ``"sgd"`` (one).
        batch_size: examples an update in ``"mini-batch"``; the last batch of an epoch may be short.
        epochs: passes over the training part, >= 1.
        seed: seed of initial weights and batch order, >= 0; shared by all optimizers.
        dtype: ``"float32"`` or ``"float64"``.
        hyper: hyperparameters by name; they win over those in brackets.
        grid_points: evaluations along the run.
        health: record the state of the layers at a few of them (`optbench.engine.health`).

    Returns:
        The result; divergence is a status.

    Raises:
        ConfigError: an unknown name or a value out of range.
        PluginError: the optimizer, initializer or dataset fails.

    Example:
        >>> train("sgd[lr=0.5]", dataset="iris", epochs=5).status
        <Status.OK: 'ok'>
    """
    registry = default_registry()
    spec = make_spec(
        entrant=make_entrant(optimizer, hyper),
        workload=make_workload(
            dataset=dataset,
            hidden=hidden,
            activation=activation,
            initializer=initializer,
            regime=regime,
            batch_size=batch_size,
            epochs=epochs,
        ),
        seed=seed,
        dtype=dtype,
        grid_points=grid_points,
    )
    return train_problem(build_problem(spec, registry), health=health)


def initialize(
    initializer: str,
    sizes: Sequence[int],
    seed: int = 0,
    dtype: str = "float64",
    activation: str = "relu",
    x: Array | None = None,
) -> Params:
    """Draw initial parameters.

    Args:
        initializer: name of a registered initializer, values in brackets allowed.
        sizes: width of the input, of each hidden layer and of the output.
        seed: seed of the ``"init"`` stream.
        dtype: ``"float32"`` or ``"float64"``.
        activation: told to initializers that ask.
        x: inputs (n, sizes[0]), for initializers that need data.

    Returns:
        Weight (n_in, n_out) and bias (n_out,) of each layer.

    Raises:
        ConfigError: an unknown name, a value out of range, or data missing.

    Example:
        >>> [w.shape for w, b in initialize("he-normal", (4, 8, 3))]
        [(4, 8), (8, 3)]
    """
    name, given = parse_spelling(initializer)
    found = default_registry().initializer(name)
    if "data" in found.needs and x is None:
        raise ConfigError(f"initializer '{name}' looks at data; pass inputs as x")
    values = complete(found, given)
    params = initial_params(
        found, check_widths("sizes", sizes), seed, check_activation(activation), values, x
    )
    return [(weight.astype(dtype), bias.astype(dtype)) for weight, bias in params]


def train_spec(
    spec: RunSpec, registry: Registry | None = None, loop: str = "auto", health: Health = "first"
) -> RunResult:
    """Train a planned run; a plugin that fails gives status ``"failed"`` and the reason.

    Args:
        spec: the run.
        registry: where its names are looked up; the default one if None.
        loop: as for `make_loop`.
        health: which evaluation runs record layer health: ``"none"``, ``"first"`` (the first seed
            of each configuration) or ``"all"``. Tuning runs never do.
    """
    with_health = _records_health(spec.seed, health)
    try:
        problem = build_problem(spec, registry or default_registry())
        return train_problem(problem, loop, with_health)
    except (Exception, SystemExit) as cause:
        return RunResult.failed(spec, describe_error(cause))


def _records_health(seed: int, health: Health) -> bool:
    """Return whether a run of a study records layer health; tuning runs never do."""
    if health == "first":
        return seed == 0
    return health == "all" and is_evaluation(seed)


def train_problem(problem: Problem, loop: str = "auto", health: bool = False) -> RunResult:
    """Train along the evaluation grid until the end, or until it has diverged.

    Args:
        problem: what to train.
        loop: as for `make_loop`.
        health: record the state of the layers; changes nothing else.
    """
    spec = problem.spec
    trainer = make_loop(problem, loop)
    grid = evaluation_grid(problem.n_train, spec.epochs, spec.grid_points)
    recorder = HealthRecorder(problem.network, *problem.train, grid) if health else None
    rows: list[tuple[float, ...]] = []
    seconds = 0.0
    status, reason = Status.OK, ""

    def evaluate() -> float:
        train_loss, train_metric = trainer.evaluate(*problem.train)
        val_loss, val_metric = trainer.evaluate(*problem.val)
        at = (trainer.examples / problem.n_train, trainer.updates, trainer.examples, seconds)
        rows.append((*at, train_loss, val_loss, train_metric, val_metric))
        return train_loss if math.isfinite(val_loss) else math.nan

    with np.errstate(all="ignore"):
        initial, strikes = evaluate(), 0
        if recorder is not None:
            recorder.measure(0, trainer.evaluation_point())
        for examples in grid.tolist():
            if examples <= trainer.examples:
                continue
            look = recorder if recorder is not None and recorder.wants(examples) else None
            if look is not None:  # stop one update before, to see how long the last one is
                seconds += _advance(trainer, examples - spec.batch_size)
                look.before(trainer.evaluation_point(), trainer.updates)
            seconds += _advance(trainer, examples)
            loss = evaluate()
            if look is not None:
                look.measure(len(rows) - 1, trainer.evaluation_point(), trainer.updates)
            strikes = strikes + 1 if loss > DIVERGED_FACTOR * initial else 0
            if not math.isfinite(loss) or strikes >= DIVERGED_PATIENCE:
                status, reason = Status.DIVERGED, _why(loss, initial, trainer.updates)
                break
        test = trainer.evaluate(*problem.test) if status is Status.OK else (math.nan, math.nan)
    point = trainer.evaluation_point()
    params = [(weight.copy(), bias.copy()) for weight, bias in point]
    digest = hashlib.sha256(b"".join(part.tobytes() for pair in params for part in pair))
    columns, matrix = CURVE_COLUMNS, np.array(rows).T
    if recorder is not None:
        columns = (*columns, *recorder.columns)
        matrix = np.vstack([matrix, recorder.matrix(len(rows))])
    return RunResult(
        spec=spec,
        status=status,
        reason=reason,
        curve=Curve(columns, matrix),
        test_loss=test[0],
        test_metric=test[1],
        params=params,
        params_hash=digest.hexdigest(),
        grad_evals=trainer.grad_evals,
        seconds=seconds,
        loop=trainer.kind,
    )


def _advance(trainer: Loop, examples: int) -> float:
    """Train on, unless the run is there already; the seconds it took."""
    if examples <= trainer.examples:
        return 0.0
    start = time.thread_time()
    trainer.advance(examples)
    return time.thread_time() - start


def _why(loss: float, initial: float, updates: int) -> str:
    if math.isfinite(loss):
        return f"loss {loss:.3g} is over {DIVERGED_FACTOR:g} x the initial {initial:.3g}"
    return f"loss not finite after {updates} updates"


def prepare(specs: Iterable[RunSpec]) -> None:
    """Compile what these runs need, before anything is timed; afterwards threads share it.

    Args:
        specs: runs about to be trained.
    """
    first = {(spec.optimizer, spec.dtype): spec for spec in specs}
    if not first:
        return
    from optbench.engine.loops.warmup import warm_up

    registry = default_registry()
    for spec in first.values():
        optimizer = registry.optimizer(spec.optimizer)
        fused = choose_loop(optimizer)[0] == "compiled"
        warm_up(optimizer, fused, spec.dtype)
