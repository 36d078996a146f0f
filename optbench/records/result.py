"""How a run ended, and what was measured along the way."""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from optbench.contracts import Array
from optbench.records.curve import CURVE_COLUMNS, Curve
from optbench.records.spec import RunSpec
from optbench.support import html

_LOSSES = (
    ("train_loss", "training loss", "#f87507"),
    ("val_loss", "validation loss", "#2339fe"),
)
"""Column, name and colour of the lines that a notebook shows."""


class Status(StrEnum):
    """How a run ended. Divergence is a result, not an error."""

    OK = "ok"
    DIVERGED = "diverged"
    FAILED = "failed"


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

    @classmethod
    def failed(cls, spec: RunSpec, reason: str) -> Self:
        """Return the result of a run that failed before it was evaluated: its curve is empty.

        Args:
            spec: the run.
            reason: one line that says what went wrong.
        """
        curve = Curve(CURVE_COLUMNS, np.empty((len(CURVE_COLUMNS), 0)))
        return cls(spec, Status.FAILED, curve, reason)

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
        """How a notebook shows the run: its workload, how it ended, and its losses."""
        spec = self.spec
        rows = (
            ("run", f"{spec.configuration}, seed {spec.seed}"),
            ("workload", spec.workload.label),
            ("status", f"{self.status}: {self.reason}" if self.reason else str(self.status)),
            ("test loss", f"{self.test_loss:.4g}"),
            ("test metric", f"{self.test_metric:.4g}"),
            ("time", f"{self.seconds:.3g} s, {self.grad_evals} gradients, {self.loop} loop"),
        )
        losses = [
            html.Line(name, self.curve[column], colour)
            for column, name, colour in _LOSSES
            if column in self.curve
        ]
        return html.table(rows) + html.log_chart(losses)
