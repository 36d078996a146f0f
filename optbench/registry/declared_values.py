"""Which names and numbers a plugin may declare, and how a refused value is shown."""

from __future__ import annotations

import math

from optbench.contracts import KEBAB
from optbench.support.text import one_line

LONGEST_NAME = 80
"""Largest number of characters in a name, which has to fit in a table and in a file name."""


def is_name(name: object) -> bool:
    """Return whether a plugin may have this name."""
    return isinstance(name, str) and len(name) <= LONGEST_NAME and bool(KEBAB.fullmatch(name))


def short_repr(item: object) -> str:
    """Return a short repr that survives a broken ``__repr__``."""
    try:
        text = f"class {item.__name__}" if isinstance(item, type) else repr(item)
        text = one_line(text)
    except Exception:
        text = f"an object of {type(item).__name__}"
    return text if len(text) <= 120 else f"{text[:100]}[...]"


def is_identifier(name: object) -> bool:
    """Return whether a hyperparameter or a slot may have this name."""
    return (
        isinstance(name, str)
        and name.isascii()
        and name.isidentifier()
        and len(name) <= LONGEST_NAME
    )


def is_number(value: object) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)
