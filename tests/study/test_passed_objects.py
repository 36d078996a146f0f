"""Objects instead of names, in everything that trains: the same runs as by name."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import pytest

import optbench
from optbench import ConfigError, Initializer, Rule, Status, Stepper, hyper
from optbench.contracts import Array, StepContext

fix: Any = functools.partial  # untyped: it fixes hyperparameters, which are no arguments


class OwnDescent(Rule):
    """Gradient descent as the built-in one has it."""

    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> tuple[Any, ...]:
        """Return theta - lr * grad."""
        return (theta - h.lr * grad,)


class SteppedDescent(Stepper):
    """The same in Python, which runs in a worker process."""

    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))

    def init(self, params: list[Array], context: StepContext) -> None:
        """Keep no state."""

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        """Subtract lr * grad."""
        for theta, grad in zip(params, grads, strict=True):
            np.subtract(theta, context.h.lr * grad, out=theta)


class TinyNormal(Initializer):
    """Normal weights of one small size."""

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Any) -> Array:
        """Draw one matrix."""
        return 0.1 * rng.normal(size=(n_in, n_out))


RNG = np.random.default_rng(0)
X: Array = RNG.normal(size=(80, 2))
Y: Array = (X[:, 0] * X[:, 1] > 0).astype(int)
FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "same_sign": Y})

SMALL: dict[str, Any] = {
    "suite": {"datasets": ["iris"], "regimes": ["batch"], "epochs": 3},
    "hidden": 4,
    "ruleset": "defaults",
    "seeds": 2,
    "grid_points": 4,
    "jobs": 1,
}


def test_a_class_trains_like_the_same_formula_by_name() -> None:
    """The same bits; hyperparameters are keywords, or fixed by a partial."""
    known = optbench.train("sgd[lr=0.3]", dataset="iris", epochs=2)
    for result in (
        optbench.train(OwnDescent, dataset="iris", epochs=2, lr=0.3),
        optbench.train(fix(OwnDescent, lr=0.3), dataset="iris", epochs=2),
        optbench.train(fix(OwnDescent, lr=9.0), dataset="iris", epochs=2, lr=0.3),
    ):
        assert result.spec.configuration == "own-descent[lr=0.3]"
        assert result.params_hash == known.params_hash
        assert result.loop == "compiled"


def test_a_wrong_keyword_is_one_line() -> None:
    """As a wrong hyperparameter of a registered optimizer."""
    with pytest.raises(ConfigError, match="own-descent 'rate'"):
        optbench.train(OwnDescent, rate=0.1)
    with pytest.raises(ConfigError, match="class int is not an optimizer"):
        optbench.train(int)


def test_a_class_walks_over_a_function() -> None:
    """`trajectory` takes it too, with values from a partial or as keywords."""

    def bowl(x: Array) -> tuple[float, Array]:
        return float(x @ x), 2 * x

    by_name = optbench.trajectory("sgd", bowl, np.ones(2), 3, lr=0.25)
    for optimizer in (OwnDescent, SteppedDescent):
        assert (optbench.trajectory(optimizer, bowl, np.ones(2), 3, lr=0.25) == by_name).all()
        fixed = fix(optimizer, lr=0.25)
        assert (optbench.trajectory(fixed, bowl, np.ones(2), 3) == by_name).all()


def test_arrays_and_frames_are_datasets() -> None:
    """The same content, under the same name."""
    pair, frame = optbench.load_dataset((X, Y)), optbench.load_dataset(FRAME, target="same_sign")
    assert pair.content_hash == frame.content_hash
    result = optbench.train("adam", dataset=(X, Y), epochs=2)
    again = optbench.train("adam", dataset=FRAME, target="same_sign", epochs=2)
    assert result.spec.key == again.spec.key
    assert result.spec.dataset.startswith("data-")


def test_an_initializer_class_draws() -> None:
    """In `initialize` and in training."""
    ((weight, _),) = optbench.initialize(TinyNormal, (20, 30))
    assert 0.08 < weight.std() < 0.12
    result = optbench.train("sgd", dataset="iris", initializer=TinyNormal, epochs=1)
    assert result.spec.initializer == "tiny-normal"


def test_objects_are_compared_with_names(tmp_path: Any) -> None:
    """In threads and in worker processes; a second call finds every run in the folder."""
    arguments = {**SMALL, "out": tmp_path, "initializers": ["he-normal", TinyNormal]}
    optimizers = ["sgd", OwnDescent, SteppedDescent, fix(OwnDescent, lr=0.5)]
    study = optbench.compare(optimizers, **arguments)
    assert {run.status for run in study.runs} == {Status.OK}, [r.reason for r in study.failed]
    labels = {cell.entrant.label for cell in study.cells}
    assert labels == {"sgd", "own-descent", "stepped-descent", "own-descent[lr=0.5]"}
    losses = {
        label: [c.evaluation[0].final("val_loss") for c in study.cells if c.entrant.label == label]
        for label in labels
    }
    assert losses["own-descent"] == losses["sgd"]
    assert losses["stepped-descent"] == pytest.approx(losses["sgd"], rel=1e-5)
    again = optbench.compare(optimizers, **arguments)
    assert again.trained == 0
    assert "OwnDescent" in study.command or "own-descent" in study.command


def test_data_in_memory_is_compared_on() -> None:
    """Under the name that it is given."""
    mine = optbench.make_dataset(X, Y, name="mine")
    study = optbench.compare([SteppedDescent, "sgd"], datasets=["iris", mine], **SMALL)
    assert {cell.workload.dataset for cell in study.cells} == {"iris", "mine"}
    assert study.failed == []
    single = optbench.compare("sgd", datasets=FRAME, target="same_sign", **SMALL)
    assert {cell.workload.dataset for cell in single.cells} == {optbench.make_dataset(X, Y).name}


def test_limits_hold_for_objects() -> None:
    """With a time limit every run is trained in a process, as runs by name are."""
    study = optbench.compare([OwnDescent], timeout=60, replicates=1, **SMALL)
    assert [run.status for run in study.runs] == [Status.OK] * 2


def test_objects_are_swept() -> None:
    """Optimizer and dataset, and initializers as the values of an axis."""
    result = optbench.sweep(
        {"initializer": ["he-normal", TinyNormal]}, OwnDescent, dataset=(X, Y), epochs=1, seeds=2
    )
    assert result.complete
    assert {point.optimizer for point in result.points} == {"own-descent"}
    assert [row["initializer"] for row in result.rows()] == ["he-normal", "tiny-normal"]
    over_lr = optbench.sweep("lr=0.1,1", [OwnDescent, "sgd"], dataset="iris", epochs=1, seeds=1)
    medians = [point.median for point in over_lr.points]
    assert medians[:2] == medians[2:]


def test_objects_are_inspected() -> None:
    """A network of one's own initializer, trained by one's own optimizer on one's own data."""
    inspection = optbench.inspect(
        TinyNormal, dataset=(X, Y), hidden=8, optimizer=OwnDescent, epochs=2, with_sharpness=True
    )
    assert inspection.before.initializer == "tiny-normal"
    assert inspection.result is not None
    assert inspection.result.spec.optimizer == "own-descent"
    assert inspection.sharpness is not None
    comparison = optbench.compare_initializers(["he-normal", TinyNormal], depth=4)
    assert {row[0] for row in comparison.rows} == {"he-normal", "tiny-normal"}
