"""Sweeps from Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import optbench
from optbench.errors import ConfigError

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
    assert table.splitlines()[0] == "optimizer,lr,median,low,high,diverged,seeds"
    assert len(table.splitlines()) == 5


def test_axes_are_texts_ranges_or_values(tmp_path: Path) -> None:
    """All three spellings give the same runs, which are kept in the folder."""
    spellings = ("lr=0.01,0.1", ["lr=0.01,0.1"], {"lr": np.array([0.01, 0.1])}, {"lr": "0.01,0.1"})
    results = [optbench.sweep(axes, "sgd", out=tmp_path, **SMALL) for axes in spellings]  # type: ignore[arg-type]
    assert all(result.rows() == results[0].rows() for result in results)
    ranged = optbench.sweep({"batch_size": "8..32:3"}, "sgd", out=tmp_path, **SMALL)  # type: ignore[arg-type]
    assert [row["batch_size"] for row in ranged.rows()] == [8, 16, 32]


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
