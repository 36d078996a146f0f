"""Sentences about the boards. They say what the tables of pairs say, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.analysis.board_records import Board, BoardName, BoardPair, Needs
from optbench.analysis.words.prose import IN_REGIME, count, join_names

TITLES: dict[BoardName, str] = {
    "final-loss": "final loss",
    "training-loss": "training loss",
    "speed": "speed",
    "stability": "stability",
}


def board_sentence(board: Board) -> str:
    """Return one sentence on a whole board: who may be the best, and what is decided.

    Returns:
        Text such as ``final loss on these 9 workloads (6 replicates): adam may be the best; ...``.
    """
    if len(board.rows) < 2:
        return f"{_scope(board)}: there is no other entrant to compare with"
    if not any(pair.p is not None for pair in board.pairs):
        return f"{_scope(board)}: no verdicts"
    return f"{_scope(board)}: {_best(board)}; {_decided(board)}"


def entrant_sentence(board: Board, label: str) -> str:
    """Return one sentence on an entrant of a board: its places, and its pairs.

    Returns:
        Text such as ``speed: place 1 of 3; better than sgd (2.0x); open against adam``.
    """
    row = next(row for row in board.rows if row.label == label)
    first, last = row.place
    place = f"place {first}" if first == last else f"places {first} to {last}"
    own = [pair for pair in board.pairs if label in (pair.first, pair.second)]
    better = [p for p in own if p.verdict == "better" and p.first == label]
    worse = [p for p in own if p.verdict == "better" and p.second == label]
    parts = [f"{TITLES[board.name]}: {place} of {len(board.rows)}"]
    parts += [f"better than {_names(board, better, label)}"] if better else []
    parts += [f"behind {_names(board, worse, label)}"] if worse else []
    equal = [_other(p, label) for p in own if p.verdict == "equal"]
    remaining = [_other(p, label) for p in own if p.verdict == "open"]
    parts += [f"equal to {join_names(equal)} ({region_text(board)})"] if equal else []
    parts += [f"open against {join_names(remaining)}"] if remaining else []
    return "; ".join(parts)


def region_text(board: Board) -> str:
    """Return the region of practical equivalence in words."""
    if board.name == "speed":
        return f"within {2**board.region - 1:.0%} of the time"
    if board.name == "stability":
        return f"within {100 * board.region:.0f} points"
    return f"within {board.region:g}"


def difference_text(board: Board, pair: BoardPair) -> str:
    """Return the difference of a pair: a ratio of times on the speed board."""
    if pair.difference is None:
        return "unknown"
    return f"{2**pair.difference:.1f}x" if board.name == "speed" else f"{pair.difference:+.3f}"


def _scope(board: Board) -> str:
    name = TITLES[board.name]
    if board.statement == "workloads-like-these":
        return f"{name} on workloads like these ({count(board.units, board.unit)})"
    regime = f" in {IN_REGIME[board.regime]}" if board.regime else ""
    return (
        f"{name} on these {count(board.workloads, 'workload')}{regime} "
        f"({count(board.units, board.unit)})"
    )


def _best(board: Board) -> str:
    names = [row.label for row in board.rows if row.may_be_best]
    if len(names) == 1:
        return f"{names[0]} is the best"
    if len(names) == len(board.rows) > 2:
        return f"any of the {len(names)} may be the best"
    return f"{join_names(names, most=6)} may be the best"


def _decided(board: Board) -> str:
    verdicts = [pair.verdict for pair in board.pairs]
    better, equal = verdicts.count("better"), verdicts.count("equal")
    parts = [f"{better} better"] if better else []
    parts += [f"{equal} equal ({region_text(board)})"] if equal else []
    text = f"of {count(len(verdicts), 'pair')}, {join_names(parts) or 'none is decided'}"
    text = text if parts else f"none of {count(len(verdicts), 'pair')} is decided"
    remaining = [pair for pair in board.pairs if pair.verdict == "open"]
    if not remaining:
        return text
    needs = [p.needs for p in remaining if p.needs is not None and _units(p.needs) is not None]
    text += f"; {len(remaining)} open" if parts else ""
    if not needs:
        return f"{text}, and no number of further {board.unit}s that is known would decide"
    least = min(needs, key=lambda need: _units(need) or 0)
    seconds = "" if least.seconds is None else f" ({duration_text(least.seconds)} of training)"
    return f"{text}, the nearest with {_units(least)} {board.unit}s in all{seconds}"


def _units(needs: Needs) -> int | None:
    return needs.replicates if needs.replicates is not None else needs.workloads


def duration_text(seconds: float) -> str:
    """Return a duration as it is written everywhere: 90s, 10m, 2h.

    Example:
        >>> duration_text(42.4), duration_text(600), duration_text(7300)
        ('42s', '10m', '2h')
    """
    if seconds < 99.5:
        return f"{max(seconds, 1):.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 99.5 * 60 else f"{seconds / 3600:.0f}h"


def _names(board: Board, pairs: Sequence[BoardPair], label: str) -> str:
    return join_names([f"{_other(p, label)} ({difference_text(board, p)})" for p in pairs])


def _other(pair: BoardPair, label: str) -> str:
    return pair.second if pair.first == label else pair.first
