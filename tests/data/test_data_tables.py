"""Data frames and dicts of columns as datasets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer

from optbench.data.data_tables import is_table
from optbench.data.given_data import as_dataset, make_dataset
from optbench.data.splits import prepare_dataset
from optbench.errors import ConfigError

RNG = np.random.default_rng(1)
TABLE: dict[str, Any] = {
    "rooms": RNG.integers(1, 6, 80).astype(float),
    "town": np.array(["Rome", "Oslo"])[RNG.integers(0, 2, 80)],
    "price": RNG.normal(size=80),
}


def test_a_dict_of_columns_and_a_data_frame_are_one_dataset() -> None:
    """Equal content is one class, whatever library holds it."""
    made = make_dataset(TABLE, target="price")
    assert made is make_dataset(pd.DataFrame(TABLE), target="price")
    assert made.task == "regression"
    assert made.notes[0] == "the target is price, with numbers on a scale: regression"


def test_missing_numbers_become_the_median_of_the_training_part() -> None:
    """As scikit-learn's SimpleImputer does it, fitted on the training part only."""
    rooms = TABLE["rooms"].copy()
    rooms[::7] = np.nan
    numbered = {"row": np.arange(80.0), "rooms": rooms, "price": TABLE["price"]}
    source = make_dataset(numbered, target="price", standardize=False)
    data = prepare_dataset(source)
    train = data.x_train[:, 0].astype(int)
    imputer = SimpleImputer(strategy="median").fit(rooms[train, None])
    for part in (data.x_train, data.x_val, data.x_test):
        expected = imputer.transform(rooms[part[:, 0].astype(int), None])[:, 0]
        assert part[:, 1].tolist() == expected.tolist()


def test_rows_without_a_target_are_left_out() -> None:
    """And said."""
    price = TABLE["price"].copy()
    price[:3] = np.nan
    made = make_dataset({**TABLE, "price": price}, target="price")
    assert len(made().load()[0]) == 77
    assert "3 rows without a value of price left out" in made.notes


def test_a_column_can_say_what_is_tested_on() -> None:
    """Its rows are the test part; the others are split."""
    part = np.where(np.arange(80) % 4 == 0, "test", "train")
    data = prepare_dataset(make_dataset({**TABLE, "part": part}, target="price", split="part"))
    assert (len(data.x_train), len(data.x_val), len(data.x_test)) == (48, 12, 20)
    assert data.n_features == 3


def test_the_usual_names_are_targets() -> None:
    """If there is one of them; otherwise the columns are listed with what they hold."""
    made = make_dataset({"a": TABLE["rooms"], "Target": TABLE["town"]})
    assert (made.task, made.notes[0]) == (
        "binary",
        "the target is Target, with 2 different texts (Oslo and Rome): binary",
    )
    columns = r"columns: rooms \(numbers\), town \(texts\), price \(numbers\)"
    with pytest.raises(ConfigError, match=f"name the column to predict.*{columns}"):
        make_dataset(TABLE)


def test_the_task_can_be_given() -> None:
    """Where the guess would be another."""
    table = {"a": TABLE["price"], "y": np.arange(80) % 5}
    assert make_dataset(table).task == "multiclass"
    assert make_dataset(table, task="regression").task == "regression"


def test_a_bunch_of_scikit_learn_is_a_dataset() -> None:
    """With the data and the target of the bunch."""
    bunch = load_iris()
    assert as_dataset(bunch) is make_dataset(bunch.data, bunch.target)
    assert not is_table(bunch)
    assert not is_table(SimpleNamespace(columns=3))


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (TABLE, {"target": "prize"}, "unknown column 'prize'; did you mean 'price'"),
        (
            TABLE,
            {"target": "price", "split": "towns"},
            "unknown column 'towns'; did you mean 'town'",
        ),
        (
            TABLE,
            {"target": "price", "split": "town"},
            "column 'town' has '(rome|oslo)'; split needs",
        ),
        ({"y": TABLE["price"]}, {}, "a column beside its target"),
        (
            {"a": TABLE["price"], "y": [f"{i},5" for i in range(80)]},
            {},
            "column 'y' has numbers with a comma, such as '0,5'",
        ),
        (
            {"a": TABLE["price"], "y": [f"2024-01-{1 + i % 9:02d}" for i in range(80)]},
            {},
            "column 'y' has dates, such as '2024-01-01'",
        ),
        (
            TABLE,
            {"target": "town", "task": "regression"},
            "targets are texts, such as '(Rome|Oslo)'",
        ),
        ({"a": TABLE["price"][:40], "y": TABLE["price"]}, {}, "80 targets differ in length"),
        (
            {"a": TABLE["price"], "part": ["train"] * 80, "y": TABLE["price"]},
            {"split": "part"},
            "column 'part' has no row of the test part",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    table: dict[str, Any], options: dict[str, str], message: str
) -> None:
    """With the column and the nearest name."""
    with pytest.raises(ConfigError, match=message):
        make_dataset(table, **options)  # type: ignore[arg-type]
