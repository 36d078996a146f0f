"""What the pairs of a study are judged by: a baseline, and when a difference is too small."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import msgspec

from optbench.errors import ConfigError, unknown_name

BoardName = Literal["final-loss", "training-loss", "speed", "stability"]
BOARD_NAMES: tuple[BoardName, ...] = get_args(BoardName)
"""The boards, in the order in which they are shown."""
REGIONS: dict[BoardName, float] = {
    "final-loss": 0.03,
    "training-loss": 0.03,
    "speed": math.log2(1.1),
    "stability": 0.05,
}
"""Half width of the region of practical equivalence of each board, in the units of its values."""
USUAL_REGIONS = "final-loss=0.03, training-loss=0.03, speed=0.1, stability=0.05"
"""`REGIONS` as a user writes them."""


class Criteria(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the pairs of a study are judged by.

    Attributes:
        baseline: Label of the entrant that the others are compared with; empty for none.
        regions: Board -> half width of its region of practical equivalence, in the units of its
            values, where it is not the one of `REGIONS`.
    """

    baseline: str = ""
    regions: dict[str, float] = {}

    def region(self, board: BoardName) -> float:
        """Return the half width of a board's region of practical equivalence."""
        return self.regions.get(board, REGIONS[board])

    def change(
        self, baseline: str | None = None, regions: Mapping[str, float | str] | None = None
    ) -> Criteria:
        """Return these criteria with another baseline or other regions.

        Args:
            baseline: Label of an entrant, or an empty string for none; None keeps it.
            regions: Board -> half width as a user writes it, see `parse_region`; other boards keep
                theirs.

        Raises:
            ConfigError: An unknown board, or a value that is not allowed.

        Example:
            >>> Criteria().change("adam", {"final-loss": "0.05"})
            Criteria(baseline='adam', regions={'final-loss': 0.05})
        """
        parsed = {name: parse_region(name, value) for name, value in (regions or {}).items()}
        return Criteria(
            baseline=self.baseline if baseline is None else baseline,
            regions=self.regions | parsed,
        )

    def check_baseline(self, labels: Iterable[str]) -> None:
        """Raise a ConfigError unless the baseline is one of the entrants, or there is none."""
        known = set(labels)
        if self.baseline and self.baseline not in known:
            raise unknown_name("optimizer for the baseline", self.baseline, known)


def parse_region(board: str, value: float | str) -> float:
    """Return the half width of a region of practical equivalence in the units of a board's values.

    Args:
        board: Name of the board.
        value: Above 0 and at most 1, or such as ``"5%"``: a difference of scores on the boards of
            losses, a share of the time on the speed board, a difference of shares on the stability
            board.

    Raises:
        ConfigError: The board does not exist, or the value is not allowed.

    Example:
        >>> parse_region("final-loss", 0.05), round(parse_region("speed", "10%"), 4)
        (0.05, 0.1375)
    """
    if board not in BOARD_NAMES:
        raise unknown_name("board of a region", board, BOARD_NAMES)
    try:
        text = str(value).strip()
        width = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        width = math.nan
    if not 0 < width <= 1:
        raise ConfigError(
            f"region {board}={value} is not allowed; a number above 0 and at most 1, or a "
            f"percentage, such as one of {USUAL_REGIONS}"
        )
    return math.log2(1 + width) if board == "speed" else width
