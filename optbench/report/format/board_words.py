"""One sentence for each board: who leads, who is equal, what is open and what would decide it."""

from __future__ import annotations

from collections.abc import Sequence

from optbench.analysis.board_records import (
    BOARD_NAMES,
    Board,
    BoardName,
    BoardPair,
    BoardRow,
    Needs,
)
from optbench.analysis.words.prose import count, join_names
from optbench.records import Regime
from optbench.report.format.board_layout import board_regimes, select_boards
from optbench.report.format.board_text import (
    difference_text,
    needs_text,
    region_text,
)
from optbench.report.format.numbers import UNKNOWN

LEADS: dict[BoardName, tuple[str, str]] = {
    "final-loss": ("ends lowest", "end lowest"),
    "training-loss": ("trains lowest", "train lowest"),
    "speed": ("is fastest", "be fastest"),
    "stability": ("is most stable", "be most stable"),
}
"""What the best entrant of a board does, and may do."""
MOST_CANDIDATES = 4
"""Names of entrants that may be the best; more are counted."""
MOST_GROUPS = 2
"""Groups of equal entrants that a sentence names."""


def verdict_counts(board: Board) -> dict[str, int]:
    """Return the number of pairs for each verdict: better, equal and open."""
    verdicts = [pair.verdict for pair in board.pairs]
    return {verdict: verdicts.count(verdict) for verdict in ("better", "equal", "open")}


def has_verdicts(board: Board) -> bool:
    """Return whether the board has intervals, which need more than one replicate."""
    return any(pair.low is not None for pair in board.pairs)


def place_text(board: Board, row: BoardRow) -> str:
    """Return ``1`` or ``1–3``; a dash where there are no verdicts."""
    if not has_verdicts(board):
        return UNKNOWN
    first, last = row.place
    return str(first) if first == last else f"{first}–{last}"


def equal_groups(board: Board) -> list[tuple[int, int]]:
    """Return the runs of neighbouring rows that are pairwise equal, as first and last index.

    Groups that lie inside another one are left out. Two groups may overlap.
    """
    equal = {frozenset((p.first, p.second)) for p in board.pairs if p.verdict == "equal"}
    labels = [row.label for row in board.rows]
    groups: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(labels)):
        while any(frozenset((labels[i], labels[end])) not in equal for i in range(start, end)):
            start += 1
        if end > start:
            if groups and groups[-1][0] == start:
                groups.pop()
            groups.append((start, end))
    return groups


def assign_lanes(groups: Sequence[tuple[int, int]]) -> list[int]:
    """Return a lane for each group, such that groups in one lane do not overlap."""
    ends: list[int] = []
    lanes = []
    for first, last in groups:
        free = next((lane for lane, end in enumerate(ends) if end < first), len(ends))
        ends[free:] = [last] if free == len(ends) else [last, *ends[free + 1 :]]
        lanes.append(free)
    return lanes


def boards_by_regime(boards: Sequence[Board]) -> list[tuple[Regime, list[Board | None]]]:
    """Return each regime that has verdicts, with its boards in the order of `BOARD_NAMES`."""
    rows: list[tuple[Regime, list[Board | None]]] = []
    for regime in board_regimes(filter(has_verdicts, boards)):
        by_name = {board.name: board for board in select_boards(boards, regime=regime)}
        rows.append((regime, [by_name.get(name) for name in BOARD_NAMES]))
    return rows


def board_sentence(board: Board) -> str:
    """Return one or two sentences that follow from the board's pairs, without its title."""
    if len(board.rows) < 2:
        return "There is no other optimizer to compare with."
    if not has_verdicts(board):
        return board.note or "No verdicts: there is only one replicate."
    parts = [_lead(board), _equals(board), _open(board)]
    return ". ".join(part for part in parts if part) + "."


def _lead(board: Board) -> str:
    first, second = board.rows[0], board.rows[1]
    verb, may = LEADS[board.name]
    beaten = [p for p in board.pairs if p.first == first.label and p.verdict == "better"]
    if len(beaten) == len(board.rows) - 1:
        pair = next(p for p in beaten if p.second == second.label)
        return f"{first.label} {verb}{_by(board.name, pair)}"
    names = [row.label for row in board.rows if row.may_be_best]
    if len(names) == 1:
        return f"{names[0]} {verb}"
    if len(names) <= MOST_CANDIDATES:
        return f"{', '.join(names[:-1])} or {names[-1]} {verb}"
    if len(names) == len(board.rows):
        return f"Any of the {len(names)} may {may}"
    return f"{len(names)} of {len(board.rows)} may {may}"


def _by(name: BoardName, pair: BoardPair) -> str:
    """Say by how much an entrant leads the next one."""
    return (
        f", {difference_text(name, pair.difference)} than {pair.second}" if name == "speed" else ""
    )


def _equals(board: Board) -> str:
    labels = [row.label for row in board.rows]
    groups = equal_groups(board)
    if not groups:
        return ""
    if groups == [(0, len(labels) - 1)]:
        return f"All {len(labels)} are equal {region_text(board)}"
    names = [join_names(labels[first : last + 1]) for first, last in groups[:MOST_GROUPS]]
    more = f", and {len(groups) - MOST_GROUPS} more groups" if len(groups) > MOST_GROUPS else ""
    return f"Equal {region_text(board)}: {'; '.join(names)}{more}"


def _open(board: Board) -> str:
    pairs = [pair for pair in board.pairs if pair.verdict == "open"]
    if not pairs:
        return ""
    text = f"Open: {len(pairs)} of {count(len(board.pairs), 'pair')}"
    plannable = [pair for pair in pairs if pair.needs and _is_known(pair.needs)]
    if not plannable:
        return text
    which = "" if len(plannable) == len(pairs) else f" {len(plannable)} of them"
    return f"{text}; to decide{which}: {needs_text(joint_needs(plannable), board.unit)}"


def _is_known(needs: Needs) -> bool:
    return needs.replicates is not None or needs.workloads is not None


def joint_needs(pairs: Sequence[BoardPair]) -> Needs:
    """Return what decides all of these pairs together.

    Every entrant of them needs as many units as the most demanding pair. The time of a pair is
    that of two entrants.
    """
    needs = [pair.needs for pair in pairs if pair.needs]
    entrants = {label for pair in pairs for label in (pair.first, pair.second)}
    seconds = [n.seconds for n in needs if n.seconds is not None]
    return Needs(
        replicates=max((n.replicates for n in needs if n.replicates is not None), default=None),
        workloads=max((n.workloads for n in needs if n.workloads is not None), default=None),
        seconds=max(seconds) * len(entrants) / 2 if seconds else None,
    )


def verdict_matrix(board: Board) -> list[str]:
    """Return one character for each pair of rows: ``>``, ``<``, ``=``, ``.``, or a blank.

    Row i, column j says how entrant i compares with entrant j, in the order of the board's rows.
    """
    index = {row.label: i for i, row in enumerate(board.rows)}
    cells = [[" "] * len(index) for _ in index]
    marks = {"better": (">", "<"), "equal": ("=", "="), "open": (".", ".")}
    for pair in board.pairs:
        i, j = index[pair.first], index[pair.second]
        cells[i][j], cells[j][i] = marks[pair.verdict]
    return ["".join(row) for row in cells]
