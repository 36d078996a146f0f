"""``optbench profile``: the portrait of an optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.lab_options import plot_folder, plots_option
from optbench.cli.options import json_option, plugin_options, registered
from optbench.cli.output import finite, print_json, print_table, remark, say, say_prose
from optbench.errors import ConfigError
from optbench.suites.defaults import default_optimizers

if TYPE_CHECKING:
    from optbench.inspection.portraits.portrait import Measured
    from optbench.inspection.portraits.subject import Subject


@click.command("profile")
@click.argument("target", metavar="NAME|FILE", shell_complete=registered("optimizers"))
@click.option(
    "--beside",
    multiple=True,
    metavar="NAME[...]",
    shell_complete=registered("optimizers"),
    help="Optimizer to compare with. Repeatable. Default: the first and the last of the "
    "default suite.",
)
@plot_folder
@plots_option
@json_option
@plugin_options
def command(
    target: str, beside: Sequence[str], out: Path, formats: Sequence[str], as_json: bool
) -> None:
    """Measure what an optimizer does in ten named properties, and what it costs.

    NAME is an optimizer, values in brackets allowed. FILE is a Python file; every optimizer that it
    registers is measured. The properties are invariances, behavior on hard problems, and recovery;
    most have a criterion: "yes" meets it, "no" does not. Few optimizers meet all of them, and some
    exclude each other.

    \b
    Examples:
      optbench profile adam
      optbench profile mine.py --beside adam --beside 'momentum[beta=0.95]'
    """  # fmt: skip
    from optbench.inspection.portraits.portrait import compare_portraits, draw_portrait
    from optbench.inspection.portraits.subject import find_subject
    from optbench.registry import default_registry

    others = list(beside) or [default_optimizers()[0], default_optimizers()[-1]]
    labels = list(dict.fromkeys([*_names(target), *others]))
    subjects = [find_subject(label, default_registry()) for label in labels]
    portraits = []
    for subject in subjects:
        remark(f"measuring {subject.label}")
        portraits.append(draw_portrait(subject))
    if as_json:
        print_json(_plain(subjects, portraits))
        return
    headers = ("property", *(each.label for each in subjects), "criterion")
    print_table(headers, compare_portraits(portraits))
    say("yes: meets the criterion; no: does not")
    say()
    for each in portraits[0]:
        source = f" ({each.of.source})" if each.of.source else ""
        say_prose(f"{each.of.name}: {each.of.question}{source}")
    for path in _save(subjects, portraits, out, formats):
        remark(f"plot: {path}")


def _names(target: str) -> list[str]:
    """Return the optimizer's spelling, or the names of all optimizers in a file.

    Raises:
        ConfigError: The file registers no optimizer.
    """
    if not target.endswith(".py"):
        return [target]
    from optbench.registry import default_registry

    registry = default_registry()
    plugin = registry.load_once(target)
    registry.check()
    names = plugin.provides.get("optimizers", [])
    if not names:
        raise ConfigError(f"{target} registers no optimizer")
    return list(names)


def _plain(subjects: Sequence[Subject], portraits: Sequence[Sequence[Measured]]) -> list[Any]:
    return [
        {
            "optimizer": subject.label,
            "properties": [
                {
                    "name": each.of.name,
                    "question": each.of.question,
                    "source": each.of.source,
                    "value": finite(each.value),
                    "text": str(each),
                    "criterion": each.of.criterion,
                    "passed": each.passed,
                }
                for each in portrait
            ],
        }
        for subject, portrait in zip(subjects, portraits, strict=True)
    ]


def _save(
    subjects: Sequence[Subject],
    portraits: Sequence[Sequence[Measured]],
    out: Path,
    formats: Sequence[str],
) -> list[Path]:
    if not formats:
        return []
    from optbench.report.plots import write_plot
    from optbench.report.plots.portrait_table import draw_portraits
    from optbench.study.folders import writable_folder

    labels = [subject.label for subject in subjects]
    stem = writable_folder(out) / f"profile-{labels[0].partition('[')[0].replace(':', '-')}"
    return write_plot(partial(draw_portraits, labels, portraits), stem, formats)
