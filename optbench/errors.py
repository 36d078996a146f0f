"""The exceptions and warnings of optbench: one class for each party that can be at fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from traceback import walk_tb

from optbench.support.text import one_line


class OptbenchError(Exception):
    """Base of every exception that optbench raises on purpose; its text is one line."""

    def __str__(self) -> str:
        """Return the text without anything that a terminal would interpret."""
        return one_line(super().__str__())


class ConfigError(OptbenchError):
    """The user's input is at fault: an unknown name, a value out of range, an empty selection."""


class PluginError(OptbenchError):
    """A plugin is at fault; the message names it, and ``__cause__`` is the original exception."""


class StoreError(OptbenchError):
    """A store of runs cannot be opened, read or written."""


class PluginWarning(UserWarning):
    """A plugin, or a part of it, was left out because it does not work."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the closest known name: a prefix match if there is one, else the most similar.

    Args:
        name: Name as the user wrote it.
        known: Valid names.

    Returns:
        The shortest name that begins with `name`, else the most similar one, or None if no name
        is similar enough.

    Example:
        >>> nearest("cosin", ["constant", "cosine"])
        'cosine'
    """
    wrong, names = name.lower(), sorted(known)
    longer = [each for each in names if len(wrong) > 1 and each.lower().startswith(wrong)]
    if longer:
        return min(longer, key=len)
    similar = get_close_matches(wrong, names, n=1, cutoff=0.6)
    return similar[0] if similar else None


def unknown_name(
    kind: str, name: str, known: Iterable[str], aliases: Mapping[str, str] | None = None
) -> ConfigError:
    """Return the error for an unknown name, with the nearest known name in its text.

    Args:
        kind: Kind of thing that was looked up, e.g. ``"optimizer"``.
        name: Name as the user wrote it.
        known: Valid names.
        aliases: Common other names, mapped to the valid ones.
    """
    names = sorted(known)
    near = (aliases or {}).get(name.lower()) or nearest(name, names)
    hint = f"did you mean '{near}'?" if near else f"known: {', '.join(names) or 'none'}"
    return ConfigError(f"unknown {kind} '{name}'; {hint}")


def describe_error(cause: BaseException, plugin: type | None = None) -> str:
    """Return an exception on one line: its type and text, or only the text of an `OptbenchError`.

    Args:
        cause: The exception.
        plugin: Class of the plugin that raised it. File and line in the plugin's own module are
            added, unless optbench raised the exception on purpose.
    """
    if plugin is None or isinstance(cause, OptbenchError):
        return _type_and_text(cause)
    place = _place(cause, plugin)
    return f"{_type_and_text(cause)} ({place})" if place else _type_and_text(cause)


def _place(cause: BaseException, plugin: type) -> str:
    """Return file and line of the innermost frame in the plugin's own module, or ''."""
    own = {cls.__module__ for cls in plugin.__mro__ if not cls.__module__.startswith("optbench.")}
    place = ""
    for frame, line in walk_tb(cause.__traceback__):
        if frame.f_globals.get("__name__") in own:
            place = f"{PurePath(frame.f_code.co_filename).name}:{line}"
    return place


def _type_and_text(cause: BaseException) -> str:
    try:
        text = one_line(str(cause))
    except Exception:  # the exception is a plugin's, and so is its text
        text = "its text cannot be read"
    if isinstance(cause, OptbenchError):
        return text
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
