"""Round numbers for axes, whatever draws them."""

from __future__ import annotations

import math

from optbench.records import BoardName

SHARES = (1, 2, 5, 10, 20, 50, 100, 200)
FINER_SHARES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 100, 120, 140, 160, 180, 200)
"""Ticks of the speed board in percent of the budget; the finer ones where few are within."""
PARTS = 5
"""Most parts of the axis of scores, of which the ends and the middle have ticks."""
LEAST_GAP = 0.25
"""Distance of two ticks of a board, as a share of its axis: narrower ones would touch."""


def even_ticks(low: float, high: float, parts: int = 4) -> list[float]:
    """Return round numbers at equal distances between two limits, ``low < high``.

    Args:
        low: Lower limit.
        high: Upper limit.
        parts: Most parts between the ticks; more where fewer than two would lie within.

    Example:
        >>> even_ticks(-0.2, 1.05, parts=2)
        [0.0, 1.0]
    """
    for most in (parts, 2 * parts, 4 * parts, 8 * parts):
        power = 10.0 ** math.floor(math.log10((high - low) / most))
        step = next(s * power for s in (1, 2, 5, 10) if s * power >= (high - low) / most * 0.999)
        first = math.ceil(low / step - 1e-9)
        ticks = [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]
        if len(ticks) > 1:
            return ticks
    return [low, high]


def board_ticks(name: BoardName, low: float, high: float, most: int = 3) -> list[float]:
    """Return values of a board with short texts between the limits of its axis, at least two.

    Args:
        name: Name of the board; the speed board is in halvings of the budget.
        low: Lower limit.
        high: Upper limit.
        most: Most of them, at least 2.

    Example:
        >>> board_ticks("stability", 0.38, 0.68, most=2), board_ticks("speed", -1.0, 2.0)
        ([0.4, 0.6000000000000001], [-1.0, -0.0, 1.0])
    """
    if name != "speed":
        ticks = even_ticks(low, high, PARTS)
        return _ends(ticks, most if len(ticks) % 2 else 2)  # of four, none is in the middle
    for shares in (SHARES, FINER_SHARES):
        values = [-math.log2(share / 100) for share in reversed(shares)]
        ticks = [value for value in values if low <= value <= high]
        if len(ticks) > 1 and ticks[-1] - ticks[0] >= LEAST_GAP * (high - low):
            middle = ticks[len(ticks) // 2]
            gap = min(middle - ticks[0], ticks[-1] - middle)
            return _ends(ticks, most if gap >= LEAST_GAP * (high - low) else 2)
    return [low, high]


def _ends(ticks: list[float], most: int) -> list[float]:
    """Return the first and the last tick, and the middle one if that is not too many."""
    if len(ticks) <= 2:
        return ticks
    return [ticks[0], *([ticks[len(ticks) // 2]] if most > 2 else []), ticks[-1]]
