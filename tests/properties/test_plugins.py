"""Plugins with code that does anything: a failed run with a reason that names them.

Other entrants are not affected.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

from optbench import PluginError, RunResult
from optbench.contracts import Values
from optbench.data.splits import prepare_dataset
from optbench.engine.initialization import initial_params
from optbench.engine.training import train_spec
from optbench.inspection.landscapes import Ground, follow
from optbench.records import Status
from optbench.registry import Registry
from tests.engine.spec_factory import spec_of
from tests.properties.planted import (
    ANYTHING,
    FAILS,
    Angry,
    Bowl,
    Constant,
    Descent,
    Draws,
    Points,
    Steps,
    one,
    returning,
    variant,
)

REGISTRY = Registry()
"""Two entrants, one of which may do anything, and what they train on."""
for _kind, _items in {
    "optimizers": [Descent, Steps],
    "initializers": [Draws],
    "datasets": [Points],
    "landscapes": [Bowl],
    "schedules": [Constant],
}.items():
    _module = returning(_kind, partial(list, _items))
    _module.__name__ = f"good-{_kind}"
    REGISTRY.register(_module)


def trained(item: type, kind: str = "optimizers", loop: str = "auto") -> RunResult:
    """Train a planted plugin; a good optimizer trains to the same bits after it."""
    planted = variant(item, name="planted")
    plugin = REGISTRY.register(returning(kind, lambda: [planted]))
    try:
        how: dict[str, Any] = {"dataset": "points", "initializer": "draws", "hidden": (4,)}
        optimizer = "planted" if kind == "optimizers" else "descent"
        if kind != "optimizers":
            how[kind.removesuffix("s")] = "planted"
        spec = spec_of(optimizer, **how, epochs=2, registry=REGISTRY)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # what NumPy says to nonsense
            result = train_spec(spec, REGISTRY, loop)
    finally:
        REGISTRY.unregister(plugin)
    return result


def check_reason(result: RunResult) -> None:
    """Check that a run that is not ok says why in one line, and names a plugin that failed."""
    assert result.reason.isprintable()
    if result.status is Status.FAILED:
        assert "'planted'" in result.reason
    elif result.status is Status.DIVERGED:
        assert "loss" in result.reason
    else:
        assert all(np.isfinite(part).all() for pair in result.params or () for part in pair)


def good_run() -> str:
    """Return the result of a good optimizer, or the reason why it fails."""
    spec = spec_of(
        "descent", dataset="points", initializer="draws", hidden=(4,), epochs=2, registry=REGISTRY
    )
    result = train_spec(spec, REGISTRY)
    assert result.status is Status.OK, result.reason
    return result.params_hash


@pytest.fixture(scope="module")
def good() -> str:
    """The bits of the good run before any bad one."""
    return good_run()


def attempt(make: Any, name: str) -> Any:
    """Return the result; None if it is refused in a line that names the plugin."""
    try:
        return make()
    except PluginError as problem:
        text = str(problem)
    assert f"'{name}'" in text
    assert text.isprintable()
    return None


@pytest.mark.parametrize("which", range(len(ANYTHING)))
def test_an_update_may_return_anything(which: int, good: str) -> None:
    """A failed run names the optimizer, or the run diverges; the next entrant is not affected."""

    def update(theta: Any, grad: Any, t: int, h: Any) -> Any:
        return ANYTHING[which](theta)

    result = trained(variant(Descent, update=staticmethod(update)))
    check_reason(result)
    assert (result.status is Status.FAILED) == (which in FAILS)
    assert good_run() == good


@pytest.mark.parametrize("which", sorted(FAILS - {1}))
def test_slots_and_scalars_may_come_back_as_anything(which: int) -> None:
    """As for theta; the formula has one slot and one scalar."""

    def slot(theta: Any, grad: Any, m: Any, s: Any, t: int, h: Any) -> Any:
        made = ANYTHING[which](theta)
        return theta - 0.1 * grad, made[0] if isinstance(made, tuple) and made else made, s

    def scalar(theta: Any, grad: Any, m: Any, s: Any, t: int, h: Any) -> Any:
        made = ANYTHING[which](theta)
        return theta - 0.1 * grad, m, made[0] if isinstance(made, tuple) and made else made

    for update in (slot, scalar):
        state = {"slots": ("m",), "scalars": {"s": 1.0}}
        check_reason(trained(variant(Descent, update=staticmethod(update), **state)))
    assert trained(
        variant(Descent, update=staticmethod(scalar), slots=("m",), scalars={"s": 1.0})
    ).status is Status.FAILED  # fmt: skip


@pytest.mark.parametrize("which", range(len(ANYTHING)))
def test_slots_may_begin_as_anything(which: int) -> None:
    """`init` of a Rule is checked as `update` is, in the compiled loop as well."""

    def update(theta: Any, grad: Any, m: Any, t: int, h: Any) -> Any:
        return theta - h.lr * grad, m

    def init(theta: Any, h: Any) -> Any:
        return ANYTHING[which](theta)

    changes = {"update": staticmethod(update), "init": staticmethod(init), "slots": ("m",)}
    for loop in ("auto", "reference"):
        check_reason(trained(variant(Descent, **changes), loop=loop))


@pytest.mark.parametrize("which", range(len(ANYTHING)))
def test_a_stepper_may_do_anything(which: int, good: str) -> None:
    """State may be of any kind, but parameters are checked."""
    make = ANYTHING[which]

    def init(self: Any, params: Any, context: Any) -> Any:
        return make(params[0])

    def step(self: Any, params: Any, grads: Any, state: Any, context: Any) -> Any:
        params[0][...] = make(params[0])[0]
        return make(params[0])

    def swap(self: Any, params: Any, grads: Any, state: Any, context: Any) -> Any:
        params[0] = make(params[0])

    def point(self: Any, params: Any, state: Any, context: Any) -> Any:
        return make(params[0])

    check_reason(trained(variant(Steps, init=init)))
    check_reason(trained(variant(Steps, step=step)))
    swapped = trained(variant(Steps, step=swap))
    check_reason(swapped)
    assert (swapped.status is Status.FAILED) == (which != 1)
    elsewhere = trained(variant(Steps, eval_params=point))
    check_reason(elsewhere)
    assert (elsewhere.status is Status.FAILED) == (which != 0)
    assert good_run() == good


@pytest.mark.parametrize("which", range(len(ANYTHING)))
def test_an_initializer_may_return_anything(which: int) -> None:
    """Wrong shapes and values that are not finite are reported before training."""

    def weight(self: Any, rng: Any, n_in: int, n_out: int, h: Any) -> Any:
        made = ANYTHING[which](np.zeros((n_in, n_out)))
        return made[0] if isinstance(made, tuple) and made else made

    def initialize(self: Any, rng: Any, context: Any, h: Any) -> Any:
        return ANYTHING[which](np.zeros((3, 4)))

    for changes in ({"weight": weight}, {"initialize": initialize}):
        planted = variant(Draws, **changes)
        check_reason(trained(planted, "initializers"))
        attempt(lambda p=planted: initial_params(p, (3, 4, 3), 0, "relu", {}), "draws")


X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.arange(60) % 3
LOADS: dict[str, Any] = {
    "none": None,
    "one array": X,
    "three arrays": (X, Y, X),
    "five arrays": (X, Y, X, Y, X),
    "text": ("text", Y),
    "texts": (X.astype(str), Y),
    "objects": (X.astype(object), Y),
    "nones": (np.full((60, 3), None), Y),
    "ragged": ([[1, 2], [3]] * 30, Y),
    "complex": (X + 1j, Y),
    "dates": (X.astype("datetime64[s]"), Y),
    "empty": (X[:0], Y[:0]),
    "no features": (X[:, :0], Y),
    "one dimension": (X[:, 0], Y),
    "three dimensions": (X[:, :, None], Y),
    "a number": (3, 4),
    "nan": (np.where(X > 2, np.nan, X), Y),
    "inf": (np.where(X > 2, np.inf, X), Y),
    "fewer labels": (X, Y[:-1]),
    "no labels": (X, 0),
    "negative labels": (X, Y - 1),
    "fractions": (X, Y + 0.5),
    "text labels": (X, Y.astype(str)),
    "object labels": (X, Y.astype(object)),
    "complex labels": (X, Y + 1j),
    "huge labels": (X, Y * 10**12),
    "label beyond integers": (X, Y * 1e30),
    "labels in columns": (X, np.eye(3)[Y]),
    "nan labels": (X, np.where(Y > 1, np.nan, Y)),
    "other features in the test": (X, Y, X[:, :2], Y),
    "empty test": (X, Y, X[:0], Y[:0]),
    "unknown label in the test": (X, Y, X, Y + 5),
    "angry": (Angry(), Angry()),
    "generator": one(X),
}


@pytest.mark.parametrize("task", ["multiclass", "binary", "regression"])
@pytest.mark.parametrize("name", LOADS)
def test_a_dataset_may_load_anything(task: str, name: str) -> None:
    """Anything but a dataset is a PluginError that names it, before anything is planned."""

    def load(self: Any) -> Any:
        return LOADS[name]

    planted = variant(Points, load=load, task=task)
    data = attempt(lambda: prepare_dataset(planted), "points")
    if data is not None:
        parts = [getattr(data, f"{x}_{part}") for x in "xy" for part in ("train", "val", "test")]
        assert all(np.isfinite(part).all() and len(part) for part in parts)
        assert data.n_outputs <= 60
        # All others are wrong where labels count classes.
        assert task != "multiclass" or name in {"objects", "object labels", "text labels"}


@pytest.mark.parametrize("which", range(len(ANYTHING)))
def test_a_landscape_may_return_anything(which: int) -> None:
    """A PluginError that names it, or a path that leaves the numbers."""

    def value(self: Any, points: Any, h: Any) -> Any:
        return ANYTHING[which](points)

    def grad(self: Any, point: Any, h: Any, rng: Any) -> Any:
        return ANYTHING[which](point)

    for changes in ({"value": value}, {"grad": grad}):
        planted = variant(Bowl, **changes)
        ground = Ground("bowl", planted(), Values({}))
        path = attempt(lambda g=ground: follow("sgd[lr=0.1]", g, 3), "bowl")
        if path is not None:
            assert path.points.shape == (4, 2)
            assert path.values.shape == (4,)
            assert path.points.dtype == path.values.dtype == np.float64


def test_an_update_whose_source_cannot_be_read_trains_all_the_same() -> None:
    """A lambda inside an expression, or one made by `eval`, trains in the stepped loop."""
    for update in (
        {"u": lambda theta, grad, t, h: (theta - h.lr * grad,)}["u"],
        eval("lambda theta, grad, t, h: (theta - h.lr * grad,)"),
    ):
        result = trained(variant(Descent, update=staticmethod(update)))
        assert (result.status, result.loop) == (Status.OK, "stepped")
