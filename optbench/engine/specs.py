"""Construction of entrants, workloads and runs from the names and values that a user gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optbench.contracts import Optimizer, Rule, Value, rate_of
from optbench.data.splits import prepare_dataset
from optbench.engine.curve_points import plan_curve
from optbench.engine.memory_limits import check_memory
from optbench.errors import ConfigError, unknown_name
from optbench.hyperparameters import complete, parse_spelling, split_control
from optbench.network import check_activation
from optbench.records import (
    DTYPES,
    REGIMES,
    Entrant,
    Regime,
    RunSpec,
    Workload,
    changed,
    engine_version,
    spell,
)
from optbench.registry import Registry, default_registry
from optbench.registry.fingerprints import fingerprint, foreign_fingerprint
from optbench.registry.kinds import SCHEDULES
from optbench.schedules import keep_zeros


def make_entrant(
    optimizer: str | Optimizer,
    hyper: Mapping[str, Value] | None = None,
    *,
    registry: Registry | None = None,
) -> Entrant:
    """Return an entrant with every name and value checked.

    Args:
        optimizer: Name of a registered optimizer, values in brackets allowed
            (``"adam[lr=0.01,schedule=cosine]"``), or a registered class.
        hyper: Values by name; they override those in brackets.
        registry: Registry of the optimizer; the default one if None.

    Raises:
        ConfigError: A name is unknown, or a value is out of range.

    Example:
        >>> make_entrant("adam[lr=1e-2]", {"warmup": 0.1}).label
        'adam[lr=0.01,warmup=0.1]'
    """
    registry = registry or default_registry()
    name, values = parse_spelling(optimizer if isinstance(optimizer, str) else optimizer.name)
    cls = registry.optimizer(name)
    values = {**values, **(hyper or {})}
    given, control = split_control(cls, values)
    rate = rate_of(cls)
    control = keep_zeros(control, registry.schedule(control.schedule), values.keys() - given)
    label = spell(name, {**given, **changed(control)})
    return Entrant(
        label=label,
        optimizer=name,
        given=given,
        control=control,
        rate="" if rate is None else rate.name,
        kind="rule" if issubclass(cls, Rule) else "stepper",
    )


def make_workload(
    *,
    dataset: str = "digits",
    hidden: int | Sequence[int] = (32, 32),
    activation: str = "relu",
    initializer: str = "he-normal",
    regime: str = "mini-batch",
    batch_size: int = 32,
    epochs: int = 10,
    registry: Registry | None = None,
) -> Workload:
    """Return a workload with every name and value checked.

    Args:
        dataset: Name of a registered dataset, values in brackets allowed.
        hidden: Widths of the hidden layers, or one number for one layer.
        activation: Name of the hidden activation.
        initializer: Name of a registered initializer, values in brackets allowed.
        regime: ``"batch"``, ``"mini-batch"`` or ``"sgd"``. Mini-batches of the whole training part
            are ``"batch"``, and mini-batches of one example are ``"sgd"``, so that one workload has
            one name.
        batch_size: Examples per update in ``"mini-batch"``, at least 1.
        epochs: Passes over the training part, at least 1.
        registry: Registry in which names are looked up; the default one if None.

    Raises:
        ConfigError: A name or value is not allowed; the message lists what is.

    Example:
        >>> make_workload(dataset="iris", regime="batch").label
        'iris | 32-32 relu | he-normal | batch | 10 epochs'
        >>> make_workload(dataset="iris", batch_size=1000).regime
        'batch'
    """
    registry = registry or default_registry()
    init_name, given = parse_spelling(initializer)
    init = registry.initializer(init_name)
    source = registry.dataset_source(dataset)
    data = prepare_dataset(source)
    n_train = len(data.x_train)
    if regime not in REGIMES:
        raise unknown_name("regime", regime, REGIMES)
    size = {"batch": n_train, "sgd": 1, "mini-batch": check_at_least("batch_size", batch_size, 1)}
    widths = check_widths("hidden", hidden)
    sizes, size_of_batch = (data.n_features, *widths, data.n_outputs), min(size[regime], n_train)
    check_memory(f"hidden={widths}", sizes, batch_size=size_of_batch)
    return Workload(
        dataset=source.name if "[" in dataset else dataset,
        hidden=widths,
        activation=check_activation(activation),
        initializer=init_name,
        initializer_hyper=complete(init, given),
        regime=_regime_of(size_of_batch, n_train),
        batch_size=size_of_batch,
        epochs=check_at_least("epochs", epochs, 1),
    )


def _regime_of(batch_size: int, n_train: int) -> Regime:
    """Return the name of the regime whose updates use this number of examples."""
    if batch_size == n_train:
        return "batch"
    return "sgd" if batch_size == 1 else "mini-batch"


def make_spec(
    *,
    entrant: Entrant,
    workload: Workload,
    seed: int = 0,
    dtype: str = "float32",
    grid_points: int = 40,
    registry: Registry | None = None,
) -> RunSpec:
    """Return the run of an entrant on a workload, with defaults for values that are not given.

    Args:
        entrant: As `make_entrant` returns it.
        workload: As `make_workload` returns it.
        seed: Seed of initial weights and batch order, at least 0.
        dtype: ``"float32"`` or ``"float64"``.
        grid_points: Evaluations along the run, at least 2.
        registry: Registry in which names are looked up; the default one if None.

    Raises:
        ConfigError: A value is out of range, or the optimizer does not support the regime.
    """
    registry = registry or default_registry()
    optimizer = registry.optimizer(entrant.optimizer)
    if dtype not in DTYPES:
        raise unknown_name("dtype", dtype, DTYPES)
    if "full-batch" in optimizer.needs and workload.regime != "batch":
        raise ConfigError(
            f"optimizer '{entrant.optimizer}' supports full batches only; use regime batch"
        )
    data = prepare_dataset(registry.dataset_source(workload.dataset))
    sizes = (data.n_features, *workload.hidden, data.n_outputs)
    parts = len(data.x_train), len(data.x_val)
    grid_points = check_at_least("grid_points", grid_points, 2)
    check_memory(
        f"hidden={workload.hidden}",
        sizes,
        batch_size=workload.batch_size,
        slots=len(getattr(optimizer, "slots", ())),
        itemsize=8 if dtype == "float64" else 4,
    )
    rows, points = plan_curve(sizes, parts, workload.batch_size, workload.epochs, grid_points)
    return RunSpec(
        optimizer=entrant.optimizer,
        hyper=complete(optimizer, entrant.given),
        control=entrant.control,
        optimizer_code=fingerprint(optimizer),
        dataset=workload.dataset,
        dataset_hash=data.content_hash,
        hidden=workload.hidden,
        activation=workload.activation,
        initializer=workload.initializer,
        initializer_hyper=workload.initializer_hyper,
        initializer_code=fingerprint(registry.initializer(workload.initializer)),
        regime=workload.regime,
        batch_size=workload.batch_size,
        epochs=workload.epochs,
        seed=check_at_least("seed", seed, 0),
        dtype=dtype,
        grid_points=grid_points,
        engine=engine_version(workload.activation),
        schedule_code=foreign_fingerprint(registry.entry(SCHEDULES, entrant.control.schedule)),
        curve_rows=rows,
        curve_points=points,
    )


def check_widths(name: str, widths: int | Sequence[int]) -> tuple[int, ...]:
    """Return the widths of layers as a tuple; a single number means one layer.

    Raises:
        ConfigError: A width is not a whole number >= 1.
    """
    if isinstance(widths, str | bytes):
        raise ConfigError(
            f"{name}={widths!r} is not allowed; widths such as (32, 32), or one number"
        )
    listed: tuple[Any, ...]
    try:
        listed = tuple(widths) if isinstance(widths, Iterable) else (widths,)
    except TypeError:  # an array without dimensions
        listed = (widths,)
    return tuple(check_at_least(name, width, 1) for width in listed)


def check_at_least(name: str, value: int, low: int) -> int:
    """Return the value if it is a whole number of at least `low`.

    Raises:
        ConfigError: The value is not a whole number, or is too small.
    """
    try:
        is_valid = not isinstance(value, bool) and int(value) == value and value >= low
    except (TypeError, ValueError, OverflowError):  # text, a list, None; NaN; infinity
        is_valid = False
    if not is_valid:
        quoted = repr(value) if isinstance(value, str) else value
        raise ConfigError(f"{name}={quoted} is not allowed; a whole number >= {low}")
    return int(value)
