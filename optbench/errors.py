"""The exceptions and warnings of optbench: one class for each party that can be at fault."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import ParamSpec, TypeVar

from optbench.support.text import one_line

P = ParamSpec("P")
R = TypeVar("R")


class OptbenchError(Exception):
    """Base of every exception that optbench raises on purpose; its text is one line.

    Example:
        >>> import optbench
        >>> try:
        ...     optbench.load_dataset("digit")
        ... except optbench.OptbenchError as error:
        ...     print(error)
        unknown dataset 'digit'; did you mean 'digits'?
    """

    def __str__(self) -> str:
        """Return the text without anything that a terminal would interpret."""
        return one_line(super().__str__())


class ConfigError(OptbenchError):
    """The user's input is at fault: an unknown name, a value out of range, an empty selection.

    Example:
        >>> import optbench
        >>> optbench.train("adm", dataset="iris")
        Traceback (most recent call last):
            ...
        optbench.errors.ConfigError: unknown optimizer 'adm'; did you mean 'adam'?
    """


class PluginError(OptbenchError):
    """A plugin is at fault; the message names it, and ``__cause__`` is the original exception.

    Example:
        >>> import optbench
        >>> class Unfinished(optbench.Initializer):
        ...     name = "unfinished"
        >>> try:
        ...     optbench.initialize(Unfinished, (2, 3))
        ... except optbench.PluginError as error:
        ...     print(error)
        initializer 'unfinished' defines neither `weight` nor `initialize`
    """


class StoreError(OptbenchError):
    """A store of runs cannot be opened, read or written.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> import optbench
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "runs.sqlite").write_text("not a database")
        ...     try:
        ...         optbench.load_study(folder)
        ...     except optbench.StoreError as error:
        ...         print("is not a store of optbench" in str(error))
        True
    """


class PluginWarning(UserWarning):
    """A plugin, or a part of it, was left out because it does not work."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the closest known name: a prefix match if there is one, else the most similar.

    Args:
        name: Name as the user wrote it.
        known: Valid names.

    Returns:
        The shortest name that begins with `name`, else the one of the similar names that the
        fewest edits lead to, or None if no name is similar enough.

    Example:
        >>> nearest("cosin", ["constant", "cosine"])
        'cosine'
        >>> nearest("adma", ["adam", "adamax"])
        'adam'
    """
    wrong, names = name.lower(), sorted(known)
    longer = [each for each in names if len(wrong) > 1 and each.lower().startswith(wrong)]
    if longer:
        return min(longer, key=len)
    similar = get_close_matches(wrong, names, n=len(names) or 1, cutoff=0.6)
    return min(similar, key=lambda each: count_edits(wrong, each.lower()), default=None)


def count_edits(one: str, other: str) -> int:
    """Return the number of letters to insert, delete, replace or swap with a neighbor.

    Example:
        >>> count_edits("adma", "adam"), count_edits("adma", "adamax")
        (1, 2)
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            edits = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and (a, b) == (other[j - 2], one[i - 2]):
                edits = min(edits, last[j - 2] + 1)
            row.append(edits)
    return row[-1]


SHOWN_NAMES = 12
"""Largest number of known names in a message; of more, it has the nearest few."""


def unknown_name(
    kind: str,
    name: str,
    known: Iterable[str],
    aliases: Mapping[str, str] | None = None,
    listing: str = "",
) -> ConfigError:
    """Return the error for an unknown name, with the nearest known name in its text.

    Args:
        kind: Kind of thing that was looked up, e.g. ``"optimizer"``.
        name: Name as the user wrote it.
        known: Valid names.
        aliases: Common other names, mapped to the valid ones.
        listing: Command that lists all of them.
    """
    names = sorted(set(known))
    near = (aliases or {}).get(name.lower()) or nearest(name, names)
    hint = f"did you mean '{near}'?" if near else f"known: {_some_of(names, name, listing)}"
    return ConfigError(f"unknown {kind} '{name}'; {hint}")


def _some_of(names: list[str], wrong: str, listing: str) -> str:
    """Return names in words: all of them, or if they are many, those that are most like a name."""
    if len(names) <= SHOWN_NAMES:
        return ", ".join(names) or "none"
    few = sorted(get_close_matches(wrong.lower(), names, n=5, cutoff=0.0))
    rest = f"{len(names) - len(few)} others"
    return f"{', '.join(few)} and {rest}" + (f" (`{listing}`)" if listing else "")


_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")


def suggest_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function with the nearest name in the error about a keyword that it lacks.

    Example:
        >>> @suggest_arguments
        ... def scale(x, *, factor=1): ...
        >>> scale(2, fact=3)
        Traceback (most recent call last):
            ...
        TypeError: scale() got an unexpected keyword argument 'fact'; did you mean 'factor'?
    """

    @functools.wraps(function)
    def call(*args: P.args, **values: P.kwargs) -> R:
        try:
            return function(*args, **values)
        except TypeError as cause:
            unexpected = _UNEXPECTED.search(str(cause))
            is_own = cause.__traceback__ is not None and cause.__traceback__.tb_next is None
            if not unexpected or not is_own:
                raise
            known = list(inspect.signature(function).parameters)
            near = nearest(unexpected[1], known)
            hint = f"did you mean '{near}'?" if near else f"allowed: {', '.join(known)}"
            text = f"{function.__name__}() got an unexpected keyword argument '{unexpected[1]}'"
            raise TypeError(f"{text}; {hint}") from None

    return call


def describe_error(cause: BaseException, plugin: type | None = None) -> str:
    """Return an exception on one line: its type and text, or only the text of an `OptbenchError`.

    Args:
        cause: The exception.
        plugin: Class of the plugin that raised it. For frequent mistakes, the text says what to
            write instead. File and line in the plugin's own module are added, unless optbench
            raised the exception on purpose.
    """
    text = _type_and_text(cause)
    if plugin is None or isinstance(cause, OptbenchError):
        return text
    text = _with_cure(cause, text, plugin)
    place = _place(cause, plugin)
    return f"{text} ({place})" if place else text


_CURES = (
    (
        re.compile(r"truth value of an array|Boolean value of Tensor with more than one value"),
        "an array stands where one True or False is needed; use where(condition, a, b) instead of "
        "`if`, & | ~ instead of `and` `or` `not`, and NumPy's maximum instead of max()",
    ),
    (
        re.compile(r"(0-dimensional|length-1|size-1) arrays can be converted"),
        "an array stands where one number is needed; use NumPy's functions, such as np.sqrt "
        "instead of math.sqrt, and no float() or int()",
    ),
    (
        re.compile(r"'StepContext' object has no attribute"),
        "StepContext has no such attribute; hyperparameters are in context.h, as in context.h.lr",
    ),
)
"""Patterns in the texts of exceptions that a plugin raises, and what is said instead."""
_UNDECLARED = re.compile(r"no hyperparameter '(\w+)' is declared")


def _with_cure(cause: BaseException, text: str, plugin: type) -> str:
    """Return the text of an exception, or what to do about it where that is known."""
    kind = type(cause).__name__
    for pattern, cure in _CURES:
        if pattern.search(text):
            return f"{kind}: {cure}"
    undeclared = _UNDECLARED.search(text)
    value = getattr(plugin, undeclared[1], None) if undeclared else None
    if undeclared and isinstance(value, bool | int | float | str):
        name, hint = undeclared[1], type(value).__name__
        return f"{kind}: {undeclared[0]}; write `{name}: {hint} = hyper({value!r})` in the class"
    return text


def _place(cause: BaseException, plugin: type) -> str:
    """Return file and line of the innermost frame in the plugin's own module, or ''."""
    own = {cls.__module__ for cls in plugin.__mro__ if not cls.__module__.startswith("optbench.")}
    return _last_place(cause.__traceback__, lambda frame: frame.f_globals.get("__name__") in own)


def place_in_file(cause: BaseException, path: str) -> str:
    """Return name and line of a file of Python where an exception passed through it, or ''."""
    return _last_place(cause.__traceback__, lambda frame: frame.f_code.co_filename == path)


def _last_place(trace: TracebackType | None, is_own: Callable[[FrameType], bool]) -> str:
    places = [
        f"{PurePath(frame.f_code.co_filename).name}:{line}"
        for frame, line in walk_tb(trace)
        if is_own(frame)
    ]
    return places[-1] if places else ""


def _type_and_text(cause: BaseException) -> str:
    try:
        text = one_line(str(cause))
    except Exception:  # the exception is a plugin's, and so is its text
        text = "its text cannot be read"
    if isinstance(cause, OptbenchError):
        return text
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__
