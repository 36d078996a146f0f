"""Checks what plugins register.

A faulty declaration is reported when the plugin loads, by name, and not in the middle of a study.
What a plugin's code returns is checked where it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

from optbench.contracts import (
    NEEDS,
    CautionKind,
    Configurable,
    DatasetSource,
    Landscape,
    Plugin,
    ReportSection,
    Rule,
    Schedule,
    Task,
)
from optbench.errors import PluginError, unknown_name
from optbench.registry.declared_values import (
    LONGEST_NAME,
    is_identifier,
    is_name,
    is_number,
    short_repr,
)
from optbench.registry.hyper_faults import hyper_fault
from optbench.registry.kinds import OPTIMIZERS, Kind
from optbench.registry.method_faults import method_fault, misspelled_attribute, update_fault
from optbench.support.text import one_line

T = TypeVar("T")


def named_items(kind: Kind[T], items: object) -> Iterator[tuple[str, T]]:
    """Yield name and item of everything that a hook returned.

    Args:
        kind: Kind that the hook registers.
        items: What the plugin's implementation returned.

    Raises:
        PluginError: The result is not a list, or an item in it is not of this kind.
    """
    if not isinstance(items, Sequence) or isinstance(items, str | bytes):
        raise PluginError(
            f"{kind.hook} must return a list of {kind.expected}, not {short_repr(items)}"
        )
    for item in items:
        if not kind.fits(item):
            raise PluginError(f"{kind.hook} returned {short_repr(item)}, not {kind.expected}")
        name = item.stem if isinstance(item, Path) else item.name
        if not is_name(name):
            raise PluginError(
                f"{short_repr(item)} has the name {short_repr(name)}; names are kebab-case, "
                f"of at most {LONGEST_NAME} characters"
            )
        if fault := find_fault(item):
            raise PluginError(f"'{name}' {fault}")
        yield name, item


def names_on_demand(items: object) -> Iterator[tuple[str, str]]:
    """Yield name and summary of the optimizers that a plugin makes on demand.

    Raises:
        PluginError: The result is not a mapping, or a name is not of the form ``prefix:rest``.
    """
    if not isinstance(items, Mapping):
        raise PluginError("optbench_list_optimizers must return a dict of names and summaries")
    for name, text in items.items():
        if not (is_name(name) and ":" in name):
            raise PluginError(
                f"optbench_list_optimizers lists {short_repr(name)}; a name is prefix:rest"
            )
        yield name, one_line(str(text))


def check_resolved(item: object, name: str, where: str) -> None:
    """Check what `optbench_resolve_optimizer` returned for a name.

    Args:
        item: The result.
        name: Name of the optimizer.
        where: Plugin and hook, for the error message.

    Raises:
        PluginError: It is not an optimizer, or its declaration is faulty.
    """
    if not OPTIMIZERS.fits(item):
        raise PluginError(f"{where} returned {short_repr(item)}, not one of {OPTIMIZERS.expected}")
    if fault := find_fault(item):
        raise PluginError(f"{where}: '{name}' {fault}")


def find_fault(item: object) -> str:
    """Return what is wrong with the declaration of a plugin class, or an empty string."""
    if isinstance(item, type):
        if missing := _missing_methods(item):
            return f"does not define `{missing}`"
        if fault := misspelled_attribute(item) or method_fault(item):
            return fault
        for base, find in _FINDERS.items():
            if issubclass(item, base) and (fault := find(cast(Any, item))):
                return fault
    return ""


def _missing_methods(item: type) -> str:
    if issubclass(item, Rule) and not hasattr(item, "update"):
        return "update"
    return "` and `".join(sorted(getattr(item, "__abstractmethods__", ())))


def _plugin_fault(item: type[Plugin]) -> str:
    if fault := _url_fault(item):
        return fault
    if not isinstance(item.expected_failures, Mapping):
        return f"declares expected_failures = {short_repr(item.expected_failures)}, not a mapping"
    return _needs_fault(item) or hyper_fault(item)


def _url_fault(item: type[Configurable]) -> str:
    url = item.url
    if isinstance(url, str) and (not url or url.startswith(("https://", "http://"))):
        return ""
    return f"declares url = {short_repr(url)}, not an address that begins with https://"


def _needs_fault(item: type[Plugin]) -> str:
    if isinstance(item.needs, str) or not _all_strings(item.needs):
        return f"declares needs = {short_repr(item.needs)}, not a set of words"
    for word in sorted(set(item.needs).difference(NEEDS)):
        return f"declares needs = {short_repr(item.needs)}: {unknown_name('need', word, NEEDS)}"
    return ""


def _rule_fault(item: type[Rule]) -> str:
    slots, scalars = item.slots, item.scalars
    if not isinstance(slots, tuple | list) or not all(map(is_identifier, slots)):
        cure = f'; write ("{slots}",), with a comma' if is_identifier(slots) else ""
        return f"declares slots = {short_repr(slots)}, not a tuple of names{cure}"
    names_numbers = (
        isinstance(scalars, Mapping)
        and all(map(is_identifier, scalars))
        and all(is_number(value) for value in scalars.values())
    )
    if not names_numbers:
        return f"declares scalars = {short_repr(scalars)}, not a mapping of names to numbers"
    return update_fault(item)


def _dataset_fault(item: type[DatasetSource]) -> str:
    task = getattr(item, "task", None)
    if task in get_args(Task):
        return _url_fault(item) or hyper_fault(item) or _caution_fault(item)
    return f"declares task = {short_repr(task)}; {' or '.join(get_args(Task))}"


def _caution_fault(item: type[DatasetSource]) -> str:
    declared, kinds = item.expected_cautions, get_args(CautionKind)
    if not isinstance(declared, Mapping):
        return f"declares expected_cautions = {short_repr(declared)}, not a mapping"
    for kind in sorted(set(map(str, declared)).difference(kinds)):
        return f"declares expected_cautions: {unknown_name('caution', kind, kinds)}"
    return ""


def _landscape_fault(item: type[Landscape]) -> str:
    span, start = getattr(item, "span", None), getattr(item, "start", None)
    if not (_are_points(span, 2) and all(low < high for low, high in cast(Any, span))):
        return f"declares span = {short_repr(span)}, not ((x_low, x_high), (y_low, y_high))"
    if not _are_points((start,), 1):
        return f"declares start = {short_repr(start)}, not (x, y)"
    if not _are_points(item.minima):
        return f"declares minima = {short_repr(item.minima)}, not a tuple of points"
    return ""


def _schedule_fault(item: type[Schedule]) -> str:
    if item.needs or item.hypers():
        return "declares needs or hyperparameters, which a schedule cannot have"
    if not (is_number(item.warmup) and 0 <= item.warmup < 1):
        return f"declares warmup = {short_repr(item.warmup)}, not a number >= 0 and < 1"
    if not (is_number(item.final) and 0 <= item.final <= 1):
        return f"declares final = {short_repr(item.final)}, not a number from 0 to 1"
    return ""


def _section_fault(item: type[ReportSection]) -> str:
    if not (isinstance(item.title, str) and item.title.strip()):
        return f"declares title = {short_repr(item.title)}, not a heading"
    if not isinstance(item.note, str):
        return f"declares note = {short_repr(item.note)}, not a text"
    if item.table is ReportSection.table and item.figure is ReportSection.figure:
        return "defines neither `table` nor `figure`"
    return ""


_FINDERS: dict[type, Callable[[Any], str]] = {
    Plugin: _plugin_fault,
    Rule: _rule_fault,
    DatasetSource: _dataset_fault,
    Landscape: _landscape_fault,
    Schedule: _schedule_fault,
    ReportSection: _section_fault,
}


def _all_strings(items: object) -> bool:
    try:
        return all(isinstance(item, str) for item in cast(Any, items))
    except TypeError:
        return False


def _are_points(points: object, count: int | None = None) -> bool:
    """Return whether these are pairs of finite numbers, and `count` of them if it is given."""
    return (
        isinstance(points, tuple | list)
        and len(points) == (len(points) if count is None else count)
        and all(isinstance(point, tuple | list) and len(point) == 2 for point in points)
        and all(is_number(value) for point in points for value in point)
    )
