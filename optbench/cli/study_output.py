"""What several study commands share: writing the report and showing its result."""

from __future__ import annotations

import gc
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.output import remark

if TYPE_CHECKING:
    from optbench.analysis.leaderboard import Leaderboard
    from optbench.study import Study

_log = logging.getLogger(__name__)

DEFAULT_OUT = "optbench-results"
"""Where a study goes when nobody says otherwise."""


class Recorded(click.Command):
    """A command that remembers its arguments as they were typed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does."""
        ctx.meta["optbench.args"] = tuple(args)
        return super().parse_args(ctx, args)


def typed_command() -> str:
    """The command line as it was typed, fit for a shell."""
    import shlex

    ctx = click.get_current_context()
    return shlex.join(["optbench", *(ctx.info_name or "").split(), *ctx.meta["optbench.args"]])


def write_report(
    study: Study, out: Path, command: str, formats: Sequence[str]
) -> tuple[Leaderboard | None, list[Path]]:
    """Build the leaderboard and write every file of the study's folder.

    Returns:
        The leaderboard and the files; None and no file when no evaluation run has finished.
    """
    if not any(cell.evaluation for cell in study.cells):
        return None, []
    from optbench.registry import default_registry
    from optbench.report import write_all
    from optbench.suites import known_targets
    from optbench.support.files import alone_in, write_text

    _log.info("comparing")
    gc.freeze()  # nothing so far is garbage: with 100,000 runs each look for some takes a second
    try:
        board = study.leaderboard(known_targets(default_registry()))
        files = write_all(
            board,
            study.cells,
            out,
            environment=study.environment,
            command=command,
            formats=formats,
        )
    finally:
        gc.unfreeze()
    environment = {**study.environment, "command": command}
    target = out / "environment.json"
    with alone_in(out):
        write_text(target, json.dumps(environment, indent=2) + "\n")
    return board, [*files, target]


def show_board(board: Leaderboard, study: Study) -> None:
    """Print the leaderboard to stdout: a table in a terminal, plain text in a pipe."""
    from rich.console import Console

    from optbench.report.terminal.leaderboard_table import leaderboard_table

    console = Console() if sys.stdout.isatty() else Console(width=120, no_color=True)
    console.print(leaderboard_table(board, study.cells))


def show_failures(study: Study, limit: int = 5) -> None:
    """Name the runs that failed for a cause other than divergence, each cause once."""
    causes: dict[str, list[str]] = {}
    for run in study.failed:
        causes.setdefault(f"{run.spec.optimizer}: {run.reason}", []).append(run.key)
    for text, keys in list(causes.items())[:limit]:
        more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        remark(f"failed: run {keys[0][:8]}{more}: {text}")
    if len(causes) > limit:
        remark(f"and {len(causes) - limit} other causes")


def summary_json(study: Study, board: Leaderboard | None, files: Sequence[Path]) -> dict[str, Any]:
    """What ``--json`` prints: the study, who came where, and the files."""
    from optbench.analysis.leaderboard import plain

    return {
        "suite": study.suite,
        "complete": study.complete,
        "trained": study.trained,
        "reused": study.reused,
        "failed": len(study.failed),
        "left_out": list(study.left_out),
        "leaderboard": plain(board) if board is not None else None,
        "files": [str(path) for path in files],
    }
