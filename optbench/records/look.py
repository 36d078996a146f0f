"""The looks at a study that is analysed while it grows."""

from __future__ import annotations

import msgspec

ALPHA = 0.05
"""Error rate of the verdicts of a planned study: of a single look, or of all its looks together."""


class Look(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One analysis of a study.

    Attributes:
        replicates: Number of replicates that it rests on.
        level: Probability of a false claim that is spent at this look. A claim is made at the first
            look that supports it, so the levels of all looks add up to the error rate of a board.
    """

    replicates: int
    level: float
