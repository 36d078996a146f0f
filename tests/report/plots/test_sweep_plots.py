"""Plots of sweeps: ticks tell values apart, and frames are where the lowest loss is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from optbench.analysis.views.sweep_points import SweepPoint
from optbench.contracts import Value
from optbench.report.plots.sheets import Sheet, draw_sheet
from optbench.report.plots.sweep_plots import draw_sweep


@dataclass(frozen=True)
class Axis:
    """Stand-in for a parsed axis."""

    name: str
    values: tuple[Value, ...]
    logarithmic: bool = False


def point(at: dict[str, Value], loss: float) -> SweepPoint:
    return SweepPoint("sgd", at, (loss,) * 3, loss, loss, loss, 0, loss)


def drawn(*axes: Axis, losses: np.ndarray) -> Sheet:
    """Draw a sweep with these losses, an axis of the array for each axis."""
    points = [
        point({axis.name: axis.values[i] for axis, i in zip(axes, at, strict=True)}, float(loss))
        for at, loss in np.ndenumerate(losses)
    ]
    return draw_sheet(lambda: draw_sweep(axes, points, "digits"))


def test_values_that_differ_in_brackets_have_ticks_that_differ() -> None:
    """The part that all have in common is in the name of the axis."""
    stds = ("0.01", "0.1", "1")
    axis = Axis("initializer", tuple(f"large-normal[std={std}]" for std in stds))
    (axes,) = drawn(axis, losses=np.array([2.3, 0.2, 2.1])).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [f"std={std}" for std in stds]
    assert axes.get_xlabel() == "initializer: large-normal"


def test_other_names_are_their_own_ticks() -> None:
    """Names of different initializers are not shortened to what is in brackets."""
    axis = Axis("initializer", ("zeros", "large-normal[std=1]"))
    (axes,) = drawn(axis, losses=np.array([2.3, 0.2])).axes
    assert next(tick.get_text() for tick in axes.get_xticklabels()) == "zeros"
    assert axes.get_xlabel() == "initializer"


@pytest.mark.parametrize("logarithmic", [True, False])
def test_ticks_stand_at_the_swept_values_where_they_have_room(logarithmic: bool) -> None:
    """No reader has to guess which batch size lies between 10 and 100."""
    sizes = (1, 4, 16, 64, 256, 1024) if logarithmic else (8, 16, 24)
    axis = Axis("batch_size", sizes, logarithmic=logarithmic)
    (axes,) = drawn(axis, losses=np.linspace(0.2, 0.1, len(sizes))).axes
    assert axes.get_xticks().tolist() == list(sizes)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [str(size) for size in sizes]


def test_many_swept_values_have_round_ticks() -> None:
    """Texts never overlap: with 40 rates the ticks are powers of ten."""
    rates = tuple(float(f"{rate:.2g}") for rate in np.geomspace(1e-4, 10, 40))
    (axes,) = drawn(Axis("lr", rates, logarithmic=True), losses=np.linspace(0.2, 0.1, 40)).axes
    assert axes.get_xticks().tolist() == [1e-4, 1e-3, 1e-2, 1e-1, 1, 10]


def test_numbers_in_a_map_have_two_digits() -> None:
    """Zeros at the end are written: 0.60 beside 0.34 is as exact."""
    losses = np.array([[0.6, 1.0], [0.34, 12.4]])
    (axes,) = drawn(Axis("lr", (0.1, 1.0)), Axis("batch_size", (8, 128)), losses=losses).axes
    assert {text.get_text() for text in axes.texts} == {"0.60", "1.0", "0.34", "12"}


def test_a_training_loss_below_the_plot_is_not_drawn_at_its_edge() -> None:
    """Its line leaves the plot, so that nobody reads the edge as its value."""
    points = [
        SweepPoint("sgd", {"epochs": epochs}, (0.1,) * 3, 0.1, 0.1, 0.1, 0, train)
        for epochs, train in ((1, 0.2), (2, 1e-6), (4, 0.0))
    ]
    axis = Axis("epochs", (1, 2, 4), logarithmic=True)
    (axes,) = draw_sheet(lambda: draw_sweep([axis], points, "digits")).axes
    (dotted,) = (line for line in axes.lines if line.get_linestyle() == ":")
    values = np.asarray(dotted.get_ydata())
    bottom = axes.get_ylim()[0]
    assert values[1] == 1e-6 < bottom < values[0]
    assert np.isnan(values[2])


def test_a_map_frames_the_lowest_and_the_lowest_of_each_row() -> None:
    """A thin frame in each row, a thick one in the cell that is lowest of all."""
    losses = np.array([[0.5, 0.3], [0.2, 0.4], [0.6, 0.1]])  # three rates by two batch sizes
    (axes,) = drawn(Axis("lr", (0.01, 0.1, 1.0)), Axis("batch_size", (8, 128)), losses=losses).axes
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    cells = {(f.get_x() + 0.5, f.get_y() + 0.5): f.get_linewidth() for f in frames}
    assert set(cells) == {(1, 0), (2, 1)}
    assert max(cells, key=lambda cell: cells[cell]) == (2, 1)
