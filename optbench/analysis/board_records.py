"""The boards of a leaderboard: one question each, with its own order, intervals and verdicts."""

from __future__ import annotations

from typing import Literal

from optbench.analysis.board_rows import Number, Record
from optbench.records import Regime

BoardName = Literal["final-loss", "training-loss", "speed", "stability"]
BOARD_NAMES: tuple[BoardName, ...] = ("final-loss", "training-loss", "speed", "stability")
"""The boards, in the order in which they are shown."""
Statement = Literal["these-workloads", "workloads-like-these"]
PairVerdict = Literal["better", "equal", "open"]


class Needs(Record, frozen=True, kw_only=True):
    """What would decide an open pair with a chance of 80%, as far as it can be foreseen.

    Attributes:
        replicates: Replicates in all; None where no number up to the limit suffices.
        workloads: Workloads (or datasets) in all, for the statement about workloads like these.
        seconds: Further training time on one core.
    """

    replicates: int | None = None
    workloads: int | None = None
    seconds: Number = None


class BoardRow(Record, frozen=True, kw_only=True):
    """One entrant on a board; rows come best value first.

    Attributes:
        value: Mean over workloads, replicates and seeds; higher is better.
        low, high: 95% interval of `value`; None with one replicate.
        place: First and last place that the pairs leave open, 1-based.
        letters: Letters of its tie groups; entrants that share one are not told apart.
        may_be_best: Whether it may still be the best one (Hsu's comparison with the best).
        workloads: Workloads on which it was evaluated.
        details: Further numbers by name, such as ``"lost"``, ``"regret"`` and ``"seed_spread"`` on
            the stability board, or ``"solved"`` (share of runs) on the speed board.
    """

    label: str
    value: Number
    low: Number = None
    high: Number = None
    place: tuple[int, int]
    letters: str = ""
    may_be_best: bool = True
    workloads: int
    details: dict[str, Number] = {}  # noqa: RUF012  (msgspec copies it)


class BoardPair(Record, frozen=True, kw_only=True):
    """Two entrants on a board; `first` is the better one where the verdict is ``"better"``.

    Attributes:
        difference: Value of `first` minus value of `second`, on what both were evaluated on.
        low, high: 95% interval of `difference` on its own.
        p: P-value of a difference of 0, on its own.
        p_adjusted: The same for the whole family of pairs.
        p_equal: P-value, for the family, of a difference outside the region of practical
            equivalence.
        verdict: ``"equal"`` if the difference surely lies within the region, else ``"better"`` if
            it surely is not 0, else ``"open"``.
        needs: What would decide an open pair; None for a decided one.
    """

    first: str
    second: str
    difference: Number
    low: Number = None
    high: Number = None
    p: Number = None
    p_adjusted: Number = None
    p_equal: Number = None
    verdict: PairVerdict
    needs: Needs | None = None


class Board(Record, frozen=True, kw_only=True):
    """One question with its answer for every entrant and every pair.

    Attributes:
        name: What is compared.
        statement: ``"these-workloads"``: the workloads are fixed, replicates vary;
            ``"workloads-like-these"``: the workloads are a sample.
        regime: The only regime on this board; None for all of them.
        region: Half width of the region of practical equivalence, in the unit of the values.
        unit: What varies independently, e.g. ``"replicate of a dataset"``, ``"dataset"`` or
            ``"drawn workload"``.
        units: Number of these units.
        note: Why there are no verdicts, or what they rest on; may be empty.
    """

    name: BoardName
    statement: Statement
    regime: Regime | None = None
    region: float
    unit: str
    units: int
    note: str = ""
    rows: tuple[BoardRow, ...]
    pairs: tuple[BoardPair, ...]
