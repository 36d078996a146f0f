"""``optbench report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from optbench.cli.options import Formats, Place, json_option, plugin_options
from optbench.cli.output import print_json, remark
from optbench.cli.study_output import (
    DEFAULT_OUT,
    show_board,
    show_failures,
    summary_json,
)


@click.command("report")
@click.argument("folder", type=Place(), default=DEFAULT_OUT)
@click.option("--to", "target", type=Place(folder=True), help="Write it elsewhere.")
@click.option(
    "--formats",
    type=Formats(),
    default="png,svg",
    show_default=True,
    help="Formats of the plots: png, svg, pdf, or none.",
)
@json_option
@plugin_options
def command(folder: Path, target: Path | None, formats: Sequence[str], as_json: bool) -> None:
    """Write the leaderboard, plots and HTML of the study in FOLDER again, from its store.

    No run is trained and no plugin is needed. This also works for an interrupted study.

    \b
    Examples:
      optbench report
      optbench report results --formats pdf --to paper
    """
    from optbench.study import load_study
    from optbench.study.progress_displays import terminal_display
    from optbench.study.progress_view import ProgressView
    from optbench.study.reporting import write_report

    study = load_study(folder)
    out = target or folder
    with ProgressView(terminal_display()):
        files = write_report(study, out, formats=formats)
    if as_json:
        print_json(summary_json(study, files))
    else:
        show_board(study)
    show_failures(study)
    if not study.complete:
        remark(f"the study is not complete; to go on: {study.command}")
    remark(f"report: {out / 'report.html'}")
