"""Sentences about the boards. They say what the tables of pairs say, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optbench.analysis.board_records import STATEMENTS, Board, BoardPair, Needs, select_boards
from optbench.analysis.words.board_text import (
    TITLES,
    needs_text,
    pair_difference,
    region_text,
    workloads_text,
)
from optbench.analysis.words.prose import looks_notes
from optbench.records import BoardName
from optbench.support.text import count, join_names

LEADS: dict[BoardName, tuple[str, str]] = {
    "final-loss": ("has the lowest test loss", "have the lowest test loss"),
    "training-loss": ("has the lowest training loss", "have the lowest training loss"),
    "speed": ("is fastest", "be fastest"),
    "stability": ("is most stable", "be most stable"),
}
"""What the best entrant of a board does, and may do."""
NOBODY: dict[BoardName, str] = {
    "final-loss": "No entrant does better than guessing",
    "training-loss": "No entrant does better than guessing",
    "speed": "No entrant reached the target",
    "stability": "Every run was lost",
}
"""What is said of a board on which no entrant has a value above the floor."""
AT_FLOOR: dict[BoardName, str] = {
    "final-loss": "No better than guessing",
    "training-loss": "No better than guessing",
    "speed": "Never reached the target",
    "stability": "Lost in every run",
}
"""What is said of the entrants without a value above the floor, if there are others."""
ONE_SIDED = " by one-sided tests (pairs are tested on both sides)"
"""Why only one entrant may be the best although a pair of it is open."""
MOST_CANDIDATES = 4
"""Names of entrants that may be the best; more are counted."""
MOST_NAMES = 6
"""Names in a list of a sentence about one entrant; more are counted."""
MOST_GROUPS = 2
"""Groups of equal entrants that a sentence names."""

MOST_OPEN = 2
"""Open pairs that a sentence names; more are counted."""


def has_verdicts(board: Board) -> bool:
    """Return whether the board has intervals, which need more than one replicate."""
    return any(pair.low is not None for pair in board.pairs)


def headline_boards(boards: Iterable[Board]) -> list[Board]:
    """Return the boards that a picture or a table of the whole study shows.

    These are the boards on these workloads, unless only those on workloads like these have
    verdicts, as in a study of drawn workloads with one replicate.

    Args:
        boards: All boards of a study.
    """
    every = list(boards)
    these, likes = (select_boards(every, statement) for statement in STATEMENTS)
    return likes if any(map(has_verdicts, likes)) and not any(map(has_verdicts, these)) else these


def has_nothing_to_compare(board: Board) -> bool:
    """Return whether all values are the lowest ones possible, or fewer than two are comparable."""
    known = [row for row in board.rows if row.value is not None]
    if len(known) < len(board.rows) and board.name == "stability":
        return len(known) < 2
    return bool(known) and all(row.is_at_floor(board.name) for row in known)


def equal_groups(board: Board) -> list[tuple[int, int]]:
    """Return the runs of neighboring rows that are pairwise equal, as first and last index.

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


def scope_sentence(board: Board) -> str:
    """Return the sentence on a board after its title, its workloads and its units.

    Returns:
        Text such as ``Speed on these 9 workloads (6 replicates): adam is fastest.``
    """
    on = workloads_text(board.statement, board.regime, board.workloads)
    scope = f"{TITLES[board.name]} {on} ({count(board.units, board.unit)})"
    is_answered = has_verdicts(board) or (has_nothing_to_compare(board) and len(board.rows) > 1)
    return f"{scope}: {board_sentence(board) if is_answered else 'no verdicts'}"


def entrant_sentence(board: Board, label: str) -> str:
    """Return one sentence on an entrant of a board: its places, and its pairs.

    Returns:
        Text such as ``Speed: place 1 of 3; better than sgd (2.0x sooner); open against adam``.
    """
    row = next(row for row in board.rows if row.label == label)
    if row.value is None:
        return f"{TITLES[board.name]}: not compared"
    known = {row.label for row in board.rows if row.value is not None}
    first, last = row.place
    place = f"place {first}" if first == last else f"places {first} to {last}"
    own = [p for p in board.pairs if label in (p.first, p.second) and {p.first, p.second} <= known]
    better = [p for p in own if p.verdict == "better" and p.first == label]
    worse = [p for p in own if p.verdict == "better" and p.second == label]
    parts = [f"{TITLES[board.name]}: {place} of {len(known)}"]
    parts += [f"better than {_with_differences(board, better, label)}"] if better else []
    parts += [f"behind {_with_differences(board, worse, label)}"] if worse else []
    equal = [p for p in own if p.verdict == "equal"]
    undecided = [p for p in own if p.verdict == "open"]
    parts += [f"equal to {_others(equal, label)} ({region_text(board)})"] if equal else []
    parts += [f"open against {_others(undecided, label)}"] if undecided else []
    return "; ".join(parts)


def board_sentence(board: Board) -> str:
    """Return one or two sentences that follow from the board's pairs, without its title."""
    if len(board.rows) < 2:
        return "There is no other optimizer to compare with."
    if has_nothing_to_compare(board):
        if any(row.value is None for row in board.rows):
            parts = ["Nothing to compare", _at_floor(board), *_not_compared(board)]
            return ". ".join(part for part in parts if part) + "."
        runs = sum(row.runs for row in board.rows) if board.name == "speed" else 0
        trying = f" in any of {count(runs, 'run')}" if runs else ""
        return f"{NOBODY[board.name]}{trying}: nothing to compare."
    if not has_verdicts(board):
        return board.note or "No verdicts: there is only one replicate."
    parts = [_lead(board), _equals(board), _open(board), _at_floor(board), *_not_compared(board)]
    return ". ".join(part for part in parts if part) + "."


def looks_sentence(boards: Sequence[Board]) -> str:
    """Return what error rate the verdicts of a growing study have; empty for a single look.

    Args:
        boards: Boards of one statement and regime.
    """
    looks = boards[0].looks
    return " ".join(looks_notes(looks)) if looks and any(map(has_verdicts, boards)) else ""


def baseline_sentence(board: Board) -> str:
    """Return one sentence on the comparisons with the baseline; empty without a baseline.

    Returns:
        Text such as ``Against adam: better: sgd (+0.050); equal within 0.03: momentum``.
    """
    baseline = board.baseline
    if baseline is None or not has_verdicts(board):
        return ""
    label, pairs = baseline.label, baseline.pairs
    better = [p for p in pairs if p.verdict == "better" and p.second == label]
    worse = [p for p in pairs if p.verdict == "better" and p.first == label]
    equal = [p for p in pairs if p.verdict == "equal"]
    undecided = [p for p in pairs if p.verdict == "open"]
    parts = [f"better: {_with_differences(board, better, label, -1)}"] if better else []
    parts += [f"worse: {_with_differences(board, worse, label, -1)}"] if worse else []
    parts += [f"equal {region_text(board)}: {_others(equal, label)}"] if equal else []
    needs = _to_decide(board, undecided)
    parts += [f"open: {_others(undecided, label)}{needs}"] if undecided else []
    return f"Against {label}: {'; '.join(parts) or 'there is no other optimizer'}."


def _with_differences(
    board: Board, pairs: Sequence[BoardPair], label: str, sign: float = 1.0
) -> str:
    """Return the other entrant of each pair of `label`, with its difference.

    Args:
        board: The board.
        pairs: Pairs of `label`.
        label: An entrant.
        sign: 1 for the difference as `label` sees it, -1 as the other one does.
    """
    texts = []
    for pair in pairs:
        seen = sign if pair.first == label else -sign
        difference = None if pair.difference is None else seen * pair.difference
        text = pair_difference(board, pair, difference)
        texts.append(f"{_other(pair, label)} ({text})" if text else _other(pair, label))
    return join_names(texts, MOST_NAMES)


def _others(pairs: Sequence[BoardPair], label: str) -> str:
    return join_names([_other(pair, label) for pair in pairs], MOST_NAMES)


def _other(pair: BoardPair, label: str) -> str:
    return pair.second if pair.first == label else pair.first


def _to_decide(board: Board, pairs: Sequence[BoardPair]) -> str:
    plannable = [pair for pair in pairs if pair.needs and _is_known(pair.needs)]
    if not plannable:
        needs = next((pair.needs for pair in pairs if pair.needs), None)
        return f"; to decide: {needs_text(needs, board.unit)}" if needs else ""
    which = "" if len(plannable) == len(pairs) else f" {len(plannable)} of them"
    return f"; to decide{which}: {needs_text(joint_needs(plannable), board.unit)}"


def _lead(board: Board) -> str:
    first, second = board.rows[0], board.rows[1]
    verb, may = LEADS[board.name]
    beaten = [p for p in board.pairs if p.first == first.label and p.verdict == "better"]
    known = sum(row.value is not None for row in board.rows)
    if len(beaten) == known - 1:
        pair = next(p for p in beaten if p.second == second.label)
        return f"{first.label} {verb}{_by(board, pair)}"
    if equal_groups(board) == [(0, len(board.rows) - 1)]:
        return ""  # nobody leads
    candidates = [row for row in board.rows if row.may_be_best]
    names = [row.label for row in candidates if row.may_lead(board.name)]
    if not names:
        return ""
    if len(names) < len(candidates) and len(names) <= MOST_CANDIDATES:
        return f"{join_names(names, MOST_CANDIDATES, last='or')} may {may}"
    if len(names) == 1:
        others = {row.label for row in board.rows if row.value is not None} - {names[0]}
        own = [pair for pair in board.pairs if names[0] in (pair.first, pair.second)]
        is_open = any(p.verdict == "open" and others & {p.first, p.second} for p in own)
        return f"{names[0]} {verb}{ONE_SIDED if is_open else ''}"
    if len(names) <= MOST_CANDIDATES:
        return f"{join_names(names, MOST_CANDIDATES, last='or')} {verb}"
    if len(names) == known:
        return f"Any of the {len(names)} may {may}"
    return f"{len(names)} of {known} may {may}"


def _by(board: Board, pair: BoardPair) -> str:
    """Say by how much an entrant leads the next one on the speed board."""
    text = pair_difference(board, pair, pair.difference) if board.name == "speed" else ""
    return f", {text} than {pair.second}" if "sooner" in text else ""


def _equals(board: Board) -> str:
    labels = [row.label for row in board.rows]
    groups = equal_groups(board)
    if not groups:
        return ""
    if groups == [(0, len(labels) - 1)]:
        everyone = "Both" if len(labels) == 2 else f"All {len(labels)}"
        return f"{everyone} are equal {region_text(board)}"
    names = [join_names(labels[first : last + 1]) for first, last in groups[:MOST_GROUPS]]
    rest = len(groups) - MOST_GROUPS
    more = f", and {count(rest, 'more group')}" if rest > 0 else ""
    return f"Equal {region_text(board)}: {'; '.join(names)}{more}"


def _at_floor(board: Board) -> str:
    rows = [row for row in board.rows if row.is_at_floor(board.name)]
    if not rows:
        return ""
    lead, names = AT_FLOOR[board.name], [row.label for row in rows]
    runs = {row.runs for row in rows}
    if board.name == "speed" and len(rows) > 1 and len(runs) == 1 and runs != {0}:
        lead += f" (0 of {count(runs.pop(), 'run')} each)"
    elif board.name == "speed":
        names = [f"{r.label} (0 of {count(r.runs, 'run')})" if r.runs else r.label for r in rows]
    return f"{lead}: {join_names(names, MOST_NAMES)}"


def _not_compared(board: Board) -> list[str]:
    """Say why entrants have no value on the stability board, and where regret does not count."""
    if board.name != "stability":
        return []
    tuned = {row.label for row in board.rows if row.details.get("regret") is not None}
    rows = [row for row in board.rows if row.value is None]
    untuned = [row.label for row in rows if tuned and row.label not in tuned]
    idle = [row.label for row in rows if row.label not in untuned]
    texts = []
    if idle:
        texts.append(f"No better than guessing, so not compared: {join_names(idle, MOST_NAMES)}")
    if untuned:
        names = join_names(untuned, MOST_NAMES)
        texts.append(f"Not tuned, unlike others, so without a comparable regret: {names}")
    if not tuned and all("regret" in row.details for row in board.rows):
        texts.append("Nothing was tuned, so only lost runs count")
    return texts


def _open(board: Board) -> str:
    at_floor = {row.label for row in board.rows if row.is_at_floor(board.name)}
    known = {row.label for row in board.rows if row.value is not None}
    compared = [p for p in board.pairs if {p.first, p.second} <= known]
    pairs = [p for p in compared if p.verdict == "open" and not {p.first, p.second} <= at_floor]
    if not pairs:
        return ""
    which = f"{len(pairs)} of {count(len(compared), 'pair')}"
    if len(pairs) <= MOST_OPEN:
        which = ", and ".join(f"{pair.first} against {pair.second}" for pair in pairs)
    return f"Open: {which}{_to_decide(board, pairs)}"


def _is_known(needs: Needs) -> bool:
    return needs.replicates is not None or needs.workloads is not None


def joint_needs(pairs: Sequence[BoardPair]) -> Needs:
    """Return what decides all of these pairs together.

    All entrants need as many units as the most demanding pair.
    """
    needs = [pair.needs for pair in pairs if pair.needs]
    seconds = [n.seconds for n in needs if n.seconds is not None]
    return Needs(
        replicates=max((n.replicates for n in needs if n.replicates is not None), default=None),
        workloads=max((n.workloads for n in needs if n.workloads is not None), default=None),
        seconds=max(seconds, default=None),
    )
