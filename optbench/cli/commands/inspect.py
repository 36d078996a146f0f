"""``optbench inspect``: one network explained, or initializers compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.initializer_comparison import compare_initializers
from optbench.cli.lab_options import (
    DEFAULT_SUITE,
    EPOCHS,
    default_optimizers,
    default_suite,
    network_options,
    one_dataset,
    plot_folder,
    plots_option,
)
from optbench.cli.options import Place, json_option, named_option, plugin_options
from optbench.cli.output import print_json, print_table, remark, say
from optbench.errors import ConfigError

if TYPE_CHECKING:
    from optbench.inspection.diagnosis import Finding
    from optbench.inspection.signals import Signals
    from optbench.records import RunResult

SHARPNESS_ROWS = 1000
"""Training examples that sharpness is measured on."""
LEGEND = (
    "signal, gradient: mean square of z and of the loss's gradient by z; flat or off: values where "
    "the activation's slope is nearly 0; dead: units for which it is so on every example"
)
"""What the columns of the table are."""


@click.command("inspect")
@named_option("-i", "initializers", "Initializer; repeatable with --compare.", multiple=True)
@network_options
@one_dataset
@named_option("-o", "optimizers", f"Optimizer. Default: the {DEFAULT_SUITE} suite's first.")
@click.option(
    "--epochs",
    default=10,
    show_default=True,
    type=click.IntRange(0, EPOCHS),
    help="Passes over the training part; 0 looks at the fresh network alone.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Seed.")
@click.option("--sharpness", is_flag=True, help="Measure the largest eigenvalue of the Hessian.")
@click.option(
    "--compare", is_flag=True, help="Compare initializers on networks from 2 layers to --depth."
)
@click.option(
    "--depth",
    default=50,
    show_default=True,
    type=click.IntRange(2, 200),
    help="Layers of the deepest network that --compare looks at.",
)
@click.option(
    "--in",
    "folder",
    type=Place(folder=True),
    help="Diagnose the runs of the study in this folder instead.",
)
@plot_folder
@plots_option
@json_option
@plugin_options
def command(
    initializers: Sequence[str], compare: bool, folder: Path | None, as_json: bool, **how: Any
) -> None:
    """Look inside a network: how signals travel, what training does to the layers, what is wrong.

    \b
    Examples:
      optbench inspect -i xavier-normal --hidden 64,64,64,64 --activation relu
      optbench inspect -o 'sgd[lr=3]' -d digits --epochs 20
      optbench inspect --compare --activation tanh --depth 30
      optbench inspect --in optbench-results
    """  # fmt: skip
    from threadpoolctl import threadpool_limits

    if len(initializers) > 1 and not compare:
        raise ConfigError("one --initializer at a time, or --compare")
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other
        if folder is not None:
            told = _diagnose(folder)
        elif compare:
            told = compare_initializers(initializers, **how)
        else:
            told = _inspect(initializers[0] if initializers else None, **how)
    if as_json:
        print_json(told)
        return
    print_table(told["columns"], told["rows"], told["title"])
    say()
    if "legend" in told:
        say(told["legend"])
        say()
    for line in told["verdict"]:
        say(line)
    for path in told["files"]:
        remark(f"plot: {path}")


def _diagnose(folder: Path) -> dict[str, Any]:
    from optbench.study import load_study

    diagnosis = load_study(folder).diagnose()
    return {
        "title": f"the study in {folder}",
        "columns": ("workload", "optimizer", "what its evaluation runs suffer from"),
        "rows": diagnosis.summary,
        "verdict": [f"{workload}: {text}" for workload, text in diagnosis.verdicts.items()],
        "findings": [asdict(finding) for finding in diagnosis.findings],
        "files": [],
    }


def _inspect(initializer: str | None, **how: Any) -> dict[str, Any]:
    from optbench.data.splits import load_dataset
    from optbench.engine.health import ROWS
    from optbench.engine.training import train
    from optbench.inspection.diagnosis import diagnose
    from optbench.inspection.initializer_choice import choose
    from optbench.inspection.signals import PASSES, measure_signals, signals_of, verdict
    from optbench.network import LOSS_OF_TASK, Network
    from optbench.records import Status

    suite = default_suite()
    data = load_dataset(how["dataset"] or suite.datasets[0])
    initializer = initializer or suite.initializers[0]
    hidden = how["hidden"]
    sizes = (data.n_features, *hidden, data.n_outputs)
    loss = LOSS_OF_TASK[data.task]
    x, y = data.x_train, data.y_train
    before = measure_signals(
        initializer, sizes, how["activation"], x, y, loss=loss, seed=how["seed"]
    )
    said = verdict(before)
    if said != PASSES:
        choice = choose((), sizes, how["activation"], x, y, loss=loss, seed=how["seed"])
        said += f"; {choice}"
    result, after = None, None
    findings: Sequence[Finding] = ()
    if how["epochs"]:
        result = train(
            how["optimizer"] or default_optimizers()[0],
            data.name,
            hidden,
            how["activation"],
            initializer,
            how["regime"],
            how["batch_size"],
            how["epochs"],
            how["seed"],
        )
        network = Network(sizes, how["activation"], loss)
        if result.status is Status.OK:
            params = [(w.astype(float), b.astype(float)) for w, b in result.params or []]
            after = signals_of(initializer, network, params, x[:ROWS], y[:ROWS])
        sharp = _sharpness(result, network, data) if how["sharpness"] else {}
        findings = diagnose(result, task=data.task, **sharp)
    return _told(before, after, result, findings, said, how)


def _sharpness(result: RunResult, network: Any, data: Any) -> dict[str, Any]:
    from optbench.contracts import Rule
    from optbench.engine.health import sharpness
    from optbench.registry import default_registry

    x, y = data.x_train[:SHARPNESS_ROWS], data.y_train[:SHARPNESS_ROWS]
    found: dict[str, Any] = {"sharpness": sharpness(network, result.params or [], x, y)}
    optimizer = default_registry().optimizer(result.spec.optimizer)
    plain = issubclass(optimizer, Rule) and not optimizer.slots and not optimizer.scalars
    if plain and result.spec.regime == "batch" and "lr" in result.spec.hyper:
        found["stable_below"] = 2 / float(result.spec.hyper["lr"])
    remark(f"sharpness: {found['sharpness']:.4g}")
    return found


def _told(
    before: Signals,
    after: Signals | None,
    result: RunResult | None,
    findings: Sequence[Finding],
    said: str,
    how: dict[str, Any],
) -> dict[str, Any]:
    from optbench.engine.health import ROWS
    from optbench.report.plots import write_plot
    from optbench.report.plots.network_layers import draw_inspection
    from optbench.study.folders import writable_folder

    writable_folder(how["out"])
    draw = partial(draw_inspection, before, after, result, "\n".join(_wrapped(said)))
    files = write_plot(draw, how["out"] / "inspect", how["formats"])
    rows = []
    for layer in range(len(before.forward)):
        row = [str(layer + 1)]
        for signals in filter(None, (before, after)):
            row += [f"{signals.forward[layer]:.3g}", f"{signals.backward[layer]:.3g}"]
            row += [_percent(signals, layer, kind) for kind in ("saturated", "dead")]
        rows.append(tuple(row))
    parts = ["signal", "gradient", "flat or off", "dead"]
    columns = ["layer", *parts]
    verdicts = [f"before training: {said}."]
    if after is not None:
        columns += [f"{part} after" for part in parts]
    if result is not None:
        state = f"validation loss {result.final('val_loss'):.4g}"
        if after is None:
            state = f"{result.reason}; the layers are shown as they were before"
        verdicts.append(f"{result.spec.configuration}, {result.status}: {state}")
        verdicts += [str(finding) for finding in findings] or ["nothing is wrong with this run"]
    return {
        "title": f"{before.initializer}, {before.activation}, the first {ROWS} training examples",
        "columns": columns,
        "rows": rows,
        "legend": LEGEND,
        "verdict": verdicts,
        "findings": [
            {"illness": f.illness, "evidence": f.evidence, "advice": f.advice} for f in findings
        ],
        "files": [str(path) for path in files],
    }


def _percent(signals: Signals, layer: int, kind: str) -> str:
    return f"{signals.health[f'layer{layer + 1}.{kind}']:.0%}"


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 130, break_on_hyphens=False)
