"""Draws the pictures of docs/statistics.md from small simulations with known truth."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from optbench.contracts import Array
from optbench.report.plots.sheets import style

FOLDER = Path(__file__).parent / "images" / "statistics"
TUNING_SD = 0.04
SEED_SD = 0.05
REPLICATES = 6
SEEDS = 8
REGION = 0.03
BLUE, ORANGE, GREY = "#2339fe", "#f87507", "#6b6b6b"


def interval(values: Array) -> tuple[float, float]:
    """Return the 95% t interval of a mean."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return float(values.mean() - half), float(values.mean() + half)


def draw_tuning() -> None:
    """Six studies with one tuning and many seeds, and the one that replicates the tuning."""
    rng = np.random.default_rng(3)
    tunings = rng.normal(0, TUNING_SD, REPLICATES)
    runs = tunings[:, None] + rng.normal(0, SEED_SD, (REPLICATES, SEEDS * 5))
    figure, axes = plt.subplots(figsize=(6.5, 2.9), layout="constrained")
    for row, values in enumerate(runs):
        low, high = interval(values)
        covers = low <= 0 <= high
        _bar(axes, REPLICATES - row, low, high, GREY if covers else ORANGE)
    _bar(axes, 0, *interval(runs[:, :SEEDS].mean(axis=1)), BLUE)
    labels = [f"tuning {k + 1} alone, {SEEDS * 5} seeds" for k in range(REPLICATES)]
    axes.set_yticks(range(REPLICATES, -1, -1), [*labels, f"{REPLICATES} replicates, {SEEDS} seeds"])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("difference between two optimizers that are equal in truth, with 95% interval")
    _save(figure, "tuning")


def draw_verdicts() -> None:
    """Where an interval lies decides the verdict."""
    rows = [
        ("better", 0.05, 0.03),
        ("better, by a little", 0.028, 0.02),
        ("equal", 0.004, 0.02),
        ("equal, though not zero", 0.016, 0.01),
        ("open", 0.02, 0.05),
    ]
    figure, axes = plt.subplots(figsize=(6.5, 2.4), layout="constrained")
    axes.axvspan(-REGION, REGION, color="#e8ecff", label="too small to matter")
    for position, (verdict, middle, half) in enumerate(reversed(rows)):
        colour = {"b": BLUE, "e": "#0a7d4b", "o": GREY}[verdict[0]]
        _bar(axes, position, middle - half, middle + half, colour)
    axes.set_yticks(range(len(rows)), [row[0] for row in reversed(rows)])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("difference in score; shaded: the region of practical equivalence")
    _save(figure, "verdicts")


def draw_statements() -> None:
    """The same five workloads under both statements."""
    rng = np.random.default_rng(9)
    means = np.array([0.11, -0.02, 0.16, 0.03, 0.07])
    values = means[:, None] + rng.normal(0, 0.03, (len(means), REPLICATES))
    figure, axes = plt.subplots(figsize=(6.5, 2.9), layout="constrained")
    for row, own in enumerate(values):
        _bar(axes, len(values) + 1 - row, *interval(own), GREY)
    fixed = values.mean(axis=0)
    _bar(axes, 1, *interval(fixed), BLUE)
    _bar(axes, 0, *interval(values.mean(axis=1)), ORANGE)
    labels = [f"workload {w + 1}" for w in range(len(values))]
    names = [*labels, "on these workloads", "on workloads like these"]
    axes.set_yticks(range(len(values) + 1, -1, -1), names)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("difference in score, with 95% interval")
    _save(figure, "statements")


def _bar(axes: Axes, position: float, low: float, high: float, colour: str) -> None:
    axes.plot([low, high], [position] * 2, color=colour, linewidth=2.5, solid_capstyle="butt")
    axes.plot([(low + high) / 2], [position], "o", color=colour, markersize=5)


def _save(figure: Figure, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    with style():
        draw_tuning()
        draw_verdicts()
        draw_statements()
