"""Boards as text: titles, captions, values, differences, and what open pairs need."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.analysis.board_records import Board, BoardName, BoardPair, BoardRow, Needs
from optbench.analysis.board_rows import Number
from optbench.analysis.words.prose import IN_REGIME, count
from optbench.report.format.numbers import UNKNOWN

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
    "final-loss": "test loss at {point}, from guessing (0) to the best known loss (1)",
    "training-loss": "training loss at the end of the run, from guessing (0) to the best known "
    "loss (1)",
    "speed": "examples until the target loss is reached, in percent of the budget; a run that "
    "misses the target counts as 200%",
    "stability": "1 minus the share of lost runs minus the regret of an untuned trial",
}
POINTS = {"best_val_loss": "the best validation loss of the run"}
"""Selection rule -> where the test loss is read; all others read it at the end."""


def caption(name: BoardName, select: str = "best_val_loss") -> str:
    """Return what a board's values are.

    Args:
        name: Name of the board.
        select: Selection rule of the protocol, which decides where the test loss is read.
    """
    return CAPTIONS[name].format(point=POINTS.get(select, "the end of the run"))


def statement_title(boards: Sequence[Board]) -> str:
    """Return the heading of boards that share a statement.

    Args:
        boards: At least one board.
    """
    board = boards[0]
    if board.statement == "workloads-like-these":
        return "On workloads like these"
    n = max((row.workloads for each in boards for row in each.rows), default=0)
    workloads = "this workload" if n == 1 else f"these {count(n, 'workload')}"
    return f"On {workloads}" + (f" in {IN_REGIME[board.regime]}" if board.regime else "")


def value_text(name: BoardName, value: Number) -> str:
    """Return a value: a score, or the share of the budget on the speed board.

    Example:
        >>> value_text("final-loss", 0.876), value_text("speed", 3.0)
        ('0.88', '12%')
    """
    if value is None:
        return UNKNOWN
    if name != "speed":
        return f"{value:.2f}"
    share = 100 * 2.0**-value
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
    later = difference < 0
    return f"{ratio_text(abs(difference))} {'later' if later else 'sooner'}"


def difference_interval(name: BoardName, pair: BoardPair) -> str:
    """Return the 95% interval of a pair's difference, or a dash if there is none."""
    if pair.low is None or pair.high is None:
        return UNKNOWN
    if name == "speed":
        return f"{ratio_text(pair.low)} to {ratio_text(pair.high)}"
    return f"{pair.low:+.3f} to {pair.high:+.3f}"


def evidence_texts(board: Board, pair: BoardPair) -> tuple[str, str, str, str, str]:
    """Return a pair's difference, its interval, p, p of equality, and what would decide it."""
    return (
        difference_text(board.name, pair.difference),
        difference_interval(board.name, pair),
        p_text(pair.p_adjusted),
        p_text(pair.p_equal),
        needs_text(pair.needs, board.unit),
    )


def region_text(board: Board) -> str:
    """Return the region of practical equivalence in words.

    Example:
        >>> region_text(Board(name="final-loss", statement="these-workloads", region=0.03,
        ...                   unit="", units=0, rows=(), pairs=()))
        'within 0.03'
    """
    if board.name == "speed":
        return f"within {100 * (2.0**board.region - 1):.0f}%"
    return f"within {board.region:g}"


def p_text(p: Number) -> str:
    """Return a p-value, such as ``0.021`` or ``< 0.001``."""
    if p is None:
        return UNKNOWN
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def duration_text(seconds: float) -> str:
    """Return a length of time with two significant digits at most, such as ``50 s`` or ``3 h``."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return (
                f"{seconds / size:.2g} {unit}" if seconds < 100 * size else "more than 100 " + unit
            )
    return f"{max(seconds, 1):.0f} s"


def needs_text(needs: Needs | None, unit: str = "workload") -> str:
    """Return what would decide an open pair.

    Args:
        needs: What it needs; None for a decided pair.
        unit: What `needs.workloads` counts, the unit of the board.

    Example:
        >>> needs_text(Needs(replicates=14, seconds=50.0))
        '14 replicates, about 50 s more'
    """
    if needs is None:
        return ""
    parts = []
    if needs.replicates is not None:
        parts.append(count(needs.replicates, "replicate"))
    if needs.workloads is not None:
        parts.append(count(needs.workloads, unit))
    if not parts:
        return "more than can be planned"
    if needs.seconds is not None:
        parts.append(f"about {duration_text(needs.seconds)} more")
    return ", ".join(parts)
