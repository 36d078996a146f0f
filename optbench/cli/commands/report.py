"""``optbench report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from optbench.cli.options import (
    Formats,
    Place,
    baseline_option,
    json_option,
    plugin_options,
    region_option,
    width_option,
)
from optbench.cli.output import print_json, remark
from optbench.cli.study_output import (
    DEFAULT_OUT,
    show_board,
    show_failures,
    summary_json,
)


@click.command("report")
@click.argument("folder", type=Place(), default=DEFAULT_OUT)
@click.option("--to", "target", type=Place(folder=True), help="Folder to write to, if not FOLDER.")
@click.option(
    "--formats",
    type=Formats(),
    default="png,svg",
    show_default=True,
    help="Formats of the plots: png, svg, pdf, or none.",
)
@width_option
@click.option(
    "--portraits",
    is_flag=True,
    help="Add a section with the results of `optbench profile` (3 s per optimizer).",
)
@baseline_option
@region_option
@json_option
@plugin_options
def command(
    folder: Path,
    target: Path | None,
    formats: Sequence[str],
    width: float | None,
    portraits: bool,
    baseline: str | None,
    regions: Sequence[tuple[str, str]],
    as_json: bool,
) -> None:
    """Write the leaderboard, plots and HTML of the study in FOLDER again, from its store.

    No run is trained and no plugin is needed. This also works for an interrupted study. Without
    --baseline and --region, those of `optbench run` are used.

    \b
    Examples:
      optbench report
      optbench report results --formats pdf --width 6.75 --to paper
      optbench report --portraits
      optbench report results --baseline adam --region speed=20%
    """
    from optbench.study import load_study
    from optbench.study.progress_displays import terminal_display
    from optbench.study.progress_view import ProgressView
    from optbench.study.reporting import write_report

    study = load_study(folder).with_criteria(baseline=baseline, regions=dict(regions))
    out = target or folder
    with ProgressView(terminal_display()):
        files = write_report(study, out, formats=formats, portraits=portraits, width=width)
    if as_json:
        print_json(summary_json(study, files))
    else:
        show_board(study)
    show_failures(study)
    if not study.complete:
        remark(f"the study is not complete; to continue: {study.command}")
    remark(f"report: {out / 'report.html'}")
