"""Boards as text: titles, captions, values, differences, and what open pairs need."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.analysis.board_records import Board, BoardPair, BoardRow, Needs, Statement
from optbench.analysis.board_rows import Number, WorkloadBoard
from optbench.analysis.words.prose import IN_REGIME, UNKNOWN
from optbench.records import ALPHA, MAX_REPLICATES, BoardName, Regime
from optbench.support.durations import duration_text
from optbench.support.text import count

TITLES: dict[BoardName, str] = {
    "final-loss": "Final loss",
    "training-loss": "Training loss",
    "speed": "Speed",
    "stability": "Stability",
}
SHORT_TITLES: dict[BoardName, str] = {
    "final-loss": "final",
    "training-loss": "training",
    "speed": "speed",
    "stability": "stability",
}
"""Titles of narrow columns."""
CAPTIONS: dict[BoardName, str] = {
    "final-loss": "test loss at {point}, from guessing (0) to {best} (1)",
    "training-loss": "training loss at the end of the run, from guessing (0) to {best} (1)",
    "speed": "examples until the target loss is reached, in percent of the budget; a run that "
    "misses the target counts as 200%",
    "stability": "1 minus the share of lost runs minus the regret of an average trial of the "
    "search",
}
BEST_KNOWN = "the best known loss"
POINTS = {"best_val_loss": "the best validation loss of the run"}
"""Selection rule -> where the test loss is read; all others read it at the end."""


def caption(name: BoardName, select: str = "best_val_loss", best: str = BEST_KNOWN) -> str:
    """Return what a board's values are.

    Args:
        name: Name of the board.
        select: Selection rule of the protocol, which decides where the test loss is read.
        best: The loss with score 1, as `best_loss_text` names it.
    """
    return CAPTIONS[name].format(point=POINTS.get(select, "the end of the run"), best=best)


def best_loss_text(workloads: Sequence[WorkloadBoard]) -> str:
    """Return the name of the loss that has score 1: whether it was frozen before the study.

    Args:
        workloads: Workloads of the study.
    """
    frozen = [workload.target_frozen for workload in workloads]
    if all(frozen):
        return f"the frozen {BEST_KNOWN.removeprefix('the ')}"
    if not any(frozen):
        return "the lowest median loss of an optimizer in this study"
    return f"{BEST_KNOWN}, which is frozen for {sum(frozen)} of {len(frozen)} workloads"


def statement_title(boards: Sequence[Board]) -> str:
    """Return the heading of boards that share a statement.

    Args:
        boards: At least one board.
    """
    board = boards[0]
    n = max((row.workloads for each in boards for row in each.rows), default=0)
    text = workloads_text(board.statement, board.regime, n)
    return text[:1].upper() + text[1:]


def workloads_text(statement: Statement, regime: Regime | None, workloads: int) -> str:
    """Return which workloads a board is about, such as ``on these 3 workloads in full batch``."""
    if statement == "workloads-like-these":
        return "on workloads like these"
    number = "this workload" if workloads == 1 else f"these {count(workloads, 'workload')}"
    return f"on {number}" + (f" in {IN_REGIME[regime]}" if regime else "")


def level_text(level: float) -> str:
    """Return the level of an interval in percent.

    Example:
        >>> level_text(0.95), level_text(1 - 0.0081)
        ('95%', '99.2%')
    """
    return f"{100 * level:.1f}".removesuffix(".0") + "%"


def interval_level(board: Board) -> str:
    """Return the level of a board's intervals in percent: that of its last look."""
    return level_text(1 - (board.looks[-1].level if board.looks else ALPHA))


def value_text(name: BoardName, value: Number) -> str:
    """Return a value: a score, or the share of the budget on the speed board, within limits.

    Example:
        >>> value_text("final-loss", 0.876), value_text("speed", 3.0), value_text("speed", 12.0)
        ('0.88', '12%', 'under 0.1%')
    """
    if value is None:
        return UNKNOWN
    if name != "speed":
        return f"{value:.2f}"
    share = 100 * 2.0**-value
    if not 0.05 <= share <= 1000:
        return "under 0.1%" if share < 1 else "over 1,000%"
    return f"{share:.0f}%" if share >= 9.95 else f"{share:.1f}%"


def interval_text(name: BoardName, row: BoardRow) -> str:
    """Return a value with its interval in ascending order, or only the value.

    Example:
        >>> row = BoardRow(label="a", value=2, low=1, high=3, place=(1, 1), workloads=1)
        >>> interval_text("speed", row)
        '25% [12%, 50%]'
    """
    text = value_text(name, row.value)
    if row.low is None or row.high is None:
        return text
    low, high = (row.high, row.low) if name == "speed" else (row.low, row.high)
    return f"{text} [{value_text(name, low)}, {value_text(name, high)}]"


def ratio_text(difference: float) -> str:
    """Return a difference on the speed board as a ratio of examples, such as ``1.8x``."""
    ratio = 2.0**difference
    if not 0.005 <= ratio < 999.5:
        return "below 0.01x" if ratio < 1 else "above 1000x"
    return (
        f"{ratio:.2f}x" if ratio < 0.995 else f"{ratio:.1f}x" if ratio < 9.95 else f"{ratio:.0f}x"
    )


def difference_text(name: BoardName, difference: Number) -> str:
    """Return the difference of two values: a number with its sign, or a ratio for speed.

    Example:
        >>> difference_text("final-loss", 0.04), difference_text("speed", 1.0)
        ('+0.040', '2.0x sooner')
    """
    if difference is None:
        return UNKNOWN
    if name != "speed":
        return f"{difference:+.3f}"
    if ratio_text(abs(difference)) == "1.0x":
        return "as fast"
    later = difference < 0
    return f"{ratio_text(abs(difference))} {'later' if later else 'sooner'}"


def pair_difference(board: Board, pair: BoardPair, difference: Number) -> str:
    """Return the difference of a pair in words, as far as runs that missed the target allow.

    A miss counts as a fixed cost, so a factor is a lower bound if the slower one missed the target
    in some runs. It is no measurement, and left out, if the faster one did.

    Args:
        board: The board of the pair.
        pair: A pair.
        difference: Its difference, or that difference as the other side sees it.

    Returns:
        Text such as ``at least 4.2x sooner``; empty if it is left out.
    """
    if not pair.difference:
        return difference_text(board.name, difference)
    solved = {row.label: row.details.get("solved") for row in board.rows}
    faster, slower = pair.first, pair.second
    if pair.difference < 0:
        faster, slower = slower, faster
    return bounded_difference(board.name, difference, solved.get(faster), solved.get(slower))


def bounded_difference(name: BoardName, difference: Number, faster: Number, slower: Number) -> str:
    """Return a difference in words, as far as runs that missed the target allow.

    Args:
        name: Name of the board.
        difference: Difference of two values.
        faster: Share of runs of the side with the higher value that reached the target; None if
            unknown.
        slower: Share of runs of the other side, likewise.

    Example:
        >>> bounded_difference("speed", 1.0, 1.0, 0.9), bounded_difference("speed", 1.0, 0.9, 1.0)
        ('at least 2.0x sooner', '')
    """
    text = difference_text(name, difference)
    if name != "speed" or not difference:
        return text
    if faster is not None and faster < 1:
        return ""
    return f"at least {text}" if slower is not None and slower < 1 else text


def difference_interval(name: BoardName, low: Number, high: Number) -> str:
    """Return the interval of a difference, or a dash if there is none.

    Example:
        >>> difference_interval("final-loss", -0.01, 0.02), difference_interval("speed", 0, 1)
        ('-0.010 to +0.020', '1.00x to 2.00x')
    """
    if low is None or high is None:
        return UNKNOWN
    if name != "speed":
        return f"{low:+.3f} to {high:+.3f}"
    least, most = 2.0**low, 2.0**high
    if least >= 0.005 and most < 9.95 and least < 1.05:
        return f"{least:.2f}x to {most:.2f}x"
    return f"{ratio_text(low)} to {ratio_text(high)}"


def evidence_texts(board: Board, pair: BoardPair) -> tuple[str, str, str, str, str]:
    """Return a pair's difference, its interval, p, p of equality, and what would decide it."""
    return (
        pair_difference(board, pair, pair.difference) or UNKNOWN,
        difference_interval(board.name, pair.low, pair.high),
        p_text(pair.p_adjusted),
        p_text(pair.p_equal),
        needs_text(pair.needs, board.unit),
    )


def region_text(board: Board) -> str:
    """Return the region of practical equivalence of a board in words."""
    return width_text(board.name, board.region)


def width_text(name: BoardName, width: float) -> str:
    """Return a region of practical equivalence in words.

    Args:
        name: Name of the board.
        width: Half width of the region, in the units of the board's values.

    Example:
        >>> width_text("final-loss", 0.03), width_text("speed", 0.1375035)
        ('within 0.03', 'within 10%')
    """
    if name == "speed":
        return f"within {100 * (2.0**width - 1):.3g}%"
    return f"within {width:g}"


def p_text(p: Number) -> str:
    """Return a p-value, such as ``0.021`` or ``< 0.001``."""
    if p is None:
        return UNKNOWN
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def needs_text(needs: Needs | None, unit: str = "workload") -> str:
    """Return what would decide an open pair.

    Args:
        needs: What it needs; None for a decided pair.
        unit: What `needs.workloads` counts, the unit of the board.

    Example:
        >>> needs_text(Needs(replicates=14, seconds=50.0))
        '14 replicates, about 50s more'
    """
    if needs is None:
        return ""
    parts = []
    if needs.replicates is not None:
        parts.append(count(needs.replicates, "replicate"))
    if needs.workloads is not None:
        parts.append(count(needs.workloads, unit))
    if not parts:
        return f"more than {count(MAX_REPLICATES, unit)}"
    if needs.seconds is not None:
        parts.append(f"about {duration_text(needs.seconds)} more")
    return ", ".join(parts)
