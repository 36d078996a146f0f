"""How a run ended, and what was measured along the way."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, Self

import numpy as np

from optbench.contracts import Array
from optbench.records.curve import CURVE_COLUMNS, Curve
from optbench.records.spec import RunSpec
from optbench.support import html
from optbench.support.charts import log_chart_with_axes

_LOSSES = (
    ("train_loss", "training loss", "#f87507"),
    ("val_loss", "validation loss", "#3b78e7"),
)
"""Column, name and CSS color of the lines in a notebook."""


class Status(StrEnum):
    """How a run ended. Divergence is a result, not an error.

    Example:
        >>> import optbench
        >>> optbench.train("sgd[lr=0.1]", dataset="iris", epochs=1).status
        <Status.OK: 'ok'>
    """

    OK = "ok"
    DIVERGED = "diverged"
    FAILED = "failed"


class SpecSource(Protocol):
    """A store of specs."""

    def spec(self, key: str) -> RunSpec:
        """Return the spec of a run."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run whose spec stays in a store: a large study is mostly tuning runs, and few are asked.

    Attributes:
        key: Content key of the run.
        source: Store to read the spec from.
    """

    key: str
    source: SpecSource = field(repr=False)

    def read(self) -> RunSpec:
        """Read the spec.

        Raises:
            StoreError: The run is no longer in the store, or is damaged.
        """
        return self.source.spec(self.key)

    def __reduce__(self) -> tuple[Callable[[RunSpec], RunSpec], tuple[RunSpec]]:
        """Pickle the spec itself, since the store may not exist elsewhere."""
        return copy.copy, (self.read(),)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended: the part of a result that is the same in memory, in a store, in a message.

    `RunResult` documents its attributes.
    """

    status: Status
    reason: str = ""
    test_loss: float = float("nan")
    test_metric: float = float("nan")
    params_hash: str = ""
    grad_evals: int = 0
    seconds: float = 0.0
    loop: str = "stepped"
    best_test_loss: float = float("nan")
    best_test_metric: float = float("nan")
    guess_train_loss: float = float("nan")
    guess_val_loss: float = float("nan")
    guess_test_loss: float = float("nan")
    end_train_loss: float = float("nan")
    end_train_metric: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult(RunOutcome):
    """The result of one run: which run it was, how it ended, and what was measured.

    Attributes:
        run: Spec of the run, or where it is stored; `spec` is the spec in either case.
        curve: What was measured along the way.
        params: Trained weight (n_in, n_out) and bias (n_out,) of each layer; None for runs read
            from a store, which keeps their hash.
        status: ``"ok"``, ``"diverged"`` or ``"failed"`` (a plugin raised; see `reason`).
        reason: One line for any status but ``"ok"``; for this one, which attributes of its class
            the optimizer changed, if any.
        test_loss: Loss on the test part at the end; NaN unless ok.
        test_metric: Accuracy or R squared on the test part; NaN unless ok.
        params_hash: SHA-256 of the bytes of the trained parameters.
        grad_evals: Gradient evaluations (batches), closure calls included.
        seconds: Training time, evaluation excluded.
        loop: ``"compiled"`` or ``"stepped"``.
        best_test_loss: Loss on the test part at the evaluation `best_row`, as if training had been
            stopped there; NaN unless ok, and for runs stored before it was measured.
        best_test_metric: Accuracy or R squared on the test part at the same evaluation.
        guess_train_loss: Loss on the training part of a model that always predicts the class
            frequencies of the training part, or the mean of its targets: what any training should
            improve on. A property of the dataset; NaN for runs stored before it was measured.
        guess_val_loss: Loss of the same model on the validation part.
        guess_test_loss: Loss of the same model on the test part.
        end_train_loss: Loss on the training part at the end: of the whole part unless it is large,
            also where the curve has that of a sample (`RunSpec.curve_rows`); NaN unless ok, and for
            runs stored before it was measured.
        end_train_metric: Accuracy or R squared likewise.

    Example:
        >>> import optbench
        >>> result = optbench.train("sgd", dataset="iris", epochs=1)
        >>> result.status, result.spec.dataset, result.curve.rows > 1
        (<Status.OK: 'ok'>, 'iris', True)
    """

    run: RunSpec | StoredRun
    curve: Curve
    params: list[tuple[Array, Array]] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def failed(cls, spec: RunSpec, reason: str) -> Self:
        """Return the result of a run that failed before it was evaluated: its curve is empty.

        Args:
            spec: The run.
            reason: One line that says what went wrong.
        """
        curve = Curve(CURVE_COLUMNS, np.empty((len(CURVE_COLUMNS), 0)))
        return cls(run=spec, status=Status.FAILED, curve=curve, reason=reason)

    @property
    def spec(self) -> RunSpec:
        """Spec of the run; read from the store at each use if it stayed there.

        Raises:
            StoreError: The run is no longer in its store, or is damaged.
        """
        return self.run.read() if isinstance(self.run, StoredRun) else self.run

    @property
    def key(self) -> str:
        """Content key of the run."""
        return self.run.key

    def without_params(self) -> Self:
        """Return the same result without the trained parameters, as stores and workers hold it."""
        return self if self.params is None else replace(self, params=None)

    def final(self, column: str) -> float:
        """Return the value of a column of the curve at the end; NaN if nothing was evaluated.

        Loss and metric of the training part are `end_train_loss` and `end_train_metric`, where
        they were measured.

        Example:
            >>> import optbench
            >>> result = optbench.train("sgd", dataset="digits", epochs=2)
            >>> bool(result.final("train_loss") == result.end_train_loss)
            True
        """
        whole = {"train_loss": self.end_train_loss, "train_metric": self.end_train_metric}
        value = whole.get(column, math.nan)
        return self.curve.last(column) if math.isnan(value) else value

    @property
    def best_row(self) -> int:
        """Index of the evaluation with the lowest validation loss: the first one on ties.

        The untrained network, row 0, counts too. -1 if nothing was evaluated.

        Example:
            >>> import optbench
            >>> result = optbench.train("sgd", dataset="iris", epochs=2)
            >>> bool(result.best("val_loss") == result.curve.val_loss.min())
            True
        """
        if not self.curve.rows:
            return -1
        losses = self.curve["val_loss"]
        row = int(losses.argmin())
        if np.isnan(losses[row]):  # NaN is the least of all for argmin
            row = int(np.where(np.isnan(losses), np.inf, losses).argmin())
        return row

    def best(self, column: str) -> float:
        """Return the value of a column of the curve at `best_row`; NaN if nothing was evaluated."""
        if not self.curve.rows or column not in self.curve:
            return float("nan")
        return float(self.curve[column][self.best_row])

    def to_pandas(self) -> Any:
        """Return the curve as a pandas DataFrame (pandas must be installed)."""
        return self.curve.to_pandas()

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the workload, how the run ended, and its losses."""
        spec = self.spec
        rows = (
            ("run", f"{spec.configuration}, seed {spec.seed}"),
            ("workload", spec.workload.label),
            ("status", f"{self.status}: {self.reason}" if self.reason else str(self.status)),
            ("training loss", f"{self.final('train_loss'):.4g}"),
            ("test loss", f"{self.test_loss:.4g}"),
            ("test accuracy (regression: R squared)", f"{self.test_metric:.4g}"),
            ("time", f"{self.seconds:.3g} s, {self.grad_evals} gradients, {self.loop} loop"),
        )
        losses = [
            html.Line(name + spec.sample_note(column), self.curve[column], colour)
            for column, name, colour in _LOSSES
            if column in self.curve
        ]
        epochs = self.curve["epoch"] if "epoch" in self.curve else np.empty(0)
        return html.table(rows) + log_chart_with_axes(losses, epochs, "epoch", "loss")
