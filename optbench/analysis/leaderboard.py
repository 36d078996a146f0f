"""The leaderboard of a study, and how it is written to JSON and read back."""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from optbench.analysis.board_records import Board
from optbench.analysis.board_rows import (
    CriticalDifference,
    OverallRow,
    Record,
    Verdict,
    WorkloadBoard,
)
from optbench.analysis.flat_rows import COLUMNS, flat_rows
from optbench.analysis.view_records import (
    BiasVariance,
    Budget,
    LearningRateCurve,
    Matrix,
    Profile,
    RegimeView,
    TargetDistribution,
)
from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.support import html
from optbench.support.text import range_text


class Leaderboard(Record, frozen=True, kw_only=True):
    """The comparison of all entrants of a study. Sequences are sorted, best first.

    Attributes:
        title: Name of the suite or study; free text.
        target_level: Level of the targets: ``"easy"``, ``"medium"`` or ``"hard"``.
        seeds: Evaluation seeds of each replicate (the fewest, if cells differ).
        replicates: Number of replicates.
        boards: Final loss, training loss, speed and stability, with both statements; then, where
            there are several regimes, those of each regime.
        overall: One row for each entrant, in the order of the ``final-loss`` board.
        profiles: One for each cost axis; empty if no target is known.
        budgets, lr_curves: Empty if nothing was tuned.
        regimes: Empty unless two regimes share dataset, network and initializer.
        matrix: None with fewer than two initializers.
        target_distribution: To the targets of all levels; None if no target was reached.
        critical_difference: None with fewer than two entrants that can be compared.

    Example:
        >>> import optbench
        >>> leaderboard = optbench.compare(["sgd", "adam"], suite="smoke").leaderboard
        >>> board = leaderboard.boards[0]
        >>> board.name, board.statement, len(board.pairs)
        ('final-loss', 'these-workloads', 1)
    """

    format: Literal[2] = 2
    title: str = ""
    protocol: StudyProtocol
    ruleset: str
    target_level: str
    seeds: int
    replicates: int = 1
    runs: int
    overall: tuple[OverallRow, ...]
    workloads: tuple[WorkloadBoard, ...]
    profiles: tuple[Profile, ...]
    budgets: tuple[Budget, ...]
    lr_curves: tuple[LearningRateCurve, ...]
    regimes: tuple[RegimeView, ...]
    matrix: Matrix | None
    critical_difference: CriticalDifference | None
    bias_variance: tuple[BiasVariance, ...]
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...]
    boards: tuple[Board, ...] = ()
    target_distribution: TargetDistribution | None = None

    def _repr_html_(self) -> str:
        """Return the ranked table, the sentences about the study and cautions, for a notebook."""
        rows = [
            (
                range_text(*row.place),
                row.label,
                "–" if row.score.value is None else f"{row.score.value:.2f}",
                row.tie_groups,
                f"{row.divergence.rate:.0%}",
            )
            for row in self.overall
        ]
        head = ("place", "optimizer", "score of final loss", "ties", "runs lost")
        sentences = [verdict.text for verdict in self.verdicts if not verdict.label]
        cautions = [f"Caution: {text}" for text in self.warnings]
        return html.table(rows, head) + html.paragraphs([*sentences, *cautions])

    def to_pandas(self) -> Any:
        """Return the rows of ``leaderboard.csv`` as a pandas DataFrame (needs pandas)."""
        import pandas as pd

        return pd.DataFrame(flat_rows(self.overall, self.workloads), columns=list(COLUMNS))


DIGITS = 4
"""Significant digits of the numbers in ``leaderboard.json`` and ``leaderboard.csv``."""
_JSON_CONSTANTS = {"Infinity": "inf", "-Infinity": "-inf", "NaN": None}
"""How `plain` spells the numbers that strict JSON lacks."""


def plain(value: Any) -> Any:
    """Convert a record to dicts, lists and scalars that strict JSON can hold.

    Infinity becomes ``"inf"`` and NaN becomes None; numbers are rounded by `rounded`.

    Example:
        >>> from optbench.analysis.board_rows import Estimate
        >>> plain(Estimate(value=float("inf"), low=1 / 3))
        {'value': 'inf', 'low': 0.3333, 'high': None}
    """
    text = json.dumps(msgspec.to_builtins(value))
    parse_constant = _JSON_CONSTANTS.__getitem__
    return json.loads(text, parse_float=_parse_rounded, parse_constant=parse_constant)


def rounded(value: float) -> float:
    """Return a number with `DIGITS` significant digits; whole numbers stay exact.

    Example:
        >>> rounded(2 / 3), rounded(12345678.0), rounded(float("inf"))
        (0.6667, 12345678.0, inf)
    """
    return value if value % 1 == 0 else float(f"{value:.{DIGITS}g}")


def _parse_rounded(text: str) -> float:
    return float(text) if len(text) <= DIGITS else rounded(float(text))


def to_json(board: Leaderboard) -> bytes:
    """Return the leaderboard as JSON: infinity is ``"inf"``, an unknown number ``null``.

    Numbers have `DIGITS` significant digits; texts of configurations spell theirs in full. Every
    item of a list at the top has a line of its own, so that the text is small and its changes are
    easy to see.
    """
    entries = []
    for key, value in plain(board).items():
        text = _lines(value) if isinstance(value, list) else msgspec.json.encode(value)
        entries.append(msgspec.json.encode(key) + b": " + text)
    return b"{\n" + b",\n".join(entries) + b"\n}"


def _lines(items: list[Any]) -> bytes:
    """Return a list as JSON, with a line for each item."""
    return b"[\n" + b",\n".join(msgspec.json.encode(item) for item in items) + b"\n]"


def from_json(text: bytes | str) -> Leaderboard:
    """Read what `to_json` wrote, with its rounded numbers.

    Raises:
        ConfigError: The leaderboard was written in format 1, which has no boards.
        msgspec.ValidationError: The text is JSON, but not a leaderboard of this format.
        msgspec.DecodeError: The text is not JSON.
    """
    if msgspec.json.decode(text, type=_Format, strict=False).format == 1:
        raise ConfigError(
            "this leaderboard has format 1, and format 2 is needed: "
            "build it again from its runs with `optbench report DIR`"
        )
    return msgspec.json.decode(text, type=Leaderboard, strict=False)


class _Format(msgspec.Struct):
    """The format of a leaderboard, whatever else it contains."""

    format: int = 0
