"""Initial parameters, drawn by an initializer from the random stream of a seed."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from optbench.contracts import Array, DatasetSource, InitContext, Initializer, Value, Values
from optbench.data.splits import prepare_dataset
from optbench.data.streams import stream
from optbench.engine.memory_limits import check_memory
from optbench.engine.specs import check_widths
from optbench.errors import ConfigError, OptbenchError, PluginError, describe_error
from optbench.hyperparameters import complete, parse_spelling
from optbench.network import ACTIVATIONS, Network, Params, check_activation, pack
from optbench.registry import Registry, default_registry
from optbench.registry.scoped import ScopedRegistry

LARGE = 2**16
"""Number of parameters above which initial parameters are drawn anew for each run."""
DATA_ROWS = 256
"""Number of inputs passed to an initializer that declares the need ``"data"``."""


def initialize(
    initializer: str | type[Initializer],
    sizes: Sequence[int],
    seed: int = 0,
    dtype: str = "float64",
    activation: str = "relu",
    x: Array | None = None,
) -> Params:
    """Draw initial parameters.

    Args:
        initializer: Name of an initializer, values in brackets allowed, or an Initializer class.
        sizes: Width of the input, of each hidden layer and of the output.
        seed: Seed of the ``"init"`` stream, at least 0.
        dtype: ``"float32"`` or ``"float64"``.
        activation: Name of the hidden activation, for initializers that use it.
        x: Inputs (n, sizes[0]), for initializers that need data.

    Returns:
        Weight (n_in, n_out) and bias (n_out,) of each layer.

    Raises:
        ConfigError: A name is unknown, a value is out of range, or data is missing.
        PluginError: The initializer fails.

    Example:
        >>> [w.shape for w, b in initialize("he-normal", (4, 8, 3))]
        [(4, 8), (8, 3)]
    """
    registry = ScopedRegistry()
    text = registry.initializer_text(initializer)
    params = draw_params(text, sizes, seed=seed, activation=activation, x=x, registry=registry)
    return [(weight.astype(dtype), bias.astype(dtype)) for weight, bias in params]


def draw_params(
    initializer: str,
    sizes: Sequence[int],
    *,
    seed: int,
    activation: str,
    x: Array | None,
    registry: Registry | None = None,
) -> Params:
    """Draw initial parameters as `initialize` does, in float64.

    Args:
        initializer: Spelling of an initializer.
        sizes: Width of the input, of each hidden layer and of the output.
        seed: Seed of the ``"init"`` stream.
        activation: Name of the hidden activation.
        x: Inputs (n, sizes[0]), for initializers that need data.
        registry: Registry of the initializer; the default one if None.

    Raises:
        ConfigError: A name is unknown, a value is out of range, or data is missing.
        PluginError: The initializer fails.
    """
    name, values = parse_spelling(initializer)
    plugin = (registry or default_registry()).initializer(name)
    if "data" in plugin.needs and x is None:
        raise ConfigError(f"initializer '{name}' needs data; pass inputs as x")
    widths = check_widths("sizes", sizes)
    check_memory(f"sizes={widths}", widths)
    return initial_params(
        plugin, widths, seed, check_activation(activation), complete(plugin, values), x
    )


def initial_buffer(
    initializer: type[Initializer],
    network: Network,
    seed: int,
    hyper: tuple[tuple[str, Value], ...],
    dtype: str,
    source: type[DatasetSource],
) -> Array:
    """Return the parameters that `initial_params` draws, one flat buffer of the caller's own.

    The last ones that are not large are kept: all optimizers, and all trials, start from the same.

    Args:
        initializer: The Initializer class.
        network: The network.
        seed: Seed of the ``"init"`` stream.
        hyper: Name and value of every hyperparameter of the initializer.
        dtype: ``"float32"`` or ``"float64"``.
        source: The dataset, for an initializer that needs data.

    Raises:
        PluginError: The shapes do not fit the network, or values are not finite.
    """
    draw = _drawn if network.n_params <= LARGE else _drawn.__wrapped__
    data = source if "data" in initializer.needs else None
    args = network.sizes, seed, network.activation, hyper, dtype, data
    return draw(initializer, *args).copy()  # type: ignore[arg-type]  # a class is hashable


@functools.lru_cache(maxsize=128)
def _drawn(
    initializer: type[Initializer],
    sizes: tuple[int, ...],
    seed: int,
    activation: str,
    hyper: tuple[tuple[str, Value], ...],
    dtype: str,
    source: type[DatasetSource] | None,
) -> Array:
    x = prepare_dataset(source).x_train if source is not None else None
    return pack(initial_params(initializer, sizes, seed, activation, dict(hyper), x), dtype)


def initial_params(
    initializer: type[Initializer],
    sizes: tuple[int, ...],
    seed: int,
    activation: str,
    hyper: Mapping[str, Value],
    x: Array | None = None,
) -> Params:
    """Draw the parameters of one run, the same for every optimizer.

    Args:
        initializer: The Initializer class.
        sizes: Width of the input, of each hidden layer and of the output.
        seed: Seed of the ``"init"`` stream.
        activation: Name of the hidden activation.
        hyper: Value of every hyperparameter of the initializer.
        x: Inputs (n, sizes[0]); the first `DATA_ROWS` go to an initializer that needs data.

    Returns:
        Weight (n_in, n_out) and bias (n_out,) of each layer, float64.

    Raises:
        PluginError: The shapes do not fit the network, or values are not finite.
    """
    inputs = x[:DATA_ROWS] if x is not None and "data" in initializer.needs else None
    context = InitContext(sizes, activation, ACTIVATIONS[activation][0], inputs)
    label = f"initializer '{initializer.name}'"
    try:
        drawn = initializer().initialize(stream("init", seed), context, Values(hyper))
        params = [(np.asarray(weight), np.asarray(bias)) for weight, bias in drawn]
    except OptbenchError:
        raise
    except Exception as cause:
        raise PluginError(f"{label}: {describe_error(cause, initializer)}") from cause
    expected = [((a, b), (b,)) for a, b in pairwise(sizes)]
    shapes = [(weight.shape, bias.shape) for weight, bias in params]
    if shapes != expected:
        raise PluginError(f"{label} made shapes {shapes}, the network has {expected}")
    parts = [part for pair in params for part in pair]
    if not all(part.dtype.kind in "fiub" and np.isfinite(part).all() for part in parts):
        raise PluginError(f"{label} made values that are not finite numbers")
    return [(np.asarray(weight, float), np.asarray(bias, float)) for weight, bias in params]
