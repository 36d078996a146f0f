"""The boards of a leaderboard: one question each, with its own order, intervals and verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from optbench.analysis.board_rows import Number, Record
from optbench.records import BOARD_NAMES, BoardName, Look, Regime

Statement = Literal["these-workloads", "workloads-like-these"]
STATEMENTS: tuple[Statement, ...] = ("these-workloads", "workloads-like-these")
PairVerdict = Literal["better", "equal", "open"]
Unit = Literal["replicate", "dataset", "drawn workload"]


FLOORS: dict[BoardName, tuple[str, float]] = {
    "final-loss": ("value", 0.0),
    "training-loss": ("value", 0.0),
    "speed": ("solved", 0.0),
    "stability": ("lost", 1.0),
}
"""Quantity of each board, ``"value"`` or one of the details, and what it is for an entrant of which
nothing is known: no run was better than guessing, reached the target, or was kept."""


class Needs(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What would decide an open pair with a probability of 80%, as far as it can be foreseen.

    Attributes:
        replicates: Replicates in all; None on other boards, and if no number up to the limit of
            `decisions.MOST_REPLICATES` is enough.
        workloads: The same for datasets or drawn workloads, on boards about workloads like these.
        seconds: Time of the further replicates on this machine, with tuning and all entrants that
            still get runs; on boards about workloads like these, that of the further workloads.
            None if the number is unknown.
    """

    replicates: int | None = None
    workloads: int | None = None
    seconds: Number = None


class BoardRow(Record, frozen=True, kw_only=True):
    """One entrant on a board; rows come best value first.

    Attributes:
        value: Mean over seeds, then replicates, then workloads; higher is better. None if it has
            no value on these workloads. On the stability board, an entrant that does no better than
            guessing has none, nor has one that is not tuned beside others that are.
        low, high: Interval of `value` by itself, of level 95%, or 1 - the level of the last look if
            there are several; None without a second unit, or a third one on boards about workloads
            like these. It is cut to the values that are possible. Whether two entrants differ is
            said by their pair, not by the intervals of their rows.
        place: First and last place that the pairs leave open, 1-based, among the entrants with a
            value; all places for an entrant without one.
        letters: Letters of its tie groups; entrants that share one are not told apart.
        may_be_best: Whether it may still be the best one (Hsu's comparison with the best). An
            entrant that lost every run may not.
        workloads: Workloads on which it was evaluated.
        runs: Evaluation runs on the workloads where it has a value; 0 in older files.
        details: Further means by name: ``"lost"`` (share of evaluation runs), ``"regret"`` and
            ``"seed_spread"`` (SD of the test score over the seeds of a replicate) on the stability
            board; ``"solved"`` (share of runs that reached the target) on the speed board.
    """

    label: str
    value: Number
    low: Number = None
    high: Number = None
    place: tuple[int, int]
    letters: str = ""
    may_be_best: bool = True
    workloads: int
    runs: int = 0
    details: dict[str, Number] = {}  # noqa: RUF012  (msgspec copies it)

    def is_at_floor(self, name: BoardName) -> bool:
        """Return whether all values are the lowest ones possible, so that nothing is known.

        Args:
            name: Name of the board of the row.

        Example:
            >>> details = {"solved": 0.0}
            >>> row = BoardRow(label="a", value=-1, place=(1, 1), workloads=1, details=details)
            >>> row.is_at_floor("speed"), row.is_at_floor("final-loss")
            (True, False)
        """
        quantity, floor = FLOORS[name]
        return (self.value if quantity == "value" else self.details.get(quantity)) == floor

    def may_lead(self, name: BoardName) -> bool:
        """Return whether it may be the best, and reached anything at all.

        Too few replicates may not put it out by themselves.

        Args:
            name: Name of the board of the row.
        """
        return self.may_be_best and not self.is_at_floor(name)


class BoardPair(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Two entrants on a board; `first` is the better one where the verdict is ``"better"``.

    In JSON, the fields below `units` are left out where they are None, and so are those of `needs`.

    Attributes:
        difference: Value of `first` minus value of `second`, on what both were evaluated on; None
            if they have nothing in common, or if neither is above the floor of the board.
        low, high: Interval of `difference` by itself, of the level of those of the rows.
        p: p-value of a difference of 0, by itself; None if it cannot be tested.
        p_adjusted: The same for the whole family of pairs.
        p_equal: p-value, for the family, of a difference outside the region of practical
            equivalence.
        verdict: ``"equal"`` if the difference surely lies within the region, otherwise
            ``"better"`` if it surely is not 0, otherwise ``"open"``.
        needs: What would decide an open pair; None for a decided one, and if it cannot be tested.
        units: Independent units that both have.
        error: Standard error of `difference`.
        df: Degrees of freedom of `error`.
        decided_at: Replicates of the look at which the verdict was reached; None if it is open.
    """

    first: str
    second: str
    difference: Number
    low: Number
    high: Number
    p: Number
    p_adjusted: Number
    p_equal: Number
    verdict: PairVerdict
    needs: Needs | None
    units: int = 0
    error: Number = None
    df: Number = None
    decided_at: int | None = None


class Baseline(Record, frozen=True, kw_only=True):
    """An entrant that all others are compared with (Dunnett's many-to-one comparisons).

    Its pairs are a family of their own, of S - 1 comparisons instead of S (S - 1) / 2, so that less
    data decides them than the same pairs among all of them.

    Attributes:
        label: The entrant.
        pairs: Its pair with each other entrant, in the order of the rows.
    """

    label: str
    pairs: tuple[BoardPair, ...]


class Board(Record, frozen=True, kw_only=True):
    """One question with its answer for every entrant and every pair.

    The verdicts of a board are one family: the probability of any false ``"better"`` among them is
    at most `error_rate`, and so is that of any false ``"equal"``.

    Attributes:
        name: What is compared.
        statement: ``"these-workloads"``: the workloads are fixed, replicates vary;
            ``"workloads-like-these"``: the workloads are a sample.
        regime: The only regime on this board; None for all of them.
        quantity: What the values measure, in words.
        region: Half width of the region of practical equivalence, in the unit of the values.
        unit: What varies independently: ``"replicate"``, ``"dataset"`` or ``"drawn workload"``.
        units: Number of these units; the fewest replicates of any entrant and workload.
        workloads: Number of workloads.
        looks: The analyses that were made while the study grew, the last one included. A verdict is
            reached at the first look that supports it.
        error_rate: Sum of the levels of the looks, 5% in a study as it was planned.
        note: Why there are no verdicts, or what the values rest on; may be empty.
        pairs: All pairs of entrants.
        baseline: The comparisons with the baseline of the study; None if it has none.
    """

    name: BoardName
    statement: Statement
    regime: Regime | None = None
    quantity: str = ""
    region: float
    unit: Unit
    units: int
    workloads: int = 0
    looks: tuple[Look, ...] = ()
    error_rate: float = 0.05
    note: str = ""
    rows: tuple[BoardRow, ...]
    pairs: tuple[BoardPair, ...]
    baseline: Baseline | None = None

    def pair(self, first: str, second: str) -> BoardPair:
        """Return the comparison of two entrants, in either order.

        Raises:
            KeyError: The board has no such pair.
        """
        for pair in self.pairs:
            if {pair.first, pair.second} == {first, second}:
                return pair
        raise KeyError(f"{first}, {second}")


def select_boards(
    boards: Iterable[Board], statement: Statement = "these-workloads", regime: Regime | None = None
) -> list[Board]:
    """Return the boards of one statement and regime in the order of `BOARD_NAMES`."""
    chosen = [b for b in boards if b.statement == statement and b.regime == regime and b.rows]
    return sorted(chosen, key=lambda board: BOARD_NAMES.index(board.name))
