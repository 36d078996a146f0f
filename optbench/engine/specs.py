"""Writes a run down: every name looked up, every value checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optbench.contracts import Optimizer, Value
from optbench.data.splits import prepare_dataset
from optbench.errors import ConfigError, unknown_name
from optbench.hyperparameters import check_values, complete, parse_spelling, split_control
from optbench.network import check_activation
from optbench.records import DTYPES, REGIMES, RunSpec
from optbench.registry import Registry, default_registry
from optbench.registry.fingerprints import fingerprint


def make_spec(
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
    registry: Registry | None = None,
) -> RunSpec:
    """Check every name and value, and write them down as a run.

    Args: as `optbench.train`, with the same defaults; names are looked up in `registry`.

    Raises:
        ConfigError: the first thing that is wrong, with what is allowed.
    """
    registry = registry or default_registry()
    name, given = parse_spelling(optimizer if isinstance(optimizer, str) else optimizer.name)
    found = registry.optimizer(name)
    own, control = split_control(found, {**given, **(hyper or {})})
    init_name, init_given = parse_spelling(initializer)
    init = registry.initializer(init_name)
    data = prepare_dataset(registry.dataset_source(dataset))
    if regime not in REGIMES:
        raise unknown_name("regime", regime, REGIMES)
    if dtype not in DTYPES:
        raise unknown_name("dtype", dtype, DTYPES)
    n = len(data.x_train)
    sizes = {"batch": n, "sgd": 1, "mini-batch": at_least("batch_size", batch_size, 1)}
    if "full-batch" in found.needs and regime != "batch":
        raise ConfigError(f"optimizer '{name}' is defined on full batches only; use regime batch")
    return RunSpec(
        optimizer=name,
        hyper=complete(found, own),
        control=control,
        optimizer_code=fingerprint(found),
        dataset=dataset,
        dataset_hash=data.content_hash,
        hidden=widths("hidden", hidden),
        activation=check_activation(activation),
        initializer=init_name,
        initializer_hyper=complete(init, check_values(init, init_given)),
        initializer_code=fingerprint(init),
        regime=regime,
        batch_size=min(sizes[regime], n),
        epochs=at_least("epochs", epochs, 1),
        seed=at_least("seed", seed, 0),
        dtype=dtype,
        grid_points=at_least("grid_points", grid_points, 2),
    )


def widths(name: str, given: int | Sequence[int]) -> tuple[int, ...]:
    """Widths of layers; a single number is one layer.

    Raises:
        ConfigError: anything else than whole numbers >= 1.
    """
    if isinstance(given, str | bytes):
        raise ConfigError(
            f"{name}={given!r} is not allowed; widths such as (32, 32), or one number"
        )
    listed: tuple[Any, ...]
    try:
        listed = tuple(given) if isinstance(given, Iterable) else (given,)
    except TypeError:  # an array of no dimension
        listed = (given,)
    return tuple(at_least(name, width, 1) for width in listed)


def at_least(name: str, value: int, low: int) -> int:
    """The value, if it is a whole number of this size.

    Raises:
        ConfigError: it is not.
    """
    try:
        fits = not isinstance(value, bool) and int(value) == value and value >= low
    except (TypeError, ValueError, OverflowError):  # text, a list, None; not a number; infinite
        fits = False
    if not fits:
        shown = repr(value) if isinstance(value, str) else value
        raise ConfigError(f"{name}={shown} is not allowed; a whole number >= {low}")
    return int(value)
