"""Lengths of time as users write them."""

from __future__ import annotations

SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3600}


def parse_seconds(text: str | float) -> float:
    """Return the number of seconds of a length of time.

    Args:
        text: 90s, 10m or 2h; a plain number counts seconds.

    Raises:
        ValueError: The text is not a length of time.

    Example:
        >>> parse_seconds("10m"), parse_seconds("1.5h"), parse_seconds(90)
        (600.0, 5400.0, 90.0)
    """
    number, factor = text, 1
    if isinstance(text, str) and text[-1:] in SECONDS_PER_UNIT:
        number, factor = text[:-1], SECONDS_PER_UNIT[text[-1]]
    try:
        seconds = float(number) * factor
    except ValueError:
        raise ValueError(f"{text!r} is not a length of time; write 90s, 10m or 2h") from None
    if not seconds > 0:  # NaN too
        raise ValueError(f"{text!r} is not a length of time above 0; write 90s, 10m or 2h")
    return seconds
