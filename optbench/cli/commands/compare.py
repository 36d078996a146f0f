"""``optbench compare``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optbench.cli.options import Place, json_option, region_option
from optbench.cli.output import print_json, print_table, remark, say_prose
from optbench.cli.study_output import DEFAULT_OUT
from optbench.errors import ConfigError
from optbench.records import BOARD_NAMES

if TYPE_CHECKING:
    from optbench.study.comparing import BoardComparison, StudyComparison

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
    help="The study, if A and B are two of its optimizers.",
)
@click.option(
    "--fail-if-worse",
    is_flag=True,
    help="Exit with code 4 if B is worse than A on a board of --on.",
)
@click.option(
    "--on",
    "boards",
    type=click.Choice(BOARD_NAMES),
    multiple=True,
    default=("final-loss",),
    show_default=True,
    help="A board that --fail-if-worse looks at. Repeatable.",
)
@region_option
@json_option
def command(
    first: str,
    second: str,
    folder: Path,
    fail_if_worse: bool,
    boards: Sequence[str],
    regions: Sequence[tuple[str, str]],
    as_json: bool,
) -> int:
    """Compare B with A: the folders of two studies, or two optimizers of one study.

    Two studies are compared on the optimizers and workloads that they have in common, on every
    board: final loss, training loss, speed and stability. B is better or worse if the difference is
    surely not 0; equal if it lies surely within the region of practical equivalence; otherwise
    open, with the number of replicates that would decide it. The probability of any
    wrong 'better' or 'worse' on a board is at most 5%, and so is that of any wrong 'equal'. For two
    optimizers of one study, this holds if they were chosen before its results were seen; its boards
    correct for all pairs. With one replicate, nothing is decided. Without --region, the regions are
    those of the study A.

    Exit codes: 0 done; 1 no study in a folder, or, with --fail-if-worse, something cannot be judged
    or is missing from B; 4 worse, with --fail-if-worse. An optimizer that does no better than
    guessing has no stability: if only B does not, stability cannot be judged, and the final loss is
    worse; if A does not, B is not worse.

    \b
    Examples:
      optbench compare before after --fail-if-worse --on final-loss --on speed
      optbench compare adam sgd --in optbench-results
    """
    from optbench.study import STORE_NAME, load_study
    from optbench.study.comparing import compare_entrants, compare_studies
    from optbench.support.text import count, join_names

    if _are_folders(first, second):
        sides = load_study(Path(first)), load_study(Path(second))
        comparison = compare_studies(*sides, regions=dict(regions))
    else:
        if not (folder / STORE_NAME).is_file():
            raise ConfigError(
                f"there are no folders '{first}' and '{second}', and no study in {folder} of which "
                "they could be optimizers"
            )
        comparison = compare_entrants(load_study(folder), first, second, regions=dict(regions))
    for warning in comparison.warnings:
        remark(f"warning: {warning}")
    if as_json:
        rows = [asdict(row) for row in comparison.rows]
        told = {"level": comparison.level, "missing": comparison.missing, "comparisons": rows}
        print_json({"a": first, "b": second, **told})
    else:
        _print_comparison(comparison)
        if all(row.replicates < 2 for row in comparison.rows):
            remark("one replicate: nothing shows how much a repetition would change the results")
    worse = comparison.worse(boards)
    if worse and fail_if_worse:
        remark(f"B is worse: {', '.join(worse)}")
        return EXIT_WORSE
    if fail_if_worse:
        if untested := [*comparison.missing, *comparison.untested(boards)]:
            cure = _cure(comparison, boards)
            raise ConfigError(f"cannot be judged: {', '.join(untested)}; {cure}")
        optimizers = count(len(comparison.rows), "optimizer")
        remark(f"B is not shown to be worse: {optimizers}, {join_names(boards)}")
    return 0


def _cure(comparison: StudyComparison, boards: Sequence[str]) -> str:
    if comparison.missing:
        return "B lacks optimizers or workloads of A; run both sides with the same ones"
    if any(row.replicates < 2 for row in comparison.rows):
        return "there is only one replicate, so run both sides with --replicates 6"
    if idle := comparison.idle(boards):
        return (
            f"{' and '.join(idle)} in B does no better than guessing, so it has no stability; "
            "--on final-loss judges that"
        )
    return f"{' and '.join(BOARD_NAMES)} need results of both sides on a common workload"


def _are_folders(first: str, second: str) -> bool:
    """Return whether A and B are folders.

    Raises:
        ConfigError: One of them is a folder, or looks like one, and the other one is missing.
    """
    exists = [Path(name).is_dir() for name in (first, second)]
    if any(exists) or any("/" in name and "[" not in name for name in (first, second)):
        for name, is_there in zip((first, second), exists, strict=True):
            if not is_there:
                raise ConfigError(f"there is no folder '{name}'; give the folders of two studies")
    return all(exists)


def _print_comparison(comparison: StudyComparison) -> None:
    """Print a row for each board; in a terminal, a table for each optimizer, in 80 columns."""
    from optbench.analysis.words.board_text import level_text, width_text

    interval, p = f"{level_text(comparison.level)} interval", "p, corrected"
    if not sys.stdout.isatty():
        print_table(
            ("optimizer", "board", "B - A", interval, p, "region", "B is", "to decide"),
            [
                (row.optimizer, *texts[:4], width_text(board.board, board.region), *texts[4:])
                for row in comparison.rows
                for board in row.boards
                for texts in [_columns(board)]
            ],
        )
        return
    for row in comparison.rows:
        heads = ("board", "B - A", interval, "p", "B is", "to decide")
        print_table(heads, [_columns(board) for board in row.boards], title=row.optimizer)
    regions = {b.board: width_text(b.board, b.region) for r in comparison.rows for b in r.boards}
    said = ", ".join(f"{board} {region}" for board, region in regions.items())
    say_prose(f"p: corrected for all optimizers. Regions of practical equivalence: {said}.")


def _verdict(board: BoardComparison) -> str:
    if board.idle:
        return f"no better than guessing: {' and '.join(board.idle)}"
    return "nothing to compare" if board.at_floor else board.verdict


def _columns(board: BoardComparison) -> tuple[str, ...]:
    """Return board, difference, interval, p, verdict, and what would decide it."""
    from optbench.analysis.words.board_text import bounded_difference
    from optbench.analysis.words.prose import UNKNOWN
    from optbench.support.text import count

    return (
        board.board,
        bounded_difference(board.board, board.difference, *board.solved_by_faster_first) or UNKNOWN,
        _interval(board),
        UNKNOWN if board.p_adjusted is None else f"{board.p_adjusted:.2g}",
        _verdict(board),
        "" if board.needs is None else count(board.needs, "replicate"),
    )


def _interval(board: BoardComparison) -> str:
    """Return the interval of a difference; that of a ratio says that it is how much sooner."""
    from optbench.analysis.words.board_text import difference_interval

    text = difference_interval(board.board, board.low, board.high)
    return text if board.board != "speed" or board.low is None else f"{text} sooner"
