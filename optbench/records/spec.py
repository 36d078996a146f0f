"""What a run is: one configuration on one workload with one seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec

from optbench.contracts import Value

Regime = Literal["batch", "mini-batch", "sgd"]
REGIMES: tuple[Regime, ...] = ("batch", "mini-batch", "sgd")
DTYPES = ("float32", "float64")
Health = Literal["none", "first", "all"]
"""In which of the runs that a configuration is judged on layer health is recorded."""

ENGINE_VERSION = 1
"""Raised when a change alters the numbers of a run; runs of older engines are not reused."""


class StepControl(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What optbench does around any optimizer's step.

    Attributes:
        schedule: how the learning rate changes over the run (`optbench.schedules`).
        warmup: fraction of the run over which the learning rate rises linearly from 0, in [0, 1).
        final: learning rate at the end as a fraction of ``lr``; NaN-free, in [0, 1].
        clip_norm: largest global L2 norm of the gradient; 0 means no clipping.
    """

    schedule: str = "constant"
    warmup: float = 0.0
    final: float = 0.0
    clip_norm: float = 0.0


class RunSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One configuration on one workload with one seed; everything that decides its numbers.

    Attributes:
        optimizer: name of the optimizer.
        hyper: value of every hyperparameter, defaults included.
        control: schedule and clipping.
        optimizer_code: fingerprint of the optimizer's source, so that an edited plugin is new.
        dataset: name of the dataset.
        dataset_hash: its content hash.
        hidden: widths of the hidden layers.
        activation: hidden activation.
        initializer: name of the initializer.
        initializer_hyper: value of every hyperparameter of the initializer.
        initializer_code: fingerprint of the initializer's source.
        schedule_code: fingerprint of the schedule's source, unless it comes with optbench; while it
            is unset, it is not part of the content key.
        regime: ``"batch"``, ``"mini-batch"`` or ``"sgd"``.
        batch_size: examples an update (for ``"batch"`` the training set's size).
        epochs: passes over the training set.
        seed: seed of the paired streams (initial weights, batch order).
        dtype: ``"float32"`` or ``"float64"``.
        grid_points: evaluations on the log-spaced grid of examples.
        engine: version of the engine's numbers.
    """

    optimizer: str
    hyper: dict[str, Value]
    control: StepControl = StepControl()
    optimizer_code: str = ""
    dataset: str
    dataset_hash: str = ""
    hidden: tuple[int, ...] = (32, 32)
    activation: str = "relu"
    initializer: str = "he-normal"
    initializer_hyper: dict[str, Value] = {}
    initializer_code: str = ""
    regime: Regime = "mini-batch"
    batch_size: int = 32
    epochs: int = 10
    seed: int = 0
    dtype: str = "float32"
    grid_points: int = 40
    engine: int = ENGINE_VERSION
    schedule_code: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def key(self) -> str:
        """Content key: the same run has the same key on every machine."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:20]

    @property
    def configuration(self) -> str:
        """The optimizer with all its values, as the command line spells it."""
        return spell(self.optimizer, {**self.hyper, **changed(self.control)})

    @property
    def workload(self) -> Workload:
        """The workload that this run is on."""
        return Workload(
            dataset=self.dataset,
            hidden=self.hidden,
            activation=self.activation,
            initializer=self.initializer,
            initializer_hyper=self.initializer_hyper,
            regime=self.regime,
            batch_size=self.batch_size,
            epochs=self.epochs,
        )


class Workload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dataset x network x initializer x regime: what optimizers are compared on."""

    dataset: str
    hidden: tuple[int, ...] = (32, 32)
    activation: str = "relu"
    initializer: str = "he-normal"
    initializer_hyper: dict[str, Value] = {}
    regime: Regime = "mini-batch"
    batch_size: int = 32
    epochs: int = 10

    @property
    def network(self) -> str:
        """The network in short, e.g. ``"32-32 relu"``."""
        return ("-".join(map(str, self.hidden)) or "linear") + " " + self.activation

    @property
    def initialization(self) -> str:
        """The initializer with its values, as the command line spells it."""
        return spell(self.initializer, self.initializer_hyper)

    @property
    def label(self) -> str:
        """One line that tells this workload from every other."""
        size = f" B={self.batch_size}" if self.regime == "mini-batch" else ""
        return (
            f"{self.dataset} | {self.network} | {self.initialization} | "
            f"{self.regime}{size} | {self.epochs} epochs"
        )


def changed(control: StepControl) -> dict[str, Value]:
    """The fields of `control` that differ from doing nothing."""
    plain = msgspec.structs.asdict(StepControl())
    return {k: v for k, v in msgspec.structs.asdict(control).items() if v != plain[k]}


def spell(name: str, values: Mapping[str, Value]) -> str:
    """Write ``name[key=value,...]`` as the command line reads it; numbers round-trip."""
    if not values:
        return name
    return f"{name}[{','.join(f'{k}={_text(v)}' for k, v in values.items())}]"


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)
