"""Inspection of one network: `inspect`, `compare_initializers` and their results."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from optbench.contracts import Dataset, Rule, rate_of
from optbench.data.given_data import DatasetLike, as_dataset
from optbench.data.splits import load_dataset
from optbench.engine.health import ROWS, sharpness
from optbench.engine.specs import check_widths
from optbench.engine.training import train
from optbench.errors import suggest_arguments
from optbench.inspection.diagnosis import Finding, diagnose
from optbench.inspection.initializer_choice import DRAWS, Choice, choose
from optbench.inspection.signals import HARMLESS, Signals, measure_signals, signals_of, verdict
from optbench.network import LOSS_OF_TASK, Network
from optbench.records import RunResult, Status
from optbench.registry import Registry
from optbench.registry.scoped import InitializerLike, OptimizerLike, ScopedRegistry
from optbench.suites.defaults import default_dataset, default_optimizers, default_suite
from optbench.support import html
from optbench.support.text import count

if TYPE_CHECKING:
    from optbench.report.plots.plot import Plot
    from optbench.report.plots.sheets import Sheet

SHARPNESS_ROWS = 1000
"""Number of training examples on which sharpness is measured."""
LEGEND = (
    "signal, gradient: mean square of z and of the loss's gradient by z; flat or off: values where "
    "the activation's slope is nearly 0; dead: units for which it is so on every example"
)
"""Descriptions of the columns of an inspection."""
_COLUMNS = ("signal", "gradient", "flat or off", "dead")
_TITLE_WIDTH = 130


@dataclass(frozen=True, repr=False)
class Inspection:
    """Signals in a network, before and after training.

    Attributes:
        before: Signals of the untrained network.
        after: Signals of the trained network; None without training or if the run was lost.
        result: Result of the run; None without training.
        findings: Problems of the run, with evidence and advice.
        verdict: Description of signals and gradients before training.
        sharpness: Largest eigenvalue of the Hessian after training; None unless requested.

    Example:
        >>> import optbench
        >>> inspection = optbench.inspect("he-normal", dataset="iris", hidden=(8, 8), epochs=0)
        >>> inspection.after is None, inspection.findings
        (True, ())
    """

    before: Signals
    after: Signals | None
    result: RunResult | None
    findings: tuple[Finding, ...]
    verdict: str
    sharpness: float | None = None

    @property
    def title(self) -> str:
        """Network, and data on which signals are measured."""
        activation = self.before.activation if len(self.before.forward) else "no hidden layer"
        network = f"{self.before.initializer}, {activation}"
        return f"{network}, the first {ROWS} training examples"

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of the columns of `rows`."""
        trained = tuple(f"{name} after" for name in _COLUMNS) if self.after is not None else ()
        return ("layer", *_COLUMNS, *trained)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """One row for each hidden layer, as text; of a linear model, one for its output."""
        measured = [signals for signals in (self.before, self.after) if signals is not None]
        if not len(self.before.forward):
            return [("output", *(cell for signals in measured for cell in _output_cells(signals)))]
        return [
            (str(layer + 1), *(cell for signals in measured for cell in _cells(signals, layer)))
            for layer in range(len(self.before.forward))
        ]

    @property
    def sentences(self) -> list[str]:
        """Verdict on the untrained network, outcome of the run, and its problems."""
        lines = [f"before training: {self.verdict}."]
        if self.result is not None:
            state = f"validation loss {self.result.final('val_loss'):.4g}"
            if self.after is None:
                state = f"{self.result.reason}; the layers are shown as they were before"
            lines.append(f"{self.result.spec.configuration}, {self.result.status}: {state}")
            lines += [str(finding) for finding in self.findings]
            if not self.findings:
                despite = "" if self.verdict in HARMLESS else ", in spite of the initial weights"
                lines.append(f"no known problem was found in this run{despite}")
        return lines

    def plot(self) -> Plot:
        """Return the plot: signals by layer, activations, losses, and the health of the layers."""
        from optbench.report.plots.plot import Plot

        return Plot([("inspect", self.drawing())])

    def drawing(self) -> Callable[[], Sheet]:
        """Return the function that draws the plot."""
        from optbench.report.plots.network_layers import draw_inspection

        lines = textwrap.wrap(self.verdict, _TITLE_WIDTH, break_on_hyphens=False)
        return functools.partial(
            draw_inspection, self.before, self.after, self.result, "\n".join(lines)
        )

    def __repr__(self) -> str:
        """Return title and sentences as text."""
        return "\n".join([self.title, *self.sentences])

    def _repr_html_(self) -> str:
        """Return plot, layers and sentences, for a notebook."""
        table = html.table(self.rows, self.columns)
        return self.plot()._repr_html_() + table + html.paragraphs([LEGEND, *self.sentences])


def _output_cells(signals: Signals) -> tuple[str, ...]:
    return f"{signals.output_signal:.3g}", f"{signals.output_gradient:.3g}", "-", "-"


def _cells(signals: Signals, layer: int) -> tuple[str, ...]:
    rates = (signals.health[f"layer{layer + 1}.{kind}"] for kind in ("saturated", "dead"))
    return (
        f"{signals.forward[layer]:.3g}",
        f"{signals.backward[layer]:.3g}",
        *(f"{rate:.0%}" for rate in rates),
    )


@suggest_arguments
def inspect(
    initializer: InitializerLike | None = None,
    *,
    dataset: DatasetLike | None = None,
    target: str | None = None,
    hidden: int | Sequence[int] = (32, 32),
    activation: str = "relu",
    optimizer: OptimizerLike | None = None,
    regime: str = "mini-batch",
    batch_size: int = 32,
    epochs: int = 10,
    seed: int = 0,
    with_sharpness: bool = False,
) -> Inspection:
    """Inspect one network, like ``optbench inspect``.

    Args:
        initializer: Name of an initializer, values in brackets allowed, or an Initializer class; by
            default that of the suite ``"quick"``.
        dataset: Dataset, as for `optbench.train`; by default the first of the suite ``"quick"``.
        target: Column to predict, for a data frame.
        hidden: Widths of the hidden layers; one number for one layer, ``()`` for a linear model.
        activation: Hidden activation.
        optimizer: Optimizer, as for `optbench.train`; by default the first of the suite
            ``"quick"``.
        regime: ``"batch"``, ``"mini-batch"`` or ``"sgd"``.
        batch_size: Examples per update in ``"mini-batch"``, at least 1.
        epochs: Passes over the training part; with 0, only the untrained network is inspected.
        seed: Seed of initial weights and batch order, at least 0.
        with_sharpness: Whether to measure the largest eigenvalue of the Hessian after training.

    Returns:
        Signals before and after training, the run, and its problems.

    Raises:
        ConfigError: A name is unknown, or a value is not allowed.

    Example:
        >>> import optbench
        >>> optbench.inspect("zeros", dataset="iris", epochs=0).verdict[:24]
        'all units of a layer com'
    """
    suite = default_suite()
    registry = ScopedRegistry()
    dataset = default_dataset() if dataset is None else as_dataset(dataset, target)
    data = load_dataset(dataset)
    name = registry.initializer_text(initializer or suite.initializers[0])
    widths = check_widths("hidden", hidden)
    sizes, loss = (data.n_features, *widths, data.n_outputs), LOSS_OF_TASK[data.task]
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other
        x, y = data.x_train, data.y_train
        before = measure_signals(
            name, sizes, activation, x, y, loss=loss, seed=seed, registry=registry
        )
        text = verdict(before)
        if text not in HARMLESS:
            text += f"; {choose((), sizes, activation, x, y, loss=loss, seed=seed)}"
        if not epochs:
            return Inspection(before, None, None, (), text)
        optimizer = optimizer or default_optimizers()[0]
        registry.optimizer_text(optimizer)
        result = train(
            optimizer,
            dataset,
            widths,
            activation,
            initializer or name,
            regime,
            batch_size,
            epochs,
            seed,
        )
        network, after = Network(sizes, activation, loss), None
        if result.status is Status.OK:
            params = [(w.astype(float), b.astype(float)) for w, b in result.params or []]
            after = signals_of(name, network, params, x[:ROWS], y[:ROWS])
        sharp = _sharpness(result, network, data, registry) if with_sharpness else {}
        findings = diagnose(result, task=data.task, **sharp)
    return Inspection(before, after, result, tuple(findings), text, sharp.get("sharpness"))


def _sharpness(
    result: RunResult, network: Network, data: Dataset, registry: Registry
) -> dict[str, Any]:
    x, y = data.x_train[:SHARPNESS_ROWS], data.y_train[:SHARPNESS_ROWS]
    measured: dict[str, Any] = {"sharpness": sharpness(network, result.params or [], x, y)}
    optimizer = registry.optimizer(result.spec.optimizer)
    is_plain = issubclass(optimizer, Rule) and not optimizer.slots and not optimizer.scalars
    rate = rate_of(optimizer)
    if is_plain and result.spec.regime == "batch" and rate is not None:
        measured["stable_below"] = 2 / float(result.spec.hyper[rate.name])
    return measured


@dataclass(frozen=True, repr=False)
class InitializerComparison:
    """Comparison of initializers on networks of many depths, most suitable first.

    Attributes:
        choice: Ranking, and the initializers that are suitable.
        activation: Hidden activation.
        width: Number of units per layer.
        depth: Number of layers of the deepest network.
    """

    choice: Choice
    activation: str
    width: int
    depth: int

    @property
    def title(self) -> str:
        """Description of the networks."""
        return (
            f"{count(self.depth, 'layer')} of {self.width} {self.activation} units, {DRAWS} draws"
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of the columns of `rows`."""
        return ("initializer", "signal a layer", "gradient a layer", "what happens")

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """One row for each initializer, as text."""
        return [
            (s.initializer, f"{s.forward_factor:.3g}", f"{s.backward_factor:.3g}", verdict(s))
            for s in self.choice.ranked
        ]

    def plot(self) -> Plot:
        """Return the plot: signal and gradient by depth."""
        from optbench.report.plots.plot import Plot

        return Plot([(f"initializers-{self.activation}", self.drawing())])

    def drawing(self) -> Callable[[], Sheet]:
        """Return the function that draws the plot."""
        from optbench.report.plots.initializer_depths import draw_comparison

        return functools.partial(draw_comparison, self.choice.ranked, self.activation, self.width)

    def __repr__(self) -> str:
        """Return the ranking as text."""
        return "\n".join([self.title, *("  ".join(row) for row in self.rows), str(self.choice)])

    def _repr_html_(self) -> str:
        """Return plot, table and choice, for a notebook."""
        table = html.table(self.rows, self.columns)
        return self.plot()._repr_html_() + table + html.paragraphs([str(self.choice)])


def compare_initializers(
    initializers: Sequence[InitializerLike] = (),
    *,
    width: int = 32,
    activation: str = "relu",
    depth: int = 50,
    seed: int = 0,
) -> InitializerComparison:
    """Compare initializers on networks of every depth, like ``optbench inspect --compare``.

    Args:
        initializers: Names of initializers, values in brackets allowed, or Initializer classes;
            all registered ones if empty.
        width: Number of units per layer, at least 1.
        activation: Hidden activation.
        depth: Number of layers of the deepest network, at least 2.
        seed: Seed of inputs and weights.

    Returns:
        The initializers, the most suitable first.

    Raises:
        ConfigError: A name is unknown, or a value is not allowed.

    Example:
        >>> import optbench
        >>> optbench.compare_initializers(["he-normal", "zeros"], depth=5).choice.best
        ('he-normal',)
    """
    registry = ScopedRegistry()
    names = [registry.initializer_text(item) for item in initializers]
    sizes = (width,) * (depth + 1) + (10,)
    with threadpool_limits(1):
        choice = choose(names, sizes, activation, seed=seed, registry=registry)
    return InitializerComparison(choice, activation, width, depth)
