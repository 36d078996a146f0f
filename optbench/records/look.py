"""The looks at a study that is analyzed while it grows."""

from __future__ import annotations

import msgspec

ALPHA = 0.05
"""Error rate of each kind of verdict of a planned study, at all its looks together."""


class Look(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One analysis of a study.

    Attributes:
        replicates: Number of replicates that it rests on.
        level: Probability of any false "better" that is spent at this look, and of any wrong
            "equal". A claim is made at the first look that supports it, so the levels of all looks
            add up to the error rate of a board.
    """

    replicates: int
    level: float
