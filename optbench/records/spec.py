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
"""Which evaluation runs record layer health."""

ENGINE_VERSION = 4
"""Goes up with each change that alters the numbers of a run; older runs are then not reused."""
GELU_VERSION = 4
"""The same for runs with gelu, if only their numbers have changed since; never below the other."""


class StepControl(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What optbench does around the step of any optimizer.

    Attributes:
        schedule: How the learning rate changes over the run (`optbench.schedules`).
        warmup: Fraction of the run over which the learning rate rises linearly from 0, in [0, 1).
        final: Learning rate at the end as a fraction of ``lr``, in [0, 1].
        clip_norm: Largest global L2 norm of the gradient; 0 means no clipping.
        typed_zeros: Which of ``"warmup"`` and ``"final"`` the user sets to 0 although the schedule
            has another value; the others are the schedule's own where they are 0. While it is
            unset, it is not part of the content key.
    """

    schedule: str = "constant"
    warmup: float = 0.0
    final: float = 0.0
    clip_norm: float = 0.0
    typed_zeros: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET

    def value_of(self, name: str, default: float) -> float:
        """Return ``warmup`` or ``final``: the user's value, or else that of the schedule."""
        is_zero = self.typed_zeros is not msgspec.UNSET and name in self.typed_zeros
        value: float = getattr(self, name)
        return value if value or is_zero else default


class WorkloadFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields that a workload has, and every run on it: dataset, network, initializer and regime.

    Attributes:
        dataset: Name of the dataset.
        hidden: Widths of the hidden layers.
        activation: Activation of the hidden layers.
        initializer: Name of the initializer.
        initializer_hyper: Value of every hyperparameter of the initializer.
        regime: ``"batch"``, ``"mini-batch"`` or ``"sgd"``.
        batch_size: Examples per update (for ``"batch"`` the size of the training set).
        epochs: Passes over the training set.
    """

    dataset: str
    hidden: tuple[int, ...] = (32, 32)
    activation: str = "relu"
    initializer: str = "he-normal"
    initializer_hyper: dict[str, Value] = {}
    regime: Regime = "mini-batch"
    batch_size: int = 32
    epochs: int = 10


_WORKLOAD_FIELDS = WorkloadFields.__struct_fields__


class Workload(WorkloadFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dataset x network x initializer x regime: what optimizers are compared on."""

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
        """One line that distinguishes this workload from every other."""
        size = f" B={self.batch_size}" if self.regime == "mini-batch" else ""
        return (
            f"{self.dataset} | {self.network} | {self.initialization} | "
            f"{self.regime}{size} | {self.epochs} epochs"
        )


class RunSpec(WorkloadFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One configuration on one workload with one seed; everything that decides its numbers.

    As JSON, and therefore in its content key, the fields of the workload stand beside the others.

    Attributes:
        optimizer: Name of the optimizer.
        hyper: Value of every hyperparameter, defaults included.
        control: Schedule and clipping.
        optimizer_code: Fingerprint of the optimizer's source, so that an edited plugin is new.
        dataset_hash: Content hash of the dataset.
        initializer_code: Fingerprint of the initializer's source.
        seed: Seed of the paired streams (initial weights, batch order).
        dtype: ``"float32"`` or ``"float64"``.
        grid_points: Points of the log-spaced grid of examples.
        engine: Version of the engine's numbers.
        schedule_code: Fingerprint of the schedule's source, unless it comes with optbench; while it
            is unset, it is not part of the content key.
        curve_rows: Numbers of training and of validation examples on which the curve is measured,
            if a sample stands for either part, because it is large or the run is short
            (`optbench.engine.curve_points`); unset, and not part of the content key, if every
            example counts.
        curve_points: Number of points of the grid at which the run is evaluated, if all of them
            would cost too much beside the training (`optbench.engine.curve_points`); unset, and not
            part of the content key, if it is evaluated at all of them.

    Example:
        >>> import optbench
        >>> spec = optbench.train("sgd[lr=0.1]", dataset="iris", epochs=1).spec
        >>> spec.optimizer, spec.hyper, spec.seed
        ('sgd', {'lr': 0.1}, 0)
    """

    optimizer: str
    hyper: dict[str, Value]
    control: StepControl = StepControl()
    optimizer_code: str = ""
    dataset_hash: str = ""
    initializer_code: str = ""
    seed: int = 0
    dtype: str = "float32"
    grid_points: int = 40
    engine: int = ENGINE_VERSION
    schedule_code: str | msgspec.UnsetType = msgspec.UNSET
    curve_rows: tuple[int, int] | msgspec.UnsetType = msgspec.UNSET
    curve_points: int | msgspec.UnsetType = msgspec.UNSET

    @property
    def key(self) -> str:
        """Content key: the same run has the same key on every machine."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:20]

    @property
    def configuration(self) -> str:
        """The optimizer with all its values, as the command line spells it."""
        return spell(self.optimizer, {**self.hyper, **changed(self.control)})

    def sample_note(self, column: str) -> str:
        """Return what to add to the name of a drawn column: how many examples it is measured on.

        It is empty if these are all examples of the part.

        Example:
            >>> import optbench
            >>> optbench.train("sgd", dataset="digits", epochs=1).spec.sample_note("train_loss")
            ' (256 examples)'
        """
        if self.curve_rows is msgspec.UNSET:
            return ""
        sampled = dict(zip(("train", "val"), self.curve_rows, strict=True))
        rows = sampled.get(column.partition("_")[0])
        return "" if rows is None else f" ({rows:,} examples)"

    @property
    def workload(self) -> Workload:
        """The workload that this run is on."""
        return Workload(**{name: getattr(self, name) for name in _WORKLOAD_FIELDS})


def engine_version(activation: str) -> int:
    """Return the version of the engine's numbers for a network with this activation."""
    return GELU_VERSION if activation == "gelu" else ENGINE_VERSION


def changed(control: StepControl) -> dict[str, Value]:
    """Return the values in `control` that the user gives and that do something."""
    plain = StepControl()
    return {
        name: value
        for name, value in control_values(control).items()
        if value != getattr(plain, name) or name in (control.typed_zeros or ())
    }


def control_values(control: StepControl) -> dict[str, Value]:
    """Return the value of every option in `control` by name."""
    return {k: v for k, v in msgspec.structs.asdict(control).items() if k != "typed_zeros"}


def spell(name: str, values: Mapping[str, Value]) -> str:
    """Return ``name[key=value,...]`` as the command line reads it; numbers round-trip."""
    if not values:
        return name
    return f"{name}[{','.join(f'{k}={spell_value(v)}' for k, v in values.items())}]"


def spell_value(value: Value) -> str:
    """Return a value as the command line reads it: ``0.1``, ``1`` for 1.0, ``true``."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)
