"""A run with everything resolved: arrays, classes, order of batches. What a loop trains."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from optbench.contracts import Array, InitContext, Initializer, Optimizer, Schedule, Values
from optbench.data.splits import prepare_dataset, typed_parts
from optbench.data.streams import batch_order, stream
from optbench.errors import ConfigError, OptbenchError, PluginError, describe_error
from optbench.network import ACTIVATIONS, LOSS_OF_TASK, Network, Params, pack
from optbench.records import RunSpec
from optbench.registry import Registry

DATA_FOR_INITIALIZER = 256
"""Inputs shown to an initializer that declares the need ``"data"``."""


@dataclass(frozen=True)
class Problem:
    """What a loop needs to train one run.

    Attributes:
        theta0: initial parameters, one flat buffer in the run's dtype.
        train, val, test: inputs (n, n_features) in the run's dtype, labels or targets.
        order: batch order (epochs, n), int32; None in full batch, where order is void.
        updates_per_epoch: batches an epoch, the last one possibly short.
        schedule: learning-rate schedule; None for a constant rate.
    """

    spec: RunSpec
    optimizer: Optimizer
    network: Network
    theta0: Array
    train: tuple[Array, Array]
    val: tuple[Array, Array]
    test: tuple[Array, Array]
    order: Array | None
    updates_per_epoch: int
    schedule: type[Schedule] | None = None

    @property
    def total_updates(self) -> int:
        """Updates in the whole run."""
        return self.updates_per_epoch * self.spec.epochs

    @property
    def n_train(self) -> int:
        """Examples in the training part."""
        return len(self.train[0])


def build_problem(spec: RunSpec, registry: Registry) -> Problem:
    """Resolve a run.

    Raises:
        ConfigError: an unknown name, or a dataset that is not the one the run was planned with.
        PluginError: a plugin of the run fails.
    """
    source = registry.dataset_source(spec.dataset)
    data = prepare_dataset(source)
    if spec.dataset_hash and spec.dataset_hash != data.content_hash:
        raise ConfigError(
            f"dataset '{spec.dataset}' has changed: the run was planned with "
            f"{spec.dataset_hash[:12]}, this machine has {data.content_hash[:12]}"
        )
    sizes = (data.n_features, *spec.hidden, data.n_outputs)
    network = Network(sizes, spec.activation, LOSS_OF_TASK[data.task])
    params = initial_params(
        registry.initializer(spec.initializer),
        sizes,
        spec.seed,
        spec.activation,
        spec.initializer_hyper,
        data.x_train,
    )
    train, val, test = typed_parts(source, spec.dtype)
    n = len(train[0])
    full = spec.regime == "batch"
    return Problem(
        spec=spec,
        optimizer=registry.optimizer(spec.optimizer),
        network=network,
        theta0=pack(params, spec.dtype),
        train=train,
        val=val,
        test=test,
        order=None if full else batch_order(n, spec.epochs, spec.seed),
        updates_per_epoch=1 if full else -(-n // spec.batch_size),
        schedule=registry.schedule(spec.control.schedule),
    )


def initial_params(
    initializer: type[Initializer],
    sizes: tuple[int, ...],
    seed: int,
    activation: str,
    hyper: dict[str, float | int | bool | str],
    x: Array | None = None,
) -> Params:
    """Draw theta from the run's ``"init"`` stream, float64; the same for every optimizer.

    Raises:
        PluginError: shapes that do not fit the network, or values that are not finite.
    """
    shown = x[:DATA_FOR_INITIALIZER] if x is not None and "data" in initializer.needs else None
    context = InitContext(sizes, activation, ACTIVATIONS[activation][0], shown)
    where = f"initializer '{initializer.name}'"
    try:
        made = initializer().initialize(stream("init", seed), context, Values(hyper))
        params = [(np.asarray(weight), np.asarray(bias)) for weight, bias in made]
    except OptbenchError:
        raise
    except Exception as cause:
        raise PluginError(f"{where}: {describe_error(cause, initializer)}") from cause
    expected = [((a, b), (b,)) for a, b in pairwise(sizes)]
    shapes = [(weight.shape, bias.shape) for weight, bias in params]
    if shapes != expected:
        raise PluginError(f"{where} made shapes {shapes}, the network has {expected}")
    parts = [part for pair in params for part in pair]
    if not all(part.dtype.kind in "fiub" and np.isfinite(part).all() for part in parts):
        raise PluginError(f"{where} made values that are not finite numbers")
    return [(np.asarray(weight, float), np.asarray(bias, float)) for weight, bias in params]
