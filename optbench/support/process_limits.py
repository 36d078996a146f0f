"""Limits of this process on memory (``ulimit -v``, ``ulimit -d``), checked before they are hit."""

from __future__ import annotations

import contextlib

_LIMITS = {"RLIMIT_AS": ("address space", "-v"), "RLIMIT_DATA": ("data memory", "-d")}
"""Limit -> what it limits, and the option of ``ulimit`` that raises it."""


def describe_low_limit(least: dict[str, int], purpose: str) -> str:
    """Describe the first limit of this process that is too low; return "" if there is none.

    Args:
        least: Limit (``"RLIMIT_AS"``, ``"RLIMIT_DATA"``) -> bytes that are needed.
        purpose: What needs them.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        for name, needed in least.items():
            limit = resource.getrlimit(getattr(resource, name))[0]
            if 0 <= limit < needed:
                what, option = _LIMITS[name]
                return (
                    f"this process may use {size_text(limit)} of {what}, and {purpose} needs at "
                    f"least {size_text(needed)}; raise the limit (ulimit {option})"
                )
    return ""


def size_text(count: int) -> str:
    """Return a number of bytes as text such as ``"1.5 GB"``.

    Example:
        >>> size_text(1_500_000_000)
        '1.5 GB'
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if count >= size:
            return f"{count / size:,.3g} {unit}" if count < 1e18 else f"{count / size:.1e} {unit}"
    return f"{count / 1e6:.3g} MB"
