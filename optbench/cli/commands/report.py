"""``optbench report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from optbench.cli.options import Formats, Place, json_option, plugin_options
from optbench.cli.output import print_json, remark
from optbench.cli.progress import ProgressView
from optbench.cli.study_output import (
    DEFAULT_OUT,
    show_board,
    show_failures,
    summary_json,
    write_report,
)
from optbench.errors import ConfigError


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
    """Write leaderboard, plots and HTML of the study in FOLDER again, from its store.

    Nothing is trained and no plugin is needed; it also works for an interrupted study.

    \b
    Examples:
      optbench report
      optbench report results --formats pdf --to paper
    """
    from optbench.study import load_study
    from optbench.study.folders import writable_folder

    study = load_study(folder)
    out = writable_folder(target or folder)
    with ProgressView():
        board, files = write_report(study, out, study.command, formats)
    if board is None:
        raise ConfigError(f"nothing to report in {folder}: no evaluation run has finished")
    if as_json:
        print_json(summary_json(study, board, files))
    else:
        show_board(board, study)
    show_failures(study)
    if not study.complete:
        remark(f"the study is not complete; to go on: {study.command}")
    remark(f"report: {out / 'report.html'}")
