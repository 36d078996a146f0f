"""Reports of the class "it trained on my broken table": data that no network can learn from.

Text as labels is encoded. Every other fault is refused with the place of the value and the cure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import optbench
from optbench import Array, ConfigError, DatasetSource, PluginError, load_dataset
from optbench.data.table_values import class_indices

X = np.arange(60.0).reshape(30, 2)
Y = np.arange(30) % 3


def changed(array: Array, place: Any, value: object) -> Array:
    """Return a copy with another value in one place."""
    copy = array.astype(object) if isinstance(value, str | None) else array.copy()
    copy[place] = value
    return copy


def source_of(*arrays: Array, task: str = "multiclass") -> type[DatasetSource]:
    """Return a dataset that loads these arrays."""
    attributes = {
        "name": "planted",
        "task": task,
        "cached": False,
        "load": lambda self: arrays,
        "__doc__": "Planted.",
    }
    return type("Planted", (DatasetSource,), attributes)


REFUSED = {
    "nan": (changed(X, (5, 1), np.nan), Y, r"x\[5, 1\] is nan; drop the row or fill the value in"),
    "infinite": (
        changed(changed(X, (5, 1), np.inf), (7, 0), np.nan),
        Y,
        r"x\[5, 1\] is inf, and 1 other value is not finite; drop the rows",
    ),
    "text": (changed(X, (4, 0), "red"), Y, r"x\[4, 0\] is 'red', not a number; encode a column"),
    "one class": (X, Y * 0, "every label is 0; two or more classes are needed"),
    "gap": (X, Y * 2, "labels go up to 4, but no example has label 1; np.unique"),
    "negative": (X, Y - 1, r"y\[0\] is -1; np.unique.* numbers the classes from 0"),
    "fraction": (X, Y + 0.5, r"y\[0\] is 0.5; .*need task = 'regression'"),
    "missing label": (X, changed(Y, 8, None), r"y\[8\] has no label; drop the row"),
    "columns": (X, np.stack([Y, Y], 1), r"y has shape \(30, 2\); class labels have shape \(n,\)"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_fault_is_named_with_its_place_and_cure(fault: str) -> None:
    """The row and column, the label, and what to do."""
    x, y, message = REFUSED[fault]
    with pytest.raises(PluginError, match=f"dataset 'planted': {message}"):
        load_dataset(source_of(x, y))


def test_targets_of_a_regression_are_numbers() -> None:
    """Text is not encoded where numbers are expected."""
    with pytest.raises(PluginError, match=r"y\[3\] is 'dear', not a number"):
        load_dataset(source_of(X, changed(X[:, 0], 3, "dear"), task="regression"))


def test_a_constant_target_of_a_regression_is_refused() -> None:
    """As a single class is; one constant column of several is allowed."""
    message = "dataset 'planted': every target of the training part is 2.5; there is nothing"
    with pytest.raises(PluginError, match=message):
        load_dataset(source_of(X, np.full(len(X), 2.5), task="regression"))
    with pytest.raises(PluginError, match="every target of the training part is 0; there is no"):
        optbench.train("sgd", dataset=(X, np.zeros(len(X))), epochs=1)
    columns = np.stack([np.zeros(len(X)), X[:, 0]], axis=1)
    assert load_dataset(source_of(X, columns, task="regression")).n_outputs == 2


def test_three_classes_are_not_binary() -> None:
    """The message names the task that fits."""
    with pytest.raises(PluginError, match=r"labels 0 and 1, not 2; .* task = 'multiclass'"):
        load_dataset(source_of(X, Y, task="binary"))


def test_a_class_of_the_test_part_only_is_refused() -> None:
    """No network can learn a class of which it sees no example."""
    with pytest.raises(PluginError, match="test part has label 3, of which the training part"):
        load_dataset(source_of(X, Y, X, np.where(Y == 2, 3, Y)))


@pytest.mark.parametrize("kind", [str, object])
def test_text_labels_are_encoded(kind: type) -> None:
    """In sorted order, and alike in a test part that lacks some of them."""
    words: Array = np.array(["cat", "dog", "ant"])[Y].astype(kind)
    data = load_dataset(source_of(X, words, X, np.where(words == "ant", "dog", words)))
    assert data.n_outputs == 3
    assert set(data.y_test.tolist()) == {1, 2}
    parts = class_indices([words[:3], words[1:2]], "y")
    assert [part.tolist() for part in parts] == [[1, 2, 0], [2]]


def test_whole_numbers_among_objects_stay_numbers() -> None:
    """They are not sorted as text, where 10 comes before 2."""
    (labels,) = class_indices([np.arange(12).astype(object)], "y")
    assert labels.tolist() == list(range(12))


def test_arrays_given_from_python_have_the_same_messages() -> None:
    """`optbench.make_dataset` names the place too."""
    with pytest.raises(ConfigError, match=r"x\[5, 1\] is nan; drop the row"):
        optbench.make_dataset(changed(X, (5, 1), np.nan), Y)
