"""Training of one run: choice of the loop, evaluation along the grid, and the divergence rule."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from optbench.contracts import Initializer, Optimizer, Value
from optbench.data.given_data import DatasetLike, as_dataset
from optbench.engine.class_state import ClassState, changed_names, class_state
from optbench.engine.grid import grid_of
from optbench.engine.health import HealthRecorder
from optbench.engine.loops.choice import choose_loop, make_loop
from optbench.engine.measurements import measure
from optbench.engine.problem import Problem, build_problem
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.errors import ConfigError, describe_error, nearest
from optbench.network import Params
from optbench.records import (
    Health,
    RunResult,
    RunSpec,
    Status,
    is_evaluation,
)
from optbench.registry import Registry, default_registry
from optbench.registry.scoped import OptimizerLike, ScopedRegistry
from optbench.support.log_lines import log_if_watched


def train(
    optimizer: OptimizerLike,
    dataset: DatasetLike = "digits",
    hidden: int | Sequence[int] = (32, 32),
    activation: str = "relu",
    initializer: str | type[Initializer] = "he-normal",
    regime: str = "mini-batch",
    batch_size: int = 32,
    epochs: int = 10,
    seed: int = 0,
    dtype: str = "float32",
    hyper: Mapping[str, Value] | None = None,
    grid_points: int = 40,
    health: bool = True,
    *,
    target: str | None = None,
    **values: Value,
) -> RunResult:
    """Train one network with one optimizer and return the result.

    Args:
        optimizer: Name of an optimizer, values in brackets allowed
            (``"adam[lr=0.01,schedule=cosine]"``), or a Rule or Stepper class. With the adapters for
            torch and optax installed, also a ``torch.optim.Optimizer`` class or an optax function.
            `functools.partial` may fix values.
        dataset: Name of a dataset; or a DatasetSource class, a pair of arrays ``(x, y)``, or a
            data frame (see `optbench.make_dataset`).
        hidden: Widths of the hidden layers, each >= 1, or one number for one layer; empty for a
            linear model.
        activation: Hidden activation: relu, tanh, sigmoid, leaky-relu, gelu or linear.
        initializer: Name of an initializer, values in brackets allowed, or an Initializer class.
        regime: ``"batch"`` (all examples per update), ``"mini-batch"``, or ``"sgd"`` (one example).
        batch_size: Examples per update in ``"mini-batch"``, >= 1; the last batch of an epoch may
            be short.
        epochs: Passes over the training part, >= 1.
        seed: Seed of initial weights and batch order, >= 0, the same for all optimizers.
        dtype: ``"float32"`` or ``"float64"``.
        hyper: Hyperparameter values by name; they override those in brackets.
        target: Column to predict, for a data frame.
        **values: Hyperparameter values, as in `hyper`.
        grid_points: Number of evaluations along the run, >= 2; where all would cost more than 15%
            of the training, fewer, but at least 12 (`RunSpec.curve_points`), and the training loss
            along the run may be that of a sample (`RunSpec.curve_rows`).
        health: Whether to record layer health at a few evaluations (`optbench.engine.health`).

    Returns:
        The result. A run that diverges has the status ``"diverged"``.

    Raises:
        ConfigError: A name is unknown, or a value is out of range.
        PluginError: The optimizer, initializer or dataset fails.

    Example:
        >>> import optbench
        >>> optbench.train("sgd", dataset="iris", epochs=5, lr=0.5).status
        <Status.OK: 'ok'>
        >>> class SignDescent(optbench.Rule):
        ...     lr: float = optbench.hyper(0.01, "learning rate", low=0, log_range=(1e-4, 1))
        ...     @staticmethod
        ...     def update(theta, grad, t, h):
        ...         return (theta - h.lr * grad / (abs(grad) + 1e-8),)
        >>> optbench.train(SignDescent, dataset="iris", epochs=5).spec.configuration
        'sign-descent[lr=0.01]'
    """
    registry = ScopedRegistry()
    optimizer_text = registry.optimizer_text(optimizer)
    try:
        entrant = make_entrant(optimizer_text, {**(hyper or {}), **values}, registry=registry)
    except ConfigError as problem:
        raise _with_argument(problem, values) from None
    spec = make_spec(
        entrant=entrant,
        workload=make_workload(
            dataset=registry.dataset_name(as_dataset(dataset, target)),
            hidden=hidden,
            activation=activation,
            initializer=registry.initializer_text(initializer),
            regime=regime,
            batch_size=batch_size,
            epochs=epochs,
            registry=registry,
        ),
        seed=seed,
        dtype=dtype,
        grid_points=grid_points,
        registry=registry,
    )
    with log_if_watched():
        prepare([spec], registry)  # compiling for the first time takes seconds, and says so
        return train_problem(build_problem(spec, registry), health=health)


def _with_argument(problem: ConfigError, values: Collection[str]) -> ConfigError:
    """Return the error about a hyperparameter, or say which argument of `train` was meant."""
    unknown = re.search(
        r"^unknown hyperparameter .* '(\w+)'; (?:did you mean '(\w+)')?", str(problem)
    )
    arguments = {*inspect.signature(train).parameters} - {"values"}
    known = [*arguments, *filter(None, [unknown[2]])] if unknown else []
    near = nearest(unknown[1], known) if unknown else None
    if unknown and near in arguments and unknown[1] in values:
        return ConfigError(f"train: unknown argument '{unknown[1]}'; did you mean '{near}'?")
    return problem


def train_spec(
    spec: RunSpec,
    registry: Registry | None = None,
    loop: str = "auto",
    health: Health = "first",
    first_seeds: Collection[int] = (0,),
) -> RunResult:
    """Train a planned run; if a plugin fails, return a result with the status ``"failed"``.

    Args:
        spec: The run.
        registry: Registry in which names are looked up; the default one if None.
        loop: As for `make_loop`.
        health: Which evaluation runs record layer health: ``"none"``, ``"first"`` (those with one
            of `first_seeds`) or ``"all"``. Tuning runs never do.
        first_seeds: Seed of the first evaluation run on each workload.
    """
    with_health = health == "all" or (health == "first" and spec.seed in first_seeds)
    with_health = with_health and is_evaluation(spec.seed)
    try:
        problem = build_problem(spec, registry or default_registry())
        return train_problem(problem, loop, with_health)
    except (Exception, SystemExit) as cause:
        return RunResult.failed(spec, describe_error(cause))


def train_problem(problem: Problem, loop: str = "auto", health: bool = False) -> RunResult:
    """Train along the evaluation grid until the end, or until the run has diverged.

    Args:
        problem: The resolved run.
        loop: As for `make_loop`.
        health: Whether to record layer health; the numbers of the run stay the same.

    Raises:
        PluginError: The optimizer fails.
    """
    from optbench.engine.kernels.subnormals import flushed_subnormals  # needs Numba

    kind = choose_loop(problem.optimizer)[0] if loop == "auto" else loop
    before = None if kind == "compiled" else class_state(problem.optimizer)
    spec, trainer = problem.spec, make_loop(problem, loop)
    grid = grid_of(spec, problem.n_train)
    recorder = HealthRecorder(problem.network, *problem.train, grid) if health else None
    with np.errstate(all="ignore"), flushed_subnormals():
        measured = measure(problem, trainer, grid, recorder)
    params = [(weight.copy(), bias.copy()) for weight, bias in trainer.evaluation_point()]
    return RunResult(
        run=spec,
        status=Status.DIVERGED if measured.reason else Status.OK,
        reason=measured.reason or _class_change(problem.optimizer, before),
        curve=measured.curve,
        test_loss=measured.test[0],
        test_metric=measured.test[1],
        params=params,
        params_hash=_hash(params),
        grad_evals=trainer.grad_evals,
        seconds=measured.seconds,
        loop=trainer.kind,
        best_test_loss=measured.best_test[0],
        best_test_metric=measured.best_test[1],
        guess_train_loss=problem.guess[0],
        guess_val_loss=problem.guess[1],
        guess_test_loss=problem.guess[2],
        end_train_loss=measured.end_train[0],
        end_train_metric=measured.end_train[1],
    )


def _class_change(optimizer: Optimizer, before: ClassState | None) -> str:
    """Return which attributes of its class an optimizer changed, or ''.

    Args:
        optimizer: The class.
        before: Its attributes before the run; None for a compiled Rule, which cannot write to them.
    """
    names = [] if before is None else changed_names(before, class_state(optimizer))
    return f"changed {', '.join(names)} of the optimizer's class" if names else ""


def _hash(params: Params) -> str:
    return hashlib.sha256(b"".join(part.tobytes() for pair in params for part in pair)).hexdigest()


def prepare(specs: Iterable[RunSpec], registry: Registry | None = None) -> None:
    """Compile the code that runs need, so that compilation is not timed; all threads share it.

    Args:
        specs: Runs about to be trained.
        registry: Registry in which names are looked up; the default one if None.
    """
    first = {(spec.optimizer, spec.dtype): spec for spec in specs}
    if not first:
        return
    from optbench.engine.loops.warmup import warm_up

    registry = registry or default_registry()
    for spec in first.values():
        optimizer = registry.optimizer(spec.optimizer)
        fused = choose_loop(optimizer)[0] == "compiled"
        warm_up(optimizer, fused, spec.dtype)
