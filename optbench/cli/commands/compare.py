"""``optbench compare``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optbench.cli.options import Place, json_option
from optbench.cli.output import print_json, print_table, remark
from optbench.cli.study_output import DEFAULT_OUT

if TYPE_CHECKING:
    from optbench.study.comparing import BoardComparison, Comparison

EXIT_WORSE = 4
"""Exit code of a comparison that was made, and says that B is worse."""


@click.command("compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--in",
    "folder",
    type=Place(),
    default=DEFAULT_OUT,
    show_default=True,
    help="The study, when A and B are two of its optimizers.",
)
@click.option(
    "--fail-if-worse", is_flag=True, help="Exit with 4 when B is worse than A on a board of --on."
)
@click.option(
    "--on",
    "boards",
    type=click.Choice(["final-loss", "training-loss", "speed", "stability"]),
    multiple=True,
    default=("final-loss",),
    show_default=True,
    help="A board that --fail-if-worse looks at; may be repeated.",
)
@json_option
def command(
    first: str,
    second: str,
    folder: Path,
    fail_if_worse: bool,
    boards: Sequence[str],
    as_json: bool,
) -> int:
    """Compare B with A: the folders of two studies, or two optimizers of one study.

    Two studies are compared on the optimizers and workloads that they have in common, on every
    board: final loss, training loss, speed and stability. B is better or worse if the difference is
    surely not 0; equal if it lies surely within the region of practical equivalence; otherwise
    open, with the number of replicates that would decide it. On each board, all optimizers
    together are judged wrongly in at most 5% of comparisons. With one replicate, nothing is
    decided.

    Exit codes: 0 done; 1 broken, such as a folder without a study; 4 worse, with --fail-if-worse.

    \b
    Examples:
      optbench compare before after --fail-if-worse --on final-loss --on speed
      optbench compare adam sgd --in optbench-results
    """
    from optbench.study import load_study
    from optbench.study.comparing import compare_entrants, compare_studies

    if _are_folders(first, second):
        comparison = compare_studies(load_study(Path(first)), load_study(Path(second)))
    else:
        comparison = compare_entrants(load_study(folder), first, second)
    for warning in comparison.warnings:
        remark(f"warning: {warning}")
    if as_json:
        rows = [asdict(row) for row in comparison.rows]
        print_json({"a": first, "b": second, "comparisons": rows})
    else:
        print_table(
            ("optimizer", "board", "B - A", "95% interval", "p, corrected", "B is"),
            [_columns(row, board) for row in comparison.rows for board in row.boards],
        )
        if all(row.replicates < 2 for row in comparison.rows):
            remark("one replicate: nothing shows how far a repetition would change the results")
    worse = comparison.worse(boards)
    if worse and fail_if_worse:
        remark(f"B is worse: {', '.join(worse)}")
        return EXIT_WORSE
    return 0


def _are_folders(first: str, second: str) -> bool:
    """Return whether A and B are folders.

    Raises:
        ConfigError: One of them is a folder, or looks like one, and the other one is missing.
    """
    from optbench.errors import ConfigError

    exists = [Path(name).is_dir() for name in (first, second)]
    if any(exists) or any("/" in name and "[" not in name for name in (first, second)):
        for name, is_there in zip((first, second), exists, strict=True):
            if not is_there:
                raise ConfigError(f"there is no folder '{name}'; give the folders of two studies")
    return all(exists)


def _columns(row: Comparison, board: BoardComparison) -> tuple[str, ...]:
    known = board.low is not None and board.high is not None
    verdict: str = board.verdict
    if board.needs is not None:
        verdict += f" ({board.needs} replicates would decide)"
    return (
        row.optimizer,
        board.board,
        "not known" if board.difference is None else f"{board.difference:+.3f}",
        f"{board.low:+.3f} to {board.high:+.3f}" if known else "not known",
        "not known" if board.p_adjusted is None else f"{board.p_adjusted:.2g}",
        verdict,
    )
