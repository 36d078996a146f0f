"""Arguments of the public functions as lists, and calls as text for a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optbench.errors import ConfigError
from optbench.support.durations import parse_seconds


def as_list(items: Any) -> list[Any]:
    """Return one or several items as a list; None gives an empty list.

    Example:
        >>> as_list("adam"), as_list(("adam", "sgd")), as_list(None)
        (['adam'], ['adam', 'sgd'], [])
    """
    if items is None:
        return []
    is_several = isinstance(items, Sequence) and not isinstance(items, str)
    return list(items) if is_several else [items]


def call_text(function: str, arguments: Mapping[str, Any]) -> str:
    """Return a call as a user would write it, without the arguments that are None.

    Args:
        function: Name of the function in `optbench`.
        arguments: Arguments by name.

    Example:
        >>> import numpy as np
        >>> call_text("compare", {"datasets": ("iris",), "epochs": None, "suite": "quick"})
        "optbench.compare(datasets=['iris'], suite='quick')"
        >>> call_text("sweep", {"axes": {"lr": np.array([0.5, 1.0])}, "seeds": np.int64(2)})
        "optbench.sweep(axes={'lr': [0.5, 1.0]}, seeds=2)"
    """
    return f"optbench.{function}({', '.join(argument_texts(arguments))})"


def argument_texts(arguments: Mapping[str, Any]) -> list[str]:
    """Return arguments as a user would write them, without those that are None.

    Args:
        arguments: Arguments by name.
    """
    return [f"{name}={_text(value)}" for name, value in arguments.items() if value is not None]


def parse_time(function: str, name: str, value: float | str | None) -> float | None:
    """Return a length of time in seconds; None if it is not given.

    Args:
        function, name: Name of the function and of the argument, for the message.
        value: Seconds, or text such as ``"10m"``.

    Raises:
        ConfigError: It is not a length of time.
    """
    if value is None:
        return None
    try:
        return parse_seconds(value)
    except ValueError as cause:
        raise ConfigError(f"{function}: {name}={cause}") from None


def _text(value: Any) -> str:
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(k)}: {_text(v)}' for k, v in value.items())}}}"
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    if isinstance(value, type):
        return value.__name__
    return repr(str(value))
