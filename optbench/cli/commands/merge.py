"""``optbench merge``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from optbench.cli.options import Formats, Place, json_option
from optbench.cli.output import print_json, remark
from optbench.cli.study_output import (
    Recorded,
    show_board,
    summary_json,
    typed_command,
)
from optbench.support.text import count, plural


@click.command("merge", cls=Recorded)
@click.argument("folders", nargs=-1, required=True, type=Place())
@click.option(
    "--out",
    required=True,
    type=Place(folder=True),
    help="Folder of the merged study.",
)
@click.option(
    "--keep-first",
    is_flag=True,
    help="On a conflict, keep the run of the first folder.",
)
@click.option(
    "--formats",
    type=Formats(),
    default="png,svg",
    show_default=True,
    help="Formats of the plots: png, svg, pdf, or none.",
)
@json_option
def command(
    folders: Sequence[Path], out: Path, keep_first: bool, formats: Sequence[str], as_json: bool
) -> None:
    """Merge the studies in FOLDERS, run on several machines, into one.

    The studies must have the same protocol. If two studies contain the same run with different
    results, that is a conflict: it is printed, and the merge is refused unless --keep-first is
    given.

    \b
    Examples:
      optbench merge machine1 machine2 --out all
    """
    from optbench.study.merging import ConflictError, merge_studies
    from optbench.study.progress_displays import terminal_display
    from optbench.study.progress_view import ProgressView
    from optbench.study.reporting import write_report

    with ProgressView(None if as_json else terminal_display()):
        try:
            merge = merge_studies(folders, out, keep_first=keep_first)
        except ConflictError as refusal:
            for conflict in refusal.conflicts:
                remark(f"conflict: {conflict}")
            raise
        for conflict in merge.conflicts:
            remark(f"conflict: {conflict}")
        study, files = merge.study, []
        if study.is_evaluated:
            files = write_report(study, out, command=typed_command(), formats=formats)
    if as_json:
        print_json(summary_json(study, files))
    elif files:
        show_board(study)
    if not files and study.unfinished:
        remark(study.unfinished)
    studies = f"{len(folders)} {plural(len(folders), 'study', 'studies')}"
    remark(f"merged {studies}, {count(len(study.runs), 'run')}, in {out}")
