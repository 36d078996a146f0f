"""Sensitivity to one or two hyperparameters: `sweep` and its result."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optbench.analysis.views.sweep_points import SweepPoint
from optbench.data.given_data import DatasetLike, as_dataset
from optbench.errors import suggest_arguments
from optbench.execution import make_executor
from optbench.registry import default_registry
from optbench.registry.scoped import InitializerLike, OptimizerLike, ScopedRegistry
from optbench.store import Store
from optbench.study.calls import as_list, call_text
from optbench.study.driver import Observer
from optbench.study.environment import describe_environment
from optbench.study.folders import STORE_NAME, TemporaryFolder, writable_folder
from optbench.study.progress_view import shown_progress
from optbench.study.sweep_axes import Axis, make_axis, parse_axis
from optbench.study.sweeping import plan_sweep, run_sweep
from optbench.suites.defaults import default_dataset, default_optimizers, default_suite
from optbench.support import html
from optbench.support.files import open_output

if TYPE_CHECKING:
    from optbench.report.plots.plot import Plot
    from optbench.report.plots.sheets import Sheet

AxesLike = str | Sequence[str] | Mapping[str, Any]
"""Axes as ``"lr=1e-4..10:9"``, several such texts, or values (or a range) by name."""


@dataclass(frozen=True, repr=False)
class Sweep:
    """The final validation loss at each point of a grid of hyperparameters.

    Attributes:
        axes: One or two swept axes.
        points: Results of each optimizer at each point, in the order of the grid.
        fixed: Description of everything that was not swept.
        complete: False if the sweep was interrupted; unfinished points are left out.

    Example:
        >>> import optbench
        >>> sweep = optbench.sweep({"lr": [0.01, 0.1]}, "sgd", dataset="iris", epochs=5)
        >>> low, high = sweep.rows()
        >>> high["median"] < low["median"]
        True
    """

    axes: tuple[Axis, ...]
    points: tuple[SweepPoint, ...]
    fixed: str
    complete: bool = True

    @property
    def name(self) -> str:
        """Name of the files of the sweep, e.g. ``"sweep-lr-batch_size"``."""
        return f"sweep-{'-'.join(axis.name for axis in self.axes)}"

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each point.

        A row has the optimizer, the swept values, the median of the final validation loss and its
        interval, and the median of the final training loss.
        """
        return [
            {
                "optimizer": point.optimizer,
                **point.at,
                "median": point.median,
                "low": point.low,
                "high": point.high,
                "diverged": point.diverged,
                "seeds": len(point.losses),
                "train_median": point.train,
            }
            for point in self.points
        ]

    def is_lowest(self, point: SweepPoint) -> bool:
        """Return whether the point has the lowest median loss of its optimizer."""
        own = (other.median for other in self.points if other.optimizer == point.optimizer)
        return point.median == min(own)

    def frame(self) -> Any:
        """Return `rows` as a pandas DataFrame (pandas must be installed)."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def plot(self) -> Plot:
        """Return the plot: curves for one axis, heat maps for two."""
        from optbench.report.plots.plot import Plot

        return Plot([(self.name, self.drawing())])

    def drawing(self) -> Callable[[], Sheet]:
        """Return the function that draws the plot."""
        from optbench.report.plots.sweep_plots import draw_sweep

        return functools.partial(draw_sweep, self.axes, self.points, self.fixed)

    def write_csv(self, path: str | Path) -> Path:
        """Write `rows` to a CSV file.

        Args:
            path: The file.
        """
        names = [axis.name for axis in self.axes]
        columns = [
            "optimizer",
            *names,
            "median",
            "low",
            "high",
            "diverged",
            "seeds",
            "train_median",
        ]
        with open_output(Path(path)) as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows())
        return Path(path)

    def __repr__(self) -> str:
        """Return the points as text, one line each."""
        lines = [f"Sweep of {' and '.join(axis.name for axis in self.axes)} ({self.fixed})"]
        for point in self.points:
            values = ", ".join(f"{name}={value}" for name, value in point.at.items())
            mark = "  lowest" if self.is_lowest(point) else ""
            interval = f"[{point.low:.4g}, {point.high:.4g}]"
            lines.append(f"{point.optimizer}  {values}  {point.median:.4g} {interval}{mark}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the plot and the points, for a notebook."""
        if not self.points:
            return html.paragraphs([repr(self)])
        rows = self.rows()
        table = html.table([list(row.values()) for row in rows], list(rows[0]))
        return self.plot()._repr_html_() + table


@suggest_arguments
def sweep(
    axes: AxesLike,
    optimizers: OptimizerLike | Sequence[OptimizerLike] | None = None,
    *,
    dataset: DatasetLike | None = None,
    target: str | None = None,
    hidden: int | Sequence[int] = (32, 32),
    activation: str = "relu",
    initializer: InitializerLike | None = None,
    regime: str = "mini-batch",
    batch_size: int = 32,
    epochs: int = 10,
    seeds: int = 5,
    out: str | Path | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: bool | Observer | None = None,
    command: str | None = None,
) -> Sweep:
    """Train with several values of one or two hyperparameters, like ``optbench sweep``.

    Args:
        axes: Axes of the sweep: ``"lr=1e-4..10:9"``, a list of one or two such texts, or a mapping
            such as ``{"lr": [0.01, 0.1, 1], "batch_size": "8..128:5"}``. A name is layers,
            neurons, batch_size, epochs, activation, initializer, regime, train_size (a share or
            number of the training examples), or a hyperparameter.
        optimizers: One or several optimizers, as for `optbench.train`; by default the first of the
            suite ``"quick"``.
        dataset: Dataset, as for `optbench.train`; by default the first of the suite ``"quick"``.
        target: Column to predict, for a data frame.
        hidden: Widths of the hidden layers; one number for one layer, ``()`` for a linear model.
        activation: Hidden activation.
        initializer: Name of an initializer, or an Initializer class; by default that of the suite
            ``"quick"``.
        regime: ``"batch"``, ``"mini-batch"`` or ``"sgd"``.
        batch_size: Examples per update in ``"mini-batch"``, at least 1.
        epochs: Passes over the training part, at least 1.
        seeds: Number of runs per point, at least 1.
        out: Folder where runs are kept and reused; by default a temporary one.
        jobs: Number of parallel runs on this machine; one per core if None.
        scheduler: Address of a Dask cluster to train on.
        progress: Display of progress, as for `optbench.compare`.
        command: Command recorded in the store; by default this call.

    Returns:
        The points that are complete. Ctrl-C ends the sweep early.

    Raises:
        ConfigError: A name is unknown, or a value is not allowed.

    Example:
        >>> import optbench
        >>> result = optbench.sweep({"lr": [0.1, 1.0]}, "sgd", dataset="iris", epochs=1, seeds=2)
        >>> [row["lr"] for row in result.rows()]
        [0.1, 1.0]
    """
    suite = default_suite()
    registry = ScopedRegistry()
    chosen = [registry.optimizer_text(item) for item in as_list(optimizers)]
    chosen = list(dict.fromkeys(chosen)) or default_optimizers()[:1]
    dataset = default_dataset() if dataset is None else as_dataset(dataset, target)
    workload = {
        "dataset": registry.dataset_name(dataset),
        "hidden": (hidden,) if isinstance(hidden, int) else tuple(hidden),
        "activation": activation,
        "initializer": registry.initializer_text(initializer or suite.initializers[0]),
        "regime": regime,
        "batch_size": batch_size,
        "epochs": epochs,
    }
    plan = plan_sweep(_axes(axes, chosen, registry), chosen, seeds, workload, registry)
    temporary = None
    if out is None:
        temporary = TemporaryFolder()
        folder = temporary.path
    else:
        folder = writable_folder(out)
    with (
        shown_progress(progress) as observer,
        make_executor(jobs, scheduler, health="none", registry=registry) as executor,
        Store(folder / STORE_NAME) as store,
    ):
        points, complete = run_sweep(
            plan,
            store,
            executor,
            observer=observer,
            command=command
            or call_text(
                "sweep",
                {"axes": axes, "optimizers": chosen, "seeds": seeds, **workload, "out": out},
            ),
            environment=describe_environment(default_registry()),
        )
    return Sweep(plan.axes, tuple(points), plan.fixed, complete)


def _axes(axes: AxesLike, optimizers: Sequence[str], registry: ScopedRegistry) -> list[Axis]:
    if not isinstance(axes, Mapping):
        return [parse_axis(text, optimizers, registry) for text in as_list(axes)]
    parsed = []
    for name, values in axes.items():
        if isinstance(values, str):
            parsed.append(parse_axis(f"{name}={values}", optimizers, registry))
            continue
        is_names = name == "initializer"
        listed = [registry.initializer_text(v) for v in values] if is_names else values
        parsed.append(make_axis(name, listed, optimizers, registry))
    return parsed
