"""One run with every name resolved into arrays and classes, ready to be trained by a loop."""

from __future__ import annotations

import math
from dataclasses import dataclass

from optbench.contracts import Array, Optimizer, Schedule
from optbench.data.splits import prepare_dataset, typed_parts
from optbench.data.streams import batch_order
from optbench.engine.curve_parts import Part, curve_parts, end_part
from optbench.engine.guess_losses import Losses, guess_losses
from optbench.engine.initialization import initial_buffer
from optbench.errors import ConfigError
from optbench.network import LOSS_OF_TASK, Network
from optbench.records import RunSpec
from optbench.registry import Registry


@dataclass(frozen=True)
class Problem:
    """Everything that a loop needs to train one run.

    Attributes:
        spec: The run.
        optimizer: The optimizer class.
        network: The network.
        theta0: Initial parameters, one flat buffer in the run's dtype.
        train, val, test: Inputs (n, n_features) in the run's dtype, and labels or targets.
        order: Batch order (epochs, n), int32; None in the batch regime, which has no order.
        updates_per_epoch: Number of batches per epoch; the last batch may be short.
        schedule: Learning-rate schedule; None for a constant rate.
        guess: Loss of guessing on the train, val and test part (see `guess_losses`).
        samples: Examples of the train and the val part on which the curve is measured (see
            `curve_parts`); None for all.
        end_train: Examples on which the training loss is measured at the end (see `end_part`);
            None for those of the curve.
    """

    spec: RunSpec
    optimizer: Optimizer
    network: Network
    theta0: Array
    train: Part
    val: Part
    test: Part
    order: Array | None
    updates_per_epoch: int
    schedule: type[Schedule] | None = None
    guess: Losses = (math.nan, math.nan, math.nan)
    samples: tuple[Part, Part] | None = None
    end_train: Part | None = None

    @property
    def curve_train(self) -> Part:
        """Examples on which the curve has the training loss."""
        return self.samples[0] if self.samples else self.train

    @property
    def curve_val(self) -> Part:
        """Examples on which the curve has the validation loss."""
        return self.samples[1] if self.samples else self.val

    @property
    def total_updates(self) -> int:
        """Number of updates in the whole run."""
        return self.updates_per_epoch * self.spec.epochs

    @property
    def n_train(self) -> int:
        """Number of examples in the training part."""
        return len(self.train[0])


def build_problem(spec: RunSpec, registry: Registry) -> Problem:
    """Return the problem of a run, with every name resolved.

    Args:
        spec: The run.
        registry: Registry in which names are looked up.

    Raises:
        ConfigError: A name is unknown, or the dataset has changed since the run was planned.
        PluginError: A plugin of the run fails.
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
    theta0 = initial_buffer(
        registry.initializer(spec.initializer),
        network,
        spec.seed,
        tuple(spec.initializer_hyper.items()),
        spec.dtype,
        source,
    )
    train, val, test = typed_parts(source, spec.dtype)
    n = len(train[0])
    full = spec.regime == "batch"
    samples = curve_parts(source, spec.dtype, spec.curve_rows)
    end_train = end_part(source, spec.dtype, spec.curve_rows)
    return Problem(
        spec=spec,
        optimizer=registry.optimizer(spec.optimizer),
        network=network,
        theta0=theta0,
        train=train,
        val=val,
        test=test,
        order=None if full else batch_order(n, spec.epochs, spec.seed),
        updates_per_epoch=1 if full else -(-n // spec.batch_size),
        schedule=registry.schedule(spec.control.schedule),
        guess=guess_losses(source, spec.dtype, spec.curve_rows),
        samples=samples,
        end_train=None if end_train is samples[0] else end_train,
    )
