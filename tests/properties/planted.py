"""Good plugins to spoil, and objects that may be returned in the place of any other."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from optbench import (
    DatasetSource,
    Initializer,
    Landscape,
    ReportSection,
    Rule,
    Schedule,
    Stepper,
    hookimpl,
    hyper,
)


class Angry:
    """An object whose repr and comparisons raise."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __hash__(self) -> int:
        return 0


def one(item: Any) -> Any:
    """Yield one item; a generator can be read only once."""
    yield item


class Descent(Rule):
    """Plain descent."""

    name = "descent"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1))

    @staticmethod
    def update(theta: Any, grad: Any, t: int, h: Any) -> Any:
        return (theta - h.lr * grad,)


class Steps(Stepper):
    """Plain descent in Python."""

    name = "steps"

    def init(self, params: Any, context: Any) -> Any:
        return None

    def step(self, params: Any, grads: Any, state: Any, context: Any) -> Any:
        for p, g in zip(params, grads, strict=True):
            p[...] -= 0.1 * g


class Draws(Initializer):
    """Small weights."""

    name = "draws"

    def weight(self, rng: Any, n_in: int, n_out: int, h: Any) -> Any:
        return rng.normal(0, 0.1, (n_in, n_out))


class Points(DatasetSource):
    """Sixty points."""

    name = "points"
    task = "multiclass"
    source = "generated"

    def load(self) -> Any:
        rng = np.random.default_rng(0)
        return rng.normal(size=(60, 3)), np.arange(60) % 3


class Bowl(Landscape):
    """A bowl."""

    name = "bowl"
    span = ((-1.0, 1.0), (-1.0, 1.0))
    start = (0.5, 0.5)
    minima = ((0.0, 0.0),)

    def value(self, points: Any, h: Any) -> Any:
        return (points**2).sum(axis=-1)

    def grad(self, point: Any, h: Any, rng: Any) -> Any:
        return 2 * point


class Line(Schedule):
    """A straight line."""

    name = "line"

    @staticmethod
    def factor(s: Any, final: float) -> Any:
        return 1 - s


class Page(ReportSection):
    """An empty table."""

    name = "page"
    title = "A page"

    def table(self, study: Any) -> Any:
        return []


class Constant(Schedule):
    """A constant learning rate, under the name of the default schedule."""

    name = "constant"

    @staticmethod
    def factor(s: Any, final: float) -> Any:
        return np.ones_like(s)


BASES: dict[str, type] = {
    "optimizers": Descent,
    "initializers": Draws,
    "datasets": Points,
    "landscapes": Bowl,
    "schedules": Line,
    "reports": Page,
}


def variant(base: type, **changes: Any) -> type:
    """Return a subclass with these attributes."""
    return type(base.__name__, (base,), {"__doc__": base.__doc__, **changes})


def returning(kind: str, result: Callable[[], Any]) -> types.ModuleType:
    """Return a plugin whose hook returns the value of `result()`."""
    module = types.ModuleType("planted")
    name = f"optbench_register_{kind}"

    def hook() -> Any:
        return result()

    hook.__name__ = name
    setattr(module, name, hookimpl(hook))
    return module


JUNK: dict[str, Any] = {
    "none": None, "number": 0, "fraction": 1.5, "text": "text", "bytes": b"bytes", "empty": {},
    "mapping": {"a": 1}, "object": object(), "angry": Angry(), "array": np.zeros(3),
    "function": lambda: None,
}  # fmt: skip
"""Objects that cannot be registered, by themselves or in a list."""

ANYTHING: list[Callable[[Any], Any]] = [
    lambda theta: None,
    lambda theta: theta,
    lambda theta: [theta],
    lambda theta: (),
    lambda theta: (theta, theta),
    lambda theta: (None,),
    lambda theta: ("text",),
    lambda theta: (theta + 1j,),
    lambda theta: (theta * np.nan,),
    lambda theta: (theta * np.inf,),
    lambda theta: (theta.astype(object),),
    lambda theta: (theta.astype(str),),
    lambda theta: (np.zeros(3),),
    lambda theta: (np.zeros((7, 7)),),
    lambda theta: (np.zeros((*theta.shape, 2)),),
    lambda theta: (theta[:0],),
    lambda theta: ([[1, 2], [3]],),
    lambda theta: (Angry(),),
    one,
    lambda theta: {0: theta},
    lambda theta: (10**400,),
    lambda theta: (np.datetime64("2020-01-01"),),
    lambda theta: (lambda: 0,),
]
FAILS = set(range(len(ANYTHING))) - {8, 9}
"""Indices of the functions that fail a run; the other two make it diverge."""
