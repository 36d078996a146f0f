"""Printing of studies, shared by the commands on studies."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.output import remark, remark_prose
from optbench.support.standard_streams import printable_path
from optbench.support.text import count

if TYPE_CHECKING:
    from optbench.study import Study

DEFAULT_OUT = "optbench-results"
"""Default folder of a study."""
PIPE_COLUMNS = 120
"""Width of a leaderboard in a pipe where COLUMNS is not set."""
SHOWN_CAUSES = 5
"""Number of causes of failed runs that are shown."""


class Recorded(click.Command):
    """Command that records its arguments as they were typed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Record the arguments and parse them as click does."""
        ctx.meta["optbench.args"] = tuple(args)
        return super().parse_args(ctx, args)


def typed_command(without: str = "") -> str:
    """Return the command line as it was typed, quoted for a shell.

    Args:
        without: Flag to leave out.
    """
    import shlex

    ctx = click.get_current_context()
    typed = [word for word in ctx.meta["optbench.args"] if word != without]
    words = ["optbench", *(ctx.info_name or "").split(), *typed]
    return " ".join(_quote_bytes(word) if _has_bytes(word) else shlex.quote(word) for word in words)


def _has_bytes(word: str) -> bool:
    return printable_path(word) != word


def _quote_bytes(word: str) -> str:
    """Quote a word that contains bytes that are not UTF-8, for bash, zsh and ksh."""
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{printable_path(escaped)}'"


def show_board(study: Study) -> None:
    """Print the leaderboard of a study to stdout, in a pipe as plain text."""
    from rich.console import Console

    from optbench.report.terminal.leaderboard_table import leaderboard_table

    columns = shutil.get_terminal_size((PIPE_COLUMNS, 24)).columns  # COLUMNS, also in a pipe
    console = Console() if sys.stdout.isatty() else Console(width=columns, no_color=True)
    console.print(leaderboard_table(study.leaderboard, study.cells))


def show_failures(study: Study) -> None:
    """Print the causes, other than divergence, for which runs failed; each cause once."""
    causes: dict[str, list[str]] = {}
    for run in study.failed:
        cause = run.reason.removeprefix(f"{run.spec.optimizer}: ")
        causes.setdefault(f"{run.spec.optimizer}: {cause}", []).append(run.key)
    for text, keys in list(causes.items())[:SHOWN_CAUSES]:
        more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        remark_prose(f"failed: run {keys[0][:8]}{more}: {text}")
    if len(causes) > SHOWN_CAUSES:
        remark(f"and {count(len(causes) - SHOWN_CAUSES, 'other cause')}")


def summary_json(study: Study, files: Sequence[Path]) -> dict[str, Any]:
    """Return the output of ``--json``: what ``leaderboard.json`` has, the study and its files.

    If no report was written, the leaderboard has no boards.
    """
    from optbench.analysis.leaderboard import plain

    return {
        **(plain(study.leaderboard) if files else {"format": 2, "boards": []}),
        "suite": study.suite,
        "complete": study.complete,
        "trained": study.trained,
        "reused": study.reused,
        "failed": len(study.failed),
        "left_out": list(study.left_out),
        "files": [str(path) for path in files],
    }
