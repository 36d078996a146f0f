"""``optbench plot``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from optbench.cli.options import Place, plugin_options, width_option
from optbench.cli.output import remark
from optbench.cli.study_output import DEFAULT_OUT
from optbench.errors import ConfigError
from optbench.records import BOARD_NAMES, REGIMES
from optbench.report.format.plot_formats import FORMATS, check_plot_format
from optbench.report.format.plot_kinds import KINDS, find_kind

_KINDS = "\n".join(f"  {name:<22} {kind.about}" for name, kind in KINDS.items())


@click.command("plot", epilog=f"\b\nKinds:\n{_KINDS}")
@click.argument("kind")
@click.argument("folder", type=Place(), default=DEFAULT_OUT)
@click.option("--out", type=Place(), help="File; by default, KIND.png in the current folder.")
@click.option(
    "--format",
    "form",
    metavar="FORMAT",
    help=f"{', '.join(FORMATS)}; by default that of the file name, or png.",
)
@width_option
@click.option(
    "--bare",
    is_flag=True,
    help="Leave out title and explanation, for a figure that has its own caption.",
)
@click.option(
    "--workload",
    "workloads",
    metavar="TEXT",
    multiple=True,
    help="Only this dataset, or workloads with this text in their label. Repeatable.",
)
@click.option("-r", "--regime", type=click.Choice(REGIMES), help="Only this regime.")
@click.option("--board", type=click.Choice(BOARD_NAMES), help="Only this board.")
@click.option(
    "--levels",
    metavar="LEVELS",
    help="Targets of ecdf: easy, medium, hard, or shares of the way to the best known loss: "
    "0.5,0.9.",
)
@plugin_options
def command(
    kind: str,
    folder: Path,
    out: Path | None,
    form: str | None,
    width: float | None,
    bare: bool,
    workloads: Sequence[str],
    regime: str | None,
    board: str | None,
    levels: str | None,
) -> None:
    """Draw one plot of the study in FOLDER.

    A KIND with several sheets, such as convergence with one for each regime, is written to one file
    per sheet. The name of a sheet, such as convergence-sgd, draws only that one.

    \b
    Examples:
      optbench plot pairs results --board speed
      optbench plot convergence results --workload digits --out digits.svg
      optbench plot score-map results --out scores.pdf --width 3.25 --bare
      optbench plot ecdf results --levels 0.25,0.5,0.75,1
    """
    find_kind(kind)  # a spelling mistake costs no time
    target, form = _target(kind, out, form)
    from optbench.study import load_study

    plot = load_study(folder).plot(
        kind,
        workloads=workloads,
        regime=regime,
        board=board,
        levels=[part.strip() for part in (levels or "").split(",") if part.strip()],
    )
    for path in plot.save_as(target, form, width=width, bare=bare):
        remark(f"plot: {path}")


def _target(kind: str, out: Path | None, form: str | None) -> tuple[Path, str]:
    """Return the path of the file without its suffix, and the format."""
    suffix = "" if out is None else out.suffix.removeprefix(".")
    if form is None:
        form = suffix or FORMATS[0]
    check_plot_format(form)
    if out is None:
        return Path(kind), form
    if out.is_dir():
        return out / kind, form
    if suffix and suffix != form:
        if suffix in FORMATS:
            raise ConfigError(f"--out {out} and --format {form} name different formats")
        return out, form  # a dot within the name
    return out.with_suffix(""), form
