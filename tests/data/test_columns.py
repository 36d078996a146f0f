"""Columns of a table as numbers, and what the targets of a table mean."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from optbench.contracts import Array
from optbench.data import columns as module
from optbench.data.columns import check_column, encode_columns, guess_task
from optbench.errors import ConfigError


def objects(*values: object) -> Array:
    return np.array(values, dtype=object)


def test_texts_become_one_column_each_and_numbers_stay() -> None:
    """In the order of the table; the texts of a column in sorted order."""
    encoded = encode_columns(
        {
            "town": objects("Rome", "Oslo", None),
            "size": np.array([1, 2, 3]),
            "new": np.array([True, False, True]),
        }
    )
    assert encoded.x.tolist() == [[0, 1, 1, 1], [1, 0, 2, 0], [0, 0, 3, 1]]
    assert encoded.notes == (
        "1 text column is encoded as one column of 0 and 1 for each text: town (2)",
        "1 missing value is encoded as 0 in all columns of the text: town (1)",
    )


def test_missing_numbers_stay_missing() -> None:
    """The median of the training part is known only after the split."""
    encoded = encode_columns({"a": np.array([1.0, np.nan]), "b": objects(None, 4)})
    assert np.isnan(encoded.x).tolist() == [[False, True], [True, False]]
    (note,) = encoded.notes
    assert note.startswith("2 missing values are replaced by the median")
    assert note.endswith("a (1), b (1)")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            objects("2024-01-05", "2023-11-30", None),
            "has dates, such as '2024-01-05'; leave it out",
        ),
        (objects("5.1.2024", "30.11.2023"), "has dates"),
        (objects("1/5/24", "11/30/23"), "has dates"),
        (objects("2024-01-05 10:30", "2023-11-30T08:00:01"), "has dates"),
        (objects("Mar 3 2021", "December 12, 2021"), "has dates, such as 'Mar 3 2021'"),
        (objects("3-Mar-21", "12 Dec 2021"), "has dates"),
        (objects("2024/01/05", "2024/11/30 10:30"), "has dates"),
        (objects("08:30", "23:59:59"), "has times, such as '08:30'; leave it out, or replace it"),
        (objects("$3.50", "$1,234.00"), "has numbers with a unit, such as '\\$3.50'; write the"),
        (objects("3.4%", "12 %"), "has numbers with a unit, such as '3.4%'"),
        (
            objects("1.5x", "-", *map(str, range(30))),
            "has 30 numbers, and also '-' and '1.5x'; write a number, or leave the field empty",
        ),
        (np.array(["2024-01-05"], dtype="datetime64[D]"), "has dates, such as '2024-01-05'"),
        (objects(datetime.date(2024, 1, 5)), "has dates, such as '2024-01-05'"),
        (objects("1,5", "2", "-0,25"), "has numbers with a comma, such as '1,5'; write a decimal"),
        (objects("1,234,567", "12.5"), "has numbers with a comma, such as '1,234,567'"),
        (objects("Rome", 3), "has 3 among its values; a column holds either numbers or texts"),
        (objects(*map("name {}".format, range(101))), "101 different texts.*at most 100"),
        (np.array([1.0, np.inf]), "has infinite values"),
        (np.array([np.nan, np.nan]), "has no values; leave it out"),
        (np.array([1j]), "values of type complex128"),
    ],
)
def test_a_column_that_needs_a_decision_is_refused_by_name(values: Array, message: str) -> None:
    """With what to do about it."""
    with pytest.raises(ConfigError, match=f"column 'sold' {message}|column 'sold' has {message}"):
        check_column("sold", values)


@pytest.mark.parametrize(
    "texts", [("May", "June"), ("16:9", "4:3"), ("1", "2", "3", "other"), ("shop12", "shop3")]
)
def test_texts_that_only_look_like_dates_or_numbers_are_texts(texts: tuple[str, ...]) -> None:
    """Names, ratios, and few numbers beside a word stand for categories."""
    assert check_column("kind", objects(*texts)).tolist() == list(texts)


def test_a_table_that_does_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the memory is taken; one-hot columns multiply the size."""
    monkeypatch.setattr(module, "MOST_BYTES", 8 * 99)
    texts = objects(*(f"t{number}" for number in range(10)))
    assert encode_columns({"a": np.arange(10)}).x.shape == (10, 1)
    with pytest.raises(ConfigError, match=r"10 rows with 10 columns would take .* leave rows or"):
        encode_columns({"a": texts})


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (np.array([0.5, 1.5]), "regression"),
        (np.array([0.0, 1.0] * 10), "binary"),
        (np.array([1, 2, 3] * 5), "multiclass"),
        (np.arange(20), "regression"),
        (np.arange(21).repeat(5), "regression"),
        (np.arange(20).repeat(5), "multiclass"),
        (np.array(["a", "b"]), "binary"),
        (np.array(["a", "b", "c"]), "multiclass"),
        (np.array([True, False]), "binary"),
    ],
)
def test_the_task_follows_from_the_targets(labels: Any, task: str) -> None:
    """Numbers are classes only where they are whole, few and repeated."""
    assert guess_task(labels)[0] == task
