"""``optbench inspect``: explains a network or a study, or compares initializers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.lab_options import (
    EPOCHS,
    network_options,
    one_dataset,
    plot_folder,
    plots_option,
)
from optbench.cli.options import Place, json_option, named_option, plugin_options
from optbench.cli.output import print_json, print_table, remark, say, say_prose
from optbench.errors import ConfigError
from optbench.suites.defaults import DEFAULT_SUITE

if TYPE_CHECKING:
    from optbench.report.plots.sheets import Sheet


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
    help="Passes over the training part; 0 to inspect only the untrained network.",
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
    help="Layers of the deepest network of --compare.",
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
    """Inspect a network: how signals propagate, how training changes the layers, and any problems.

    \b
    Examples:
      optbench inspect -i xavier-normal --hidden 64,64,64,64 --activation relu
      optbench inspect -o 'sgd[lr=3]' -d digits --epochs 20
      optbench inspect --compare --activation tanh --depth 30
      optbench inspect --in optbench-results
    """  # fmt: skip
    if len(initializers) > 1 and not compare:
        raise ConfigError("one --initializer at a time, or --compare")
    if folder is not None:
        answer = _diagnose(folder)
    elif compare:
        answer = _compare(initializers, **how)
    else:
        answer = _inspect(initializers[0] if initializers else None, **how)
    if as_json:
        print_json(answer)
        return
    print_table(answer["columns"], answer["rows"], answer["title"])
    say()
    if "legend" in answer:
        say_prose(answer["legend"])
        say()
    for line in answer["verdict"]:
        say_prose(line)
    for path in answer["files"]:
        remark(f"plot: {path}")


def _diagnose(folder: Path) -> dict[str, Any]:
    from optbench.study import load_study

    diagnosis = load_study(folder).diagnose()
    return {
        "title": f"the study in {folder}",
        "columns": ("workload", "optimizer", "problems of its evaluation runs"),
        "rows": diagnosis.summary,
        **({"legend": diagnosis.blind_spot} if diagnosis.blind_spot else {}),
        "verdict": [f"{workload}: {text}" for workload, text in diagnosis.verdicts.items()],
        "findings": [asdict(finding) for finding in diagnosis.findings],
        "files": [],
    }


def _compare(initializers: Sequence[str], **how: Any) -> dict[str, Any]:
    from optbench.study.network_inspection import compare_initializers

    comparison = compare_initializers(
        initializers,
        width=(how["hidden"] or (32,))[0],
        activation=how["activation"],
        depth=how["depth"],
        seed=how["seed"],
    )
    return {
        "title": comparison.title,
        "columns": comparison.columns,
        "rows": comparison.rows,
        "verdict": [str(comparison.choice)],
        "files": _save(comparison.drawing(), f"initializers-{how['activation']}", how),
    }


def _inspect(initializer: str | None, **how: Any) -> dict[str, Any]:
    from optbench.study.network_inspection import LEGEND, inspect

    names = ("dataset", "hidden", "activation", "optimizer", "regime", "batch_size", "epochs")
    inspection = inspect(
        initializer,
        **{name: how[name] for name in names},
        seed=how["seed"],
        with_sharpness=how["sharpness"],
    )
    if inspection.sharpness is not None:
        remark(f"sharpness: {inspection.sharpness:.4g}")
    return {
        "title": inspection.title,
        "columns": inspection.columns,
        "rows": inspection.rows,
        "legend": LEGEND,
        "verdict": inspection.sentences,
        "findings": [
            {"illness": f.illness, "evidence": f.evidence, "advice": f.advice}
            for f in inspection.findings
        ],
        "files": _save(inspection.drawing(), "inspect", how),
    }


def _save(draw: Callable[[], Sheet], name: str, how: dict[str, Any]) -> list[str]:
    from optbench.report.plots import write_plot
    from optbench.study.folders import writable_folder

    folder = writable_folder(how["out"])
    return [str(path) for path in write_plot(draw, folder / name, how["formats"])]
