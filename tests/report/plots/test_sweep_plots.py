"""Plots of sweeps: ticks tell values apart, and frames are where the lowest loss is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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


def test_a_map_frames_the_lowest_and_the_lowest_of_each_row() -> None:
    """A thin frame in each row, a thick one in the cell that is lowest of all."""
    losses = np.array([[0.5, 0.3], [0.2, 0.4], [0.6, 0.1]])  # three rates by two batch sizes
    (axes,) = drawn(Axis("lr", (0.01, 0.1, 1.0)), Axis("batch_size", (8, 128)), losses=losses).axes
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    cells = {(f.get_x() + 0.5, f.get_y() + 0.5): f.get_linewidth() for f in frames}
    assert set(cells) == {(1, 0), (2, 1)}
    assert max(cells, key=lambda cell: cells[cell]) == (2, 1)
