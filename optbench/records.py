"""Frozen records that pass between the floors: what a run is, and what came of it."""

from __future__ import annotations

import hashlib
import importlib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
import numpy as np

from optbench.contracts import Array, Value

Regime = Literal["batch", "mini-batch", "sgd"]
REGIMES: tuple[Regime, ...] = ("batch", "mini-batch", "sgd")
DTYPES = ("float32", "float64")
Health = Literal["none", "first", "all"]
"""In which of the runs that a configuration is judged on layer health is recorded."""

ENGINE_VERSION = 1
"""Raised when a change alters the numbers of a run; runs of older engines are not reused."""


class Status(StrEnum):
    """How a run ended. Divergence is a result, not an error."""

    OK = "ok"
    DIVERGED = "diverged"
    FAILED = "failed"


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


CURVE_COLUMNS = (
    "epoch",
    "updates",
    "examples",
    "seconds",
    "train_loss",
    "val_loss",
    "train_metric",
    "val_metric",
)


class Curve(Mapping[str, Array]):
    """What was measured along a run: equally long float64 columns, one row an evaluation.

    Columns: ``epoch`` and ``examples`` (gradients of examples computed), ``updates``, ``seconds``
    (training alone, evaluation excluded), loss and metric on training and validation part. The
    metric is accuracy for classification, R squared for regression. Layer health, where it was
    recorded, adds columns such as ``"layer1.dead"``.

    Example:
        >>> import optbench
        >>> result = optbench.train("sgd", dataset="iris", epochs=2)
        >>> float(result.curve["updates"][0])
        0.0
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, Array]) -> None:
        self._columns = {k: np.asarray(v, dtype=np.float64) for k, v in columns.items()}

    def __getitem__(self, column: str) -> Array:
        return self._columns[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __getattr__(self, column: str) -> Array:
        if column.startswith("_") or column not in self:
            raise AttributeError(f"the curve has no column '{column}'")
        return self[column]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self)

    @property
    def rows(self) -> int:
        """Number of evaluations."""
        return len(next(iter(self.values()), ()))

    def table(self, columns: Sequence[str]) -> Array:
        """Several columns at once, shape (columns, rows); NaN for one that is not there."""
        table = np.full((len(columns), self.rows), np.nan)
        for row, column in zip(table, columns, strict=True):
            if column in self:
                row[:] = self[column]
        return table

    def last(self, column: str) -> float:
        """Last value of a column; NaN when there is none."""
        values = self[column] if column in self else np.empty(0)
        return float(values[-1]) if len(values) else float("nan")

    def to_pandas(self) -> Any:
        """The curve as a pandas DataFrame (pandas must be installed)."""
        import pandas as pd

        return pd.DataFrame(dict(self))

    def __repr__(self) -> str:
        return f"Curve({self.rows} rows: {', '.join(self.columns)})"


class SpecSource(typing.Protocol):
    """Where specs are stored."""

    def spec(self, key: str) -> RunSpec:
        """The spec of a run."""


class _Unread:
    """Room for the key of a result whose spec is in a store, and for that store."""

    __slots__ = ("_key", "_source")
    _key: str
    _source: SpecSource


@dataclass(frozen=True, slots=True)
class RunResult(_Unread):
    """What came of one run.

    Attributes:
        spec: the run.
        status: ``"ok"``, ``"diverged"`` or ``"failed"`` (a plugin raised; see `reason`).
        reason: one line for anything but ``"ok"``.
        curve: what was measured along the way.
        test_loss: loss on the test part at the end; NaN unless ok.
        test_metric: accuracy or R squared on the test part; NaN unless ok.
        params: trained weight (n_in, n_out) and bias (n_out,) of each layer; None for runs read
            back from a store, which keeps their hash.
        params_hash: sha256 of the trained parameters' bytes.
        grad_evals: gradient evaluations (batches), closure calls included.
        seconds: training time, evaluation excluded.
        loop: ``"compiled"`` or ``"stepped"``.
    """

    spec: RunSpec
    status: Status
    curve: Curve
    reason: str = ""
    test_loss: float = float("nan")
    test_metric: float = float("nan")
    params: list[tuple[Array, Array]] | None = field(default=None, repr=False, compare=False)
    params_hash: str = ""
    grad_evals: int = 0
    seconds: float = 0.0
    loop: str = "stepped"

    @classmethod
    def unread(cls, key: str, source: SpecSource, *ended: Any) -> Self:
        """A result whose spec is read when somebody asks for it; else it is like any other.

        Args:
            key: of the run.
            source: asked for the spec once; what it raises comes out of ``.spec``.
            ended: the values of all other fields, in their order.
        """
        result, put = object.__new__(cls), object.__setattr__
        put(result, "_key", key)
        put(result, "_source", source)
        for name, value in zip(cls.__slots__[1:], ended, strict=True):
            put(result, name, value)
        return result

    if not TYPE_CHECKING:  # it would let any name pass

        def __getattr__(self, name: str) -> RunSpec:
            """Called for what is not there: the spec, until it has been read."""
            if name != "spec":
                raise AttributeError(f"a run's result has no '{name}'", name=name, obj=self)
            spec = self._source.spec(self._key)
            object.__setattr__(self, "spec", spec)
            return spec

    @property
    def key(self) -> str:
        """Content key of the run."""
        try:
            return self._key
        except AttributeError:
            return self.spec.key

    def final(self, column: str) -> float:
        """Last value of a column of the curve; NaN when nothing was evaluated."""
        return self.curve.last(column)

    def to_pandas(self) -> Any:
        """The curve as a pandas DataFrame."""
        return self.curve.to_pandas()

    def _repr_html_(self) -> str:
        """How a notebook shows the run; drawn by the report, which is loaded only then."""
        return str(importlib.import_module("optbench.report.notebook").run_html(self))


class Protocol(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How configurations are chosen and judged; the same for every entrant.

    Attributes:
        ruleset: what is tuned: ``"defaults"`` nothing, ``"lr"`` the learning rate, ``"full"``
            everything that declares a search range.
        budget: trials an entrant has on each workload (1 with ``"defaults"``).
        tuning_seeds: seeds each trial is trained with.
        seeds: fresh seeds the chosen configuration is judged on, disjoint from the tuning seeds.
        select: ``"val_loss"`` (final validation loss) or ``"time"`` (examples to the target).
        widen: how often a search range is extended when the best trial lies at its edge.
        dtype: ``"float32"`` or ``"float64"``.
        grid_points: evaluations along a run.
    """

    ruleset: Literal["defaults", "lr", "full"] = "lr"
    budget: int = 8
    tuning_seeds: int = 1
    seeds: int = 5
    select: Literal["val_loss", "time"] = "val_loss"
    widen: int = 1
    dtype: str = "float32"
    grid_points: int = 40


class Entrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who competes: an optimizer, with the values that the user fixed (those are never tuned).

    Attributes:
        label: as the leaderboard shows it, e.g. ``"adam[beta1=0.95]"``; unique in a study.
        optimizer: name of the optimizer.
        given: hyperparameters fixed by the user.
        control: schedule and clipping.
    """

    label: str
    optimizer: str
    given: dict[str, Value] = {}
    control: StepControl = StepControl()


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration tried in tuning, trained with each tuning seed."""

    hyper: Mapping[str, Value]
    results: tuple[RunResult, ...]


@dataclass(frozen=True)
class Cell:
    """One entrant on one workload: what was tried, what was chosen, how that did on fresh seeds.

    Attributes:
        chosen: hyperparameter values selected on validation (None while tuning is unfinished).
        edges: hyperparameters whose best trial still lies at the edge of the search range after
            widening, mapped to ``"low"`` or ``"high"``.
        evaluation: runs of the chosen configuration on the evaluation seeds.
    """

    entrant: Entrant
    workload: Workload
    trials: tuple[Trial, ...]
    chosen: Mapping[str, Value] | None
    edges: Mapping[str, str]
    evaluation: tuple[RunResult, ...]
