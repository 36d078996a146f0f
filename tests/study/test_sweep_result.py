"""Sweeps from Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import optbench
from optbench.errors import ConfigError
from optbench.store import Store

SMALL = {"dataset": "iris", "epochs": 1, "seeds": 2, "hidden": 4}


def test_a_sweep_shows_its_points_as_text_frame_plot_and_html(tmp_path: Path) -> None:
    """Every view has all points; the lowest of each optimizer is marked."""
    result = optbench.sweep({"lr": [0.01, 0.5]}, ["sgd", "momentum"], **SMALL)  # type: ignore[arg-type]
    assert result.complete
    assert len(result.points) == 4
    assert repr(result).count("lowest") == 2
    frame = result.frame()
    assert frame["lr"].tolist() == [0.01, 0.5] * 2
    assert (frame["low"] <= frame["median"]).all()
    (path,) = result.plot().save(tmp_path / "sweep.svg")
    assert path.stat().st_size > 1000
    assert "<img" in result._repr_html_()
    assert result._repr_html_().count("<tr>") == 5
    table = result.write_csv(tmp_path / "sweep.csv").read_text()
    assert table.splitlines()[0] == "optimizer,lr,median,low,high,diverged,seeds,train_median"
    assert len(table.splitlines()) == 5


def test_axes_are_texts_ranges_or_values(tmp_path: Path) -> None:
    """All three spellings give the same runs, which are kept in the folder."""
    spellings = ("lr=0.01,0.1", ["lr=0.01,0.1"], {"lr": np.array([0.01, 0.1])}, {"lr": "0.01,0.1"})
    results = [optbench.sweep(axes, "sgd", out=tmp_path, **SMALL) for axes in spellings]  # type: ignore[arg-type]
    assert all(result.rows() == results[0].rows() for result in results)
    ranged = optbench.sweep({"batch_size": "8..32:3"}, "sgd", out=tmp_path, **SMALL)  # type: ignore[arg-type]
    assert [row["batch_size"] for row in ranged.rows()] == [8, 16, 32]


def test_the_call_that_a_sweep_recorded_makes_the_same_sweep(tmp_path: Path) -> None:
    """With its seeds and its folder, and arrays written as lists."""
    arguments = {**SMALL, "seeds": 3, "hidden": (4, 3)}
    result = optbench.sweep({"lr": np.array([0.01, 0.1])}, "sgd", out=tmp_path, **arguments)  # type: ignore[arg-type]
    with Store(tmp_path / "runs.sqlite") as store:
        command, _ = store.last_session() or ("", {})
        keys = store.keys()
    again = eval(command, {"optbench": optbench})  # the text is our own
    assert again.rows() == result.rows()
    with Store(tmp_path / "runs.sqlite") as store:
        assert store.keys() == keys


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"lrr": [1.0]}, "did you mean 'lr'"),
        ({"lr": []}, "lr has no values to sweep"),
        ({"lr": [0.1], "epochs": [1], "seed": [1]}, "unknown hyperparameter"),
        ("lr", "name=values"),
    ],
)
def test_axes_that_make_no_sense_are_refused(axes: object, message: str) -> None:
    """In one line, before anything is trained."""
    with pytest.raises(ConfigError, match=message):
        optbench.sweep(axes, "sgd", **SMALL)  # type: ignore[arg-type]


def test_fewer_training_examples_leave_the_other_parts_unchanged(tmp_path: Path) -> None:
    """A sweep over train_size trains on nested, stratified parts and validates on the same data."""
    whole = optbench.load_dataset("digits")
    inputs = [set(map(bytes, whole.x_train))]
    for size, count in ((0.5, 539), (100, 100), (0.02, 22)):
        data = optbench.load_dataset(f"digits[train_size={size}]")
        assert len(data.x_train) == len(data.y_train) == count
        for part in ("x_val", "y_val", "x_test", "y_test"):
            np.testing.assert_array_equal(getattr(data, part), getattr(whole, part))
        inputs.append(set(map(bytes, data.x_train)))
        assert inputs[-1] <= inputs[-2]
        classes = np.bincount(data.y_train, minlength=10)
        share = np.bincount(whole.y_train) * count / len(whole.y_train)
        assert np.abs(classes - share).max() <= 1.5
        assert data.content_hash != whole.content_hash
    result = optbench.sweep("train_size=0.02..1:3", "sgd", dataset="digits", epochs=2, seeds=1)
    assert [row["train_size"] for row in result.rows()] == [0.02, 0.14, 1.0]
    run = optbench.train("sgd", "digits", (32, 32), epochs=2)
    assert result.points[-1].median == run.final("val_loss")
    assert result.points[-1].train == run.final("train_loss")
    assert "digits |" in result.fixed
    (axes,) = result.drawing()().axes
    assert sum(line.get_linestyle() == ":" for line in axes.lines) == 1


def test_targets_of_a_regression_are_drawn_without_strata() -> None:
    """Each beginning of the order is contained in longer ones; both tasks can be cut."""
    sizes = [len(optbench.load_dataset(f"diabetes[train_size={n}]").y_train) for n in (2, 0.5, 1)]
    assert sizes == [2, 132, 265]


@pytest.mark.parametrize("size", ["0", "-0.5", "1.5", "true", "5", "5000", "x"])
def test_sizes_that_make_no_sense_are_refused(size: str) -> None:
    """No examples, less than one of each class, more than there are, and no number."""
    with pytest.raises(ConfigError, match="train_size="):
        optbench.sweep(f"train_size={size}", "sgd", dataset="digits", epochs=1, seeds=1)
