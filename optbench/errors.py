"""What optbench raises: one class for each party that can be at fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from traceback import walk_tb

from optbench.support.text import one_line


class OptbenchError(Exception):
    """Base of everything that optbench raises on purpose; its text is one clear line."""

    def __str__(self) -> str:
        """The text, harmless to a terminal whatever was quoted in it."""
        return one_line(super().__str__())


class ConfigError(OptbenchError):
    """The user's input is at fault: an unknown name, a value out of range, an empty selection."""


class PluginError(OptbenchError):
    """A plugin is at fault; the message names its distribution, ``__cause__`` says why."""


class StoreError(OptbenchError):
    """A store of runs cannot be opened, read or written."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that was meant: the shortest that begins so, or else the most alike, if any is."""
    wrong, names = name.lower(), sorted(known)
    longer = [each for each in names if len(wrong) > 1 and each.lower().startswith(wrong)]
    if longer:
        return min(longer, key=len)
    alike = get_close_matches(wrong, names, n=1, cutoff=0.6)
    return alike[0] if alike else None


def unknown_name(
    kind: str, name: str, known: Iterable[str], aliases: Mapping[str, str] | None = None
) -> ConfigError:
    """An error for a name that nothing bears, with the nearest one that something does.

    Args:
        kind: what the name should have named, e.g. ``"optimizer"``.
        name: the name as the user wrote it.
        known: every name that would have been right.
        aliases: what else the same things are called, with the right names.
    """
    names = sorted(known)
    near = (aliases or {}).get(name.lower()) or nearest(name, names)
    hint = f"did you mean '{near}'?" if near else f"known: {', '.join(names) or 'none'}"
    return ConfigError(f"unknown {kind} '{name}'; {hint}")


def told(cause: BaseException, plugin: type | None = None) -> str:
    """An exception on one line: its kind and its text, or the text alone if optbench raised it.

    Args:
        cause: the exception.
        plugin: the class whose code raised it; the place in its file is told too, unless optbench
            raised it on purpose.
    """
    if plugin is None or isinstance(cause, OptbenchError):
        return _words(cause)
    place = _place(cause, plugin)
    return f"{_words(cause)} ({place})" if place else _words(cause)


def _place(cause: BaseException, plugin: type) -> str:
    """File and line of the innermost call that stands in the plugin's own file, or nothing."""
    own = {cls.__module__ for cls in plugin.__mro__ if not cls.__module__.startswith("optbench.")}
    place = ""
    for frame, line in walk_tb(cause.__traceback__):
        if frame.f_globals.get("__name__") in own:
            place = f"{PurePath(frame.f_code.co_filename).name}:{line}"
    return place


def _words(cause: BaseException) -> str:
    try:
        text = one_line(str(cause))
    except Exception:  # the exception is a plugin's, and so is its text
        text = "it has no text that can be read"
    if isinstance(cause, OptbenchError):
        return text
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
