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


def duration_text(seconds: float) -> str:
    """Return a length of time with two significant digits at most, as `parse_seconds` reads it.

    Example:
        >>> [duration_text(seconds) for seconds in (0.2, 42.4, 300, 7300)]
        ['1s', '42s', '5m', '2h']
    """
    for unit in ("h", "m"):
        size = SECONDS_PER_UNIT[unit]
        if seconds >= 1.5 * size:
            number = f"{seconds / size:.2g}" if seconds < 99.5 * size else "more than 100"
            return number + unit
    return f"{max(seconds, 1):.0f}s"
