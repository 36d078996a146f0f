"""Datasets made from arrays and data frames that a user has in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from optbench.contracts import Array
from optbench.data.given_data import as_dataset, make_dataset
from optbench.data.splits import prepare_dataset
from optbench.errors import ConfigError

RNG = np.random.default_rng(0)
X: Array = RNG.normal(size=(60, 3))
SIGN = (X[:, 0] > 0).astype(int)
FRAME = pd.DataFrame(
    {"a": X[:, 0], "colour": np.array(["red", "blue", "green"])[np.arange(60) % 3], "y": SIGN}
)


@pytest.mark.parametrize(
    ("y", "task", "n_outputs"),
    [
        (X[:, 0], "regression", 1),
        (X[:, :2], "regression", 2),
        (SIGN, "binary", 1),
        (SIGN.astype(bool), "binary", 1),
        (np.where(SIGN, "yes", "no"), "binary", 1),
        (np.arange(60) % 3 + 7, "multiclass", 3),
        (np.array(["x", "y", "z"], dtype=object)[np.arange(60) % 3], "multiclass", 3),
    ],
)
def test_the_task_follows_from_the_targets(y: Array, task: str, n_outputs: int) -> None:
    """Real numbers are a regression; whole numbers, words and truth values are classes."""
    data = prepare_dataset(make_dataset(X, y))
    assert (data.task, data.n_outputs) == (task, n_outputs)
    assert data.x_train.shape == (36, 3)


def test_the_task_can_be_given() -> None:
    """Where the guess would be another."""
    assert make_dataset(X, SIGN, task="regression").task == "regression"
    assert make_dataset(X, SIGN.astype(float), task="binary").task == "binary"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.eye(3)[np.arange(60) % 3], "one column for each class; pass y.argmax"),
        (np.eye(3, dtype=int)[np.arange(60) % 3], "one column for each class; pass y.argmax"),
        (SIGN.astype(float), "0.0 and 1.0 only; pass task='binary'"),
    ],
)
def test_targets_that_may_be_classes_need_a_task(y: Array, message: str) -> None:
    """As PyTorch's cross-entropies take them; a regression is trained only if it is meant."""
    with pytest.raises(ConfigError, match=message):
        make_dataset(X, y)
    assert make_dataset(X, y, task="regression").task == "regression"


def test_an_array_that_numpy_cannot_read_is_refused() -> None:
    """With the reason of its library, as for a tensor that requires a gradient."""

    class OnGraph:
        def __array__(self, *args: object, **options: object) -> Array:
            raise RuntimeError("call detach()")

    for x, y, name in ((OnGraph(), SIGN, "x"), (X, OnGraph(), "y")):
        with pytest.raises(ConfigError, match=rf"{name} cannot become a NumPy array: call detach"):
            make_dataset(x, y)


def test_a_name_is_no_data() -> None:
    """Functions that take a dataset take the name itself."""
    with pytest.raises(ConfigError, match=r"'houses.csv' is a name; every function that takes"):
        make_dataset("houses.csv", target="price")


@pytest.mark.parametrize("unit", [1e300, 1e20, 1e-15, 1e-300])
def test_the_unit_of_a_column_does_not_matter(unit: float) -> None:
    """Charges in coulombs are as small as 1e-19; squares of 1e300 leave float64."""
    plain = prepare_dataset(make_dataset(X, X[:, 0]))
    other = prepare_dataset(make_dataset(X * [unit, 1, 1], X[:, 0] * unit))
    assert np.abs(plain.x_train - other.x_train).max() < 1e-9
    assert np.abs(plain.y_train - other.y_train).max() < 1e-9


def test_rounding_is_no_signal() -> None:
    """0.1 + 0.2 beside 0.3 is a constant column."""
    column = np.where(SIGN, 0.1 + 0.2, 0.3)
    data = prepare_dataset(make_dataset(np.column_stack([X, column]), SIGN))
    assert np.abs(data.x_train[:, 3]).max() == 0


def test_equal_content_is_one_dataset_under_one_name() -> None:
    """So that it is loaded once, and its runs are found again."""
    first, again = make_dataset(X, SIGN), make_dataset(X.copy(), SIGN.tolist())
    assert first is again
    assert first.name.startswith("data-")
    other = make_dataset(X + 1, SIGN)
    assert other.name != first.name
    assert make_dataset(X, SIGN, name="mine").name == "mine"


def test_later_changes_of_the_arrays_change_nothing() -> None:
    """The dataset has its own copy."""
    x = X.copy()
    dataset = make_dataset(x, SIGN)
    before = dataset().load()[0].copy()
    x[:] = 0
    assert (dataset().load()[0] == before).all()


def test_a_data_frame_is_split_at_its_target() -> None:
    """A column of words becomes a column of zeros and ones for each word."""
    x, y = cast("tuple[Array, Array]", make_dataset(FRAME, target="y")().load())
    assert x.shape == (60, 4)
    assert (x[:, 0] == FRAME["a"]).all()
    assert (x[:, 1:].sum(axis=1) == 1).all()
    assert (y == SIGN).all()


def test_what_stands_for_a_dataset() -> None:
    """Names and classes pass; a pair of arrays and a frame are made one."""
    made = make_dataset(X, SIGN)
    assert as_dataset("digits") == "digits"
    assert as_dataset(made) is made
    assert as_dataset((X, SIGN)) is made
    assert as_dataset(FRAME, "y") is make_dataset(FRAME, target="y")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": X}, "needs labels or targets"),
        ({"x": X, "y": SIGN[:-1]}, r"inputs of shape \(60, 3\) and targets of shape \(59,\)"),
        ({"x": X[:5], "y": SIGN[:5]}, "5 rows are too few; a dataset needs at least 10"),
        ({"x": X, "y": np.arange(60)}, "60 different whole numbers.*task='regression'"),
        ({"x": X, "y": np.zeros(60, int)}, "y has 1 classes"),
        ({"x": X, "y": np.arange(60) % 3, "task": "binary"}, "3 classes; binary needs two"),
        ({"x": X * np.nan, "y": SIGN}, r"x\[0, 0\] is nan, and 179 other values are not finite"),
        ({"x": [["a"]] * 60, "y": SIGN}, r"x\[0, 0\] is 'a', not a number"),
        ({"x": X, "y": SIGN, "target": "y"}, "not a data frame"),
        ({"x": X, "y": SIGN, "name": "My Data"}, "kebab-case"),
        ({"x": X, "y": SIGN, "task": "regresion"}, "did you mean 'regression'"),
        ({"x": FRAME.rename(columns={"y": "kind"})}, "name the column to predict.*a .numbers."),
        ({"x": FRAME, "target": "color"}, "unknown column 'color'; did you mean 'colour'"),
        ({"x": FRAME[["y"]], "target": "y"}, "a column beside its target"),
        ({"x": FRAME.assign(a=np.inf), "target": "y"}, "column 'a' has infinite values"),
    ],
)
def test_data_that_does_not_fit_is_refused_in_one_line(
    arguments: Mapping[str, Any], message: str
) -> None:
    """With what is wrong, and the column where there is one."""
    with pytest.raises(ConfigError, match=message):
        make_dataset(**arguments)
