"""Checks parsed TOML against a record, key by key, with errors in the words of its author."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from optbench.errors import ConfigError, unknown_name

T = TypeVar("T", bound=msgspec.Struct)

LARGEST_QUOTED = 10**18
"""Largest whole number that an error quotes; Python refuses to print very long ones."""


def convert_document(data: Mapping[str, Any], record: type[T], where: str) -> T:
    """Check a document against the fields of a record, and return it as that record.

    Args:
        data: The parsed document.
        record: A struct of tables, lists, text, numbers, literals and unions of these; the limits
            of a number are those of its `msgspec.Meta`.
        where: What an error message begins with, for example the file.

    Raises:
        ConfigError: The first key that is unknown or missing, or has a wrong value; says what is
            allowed there.

    Example:
        >>> class Point(msgspec.Struct):
        ...     x: int
        >>> convert_document({"x": "3"}, Point, "point.toml")
        Traceback (most recent call last):
        optbench.errors.ConfigError: point.toml: x is text, not a whole number
    """
    try:
        _check(data, inspect.type_info(record), "")
    except ConfigError as problem:
        raise ConfigError(f"{where}: {problem}") from None
    return msgspec.convert(data, record)


def _check(value: Any, kind: inspect.Type, path: str) -> None:
    """Raise a ConfigError that begins with the path unless the value is of this kind."""
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        _check_union(value, kind, path)
    elif not _has_shape(value, kind):
        raise _wrong_type(value, [kind], path)
    else:
        _CHECKS.get(type(kind), _check_nothing)(value, kind, path)


def _check_struct(value: Mapping[str, Any], kind: inspect.StructType, path: str) -> None:
    fields = {field.name: field for field in kind.fields}
    for key, item in value.items():
        if key not in fields:
            place = f"key in {path}" if path else "key"
            raise unknown_name(place, str(key), fields)
        _check(item, fields[key].type, _join(path, key))
    for name, field in fields.items():
        if field.required and name not in value:
            raise ConfigError(f"{_join(path, name)} is missing")


def _check_list(value: Sequence[Any], kind: inspect.VarTupleType, path: str) -> None:
    for index, item in enumerate(value):
        _check(item, kind.item_type, f"{path}[{index}]")


def _check_table(value: Mapping[str, Any], kind: inspect.DictType, path: str) -> None:
    for key, item in value.items():
        _check(key, kind.key_type, path)
        _check(item, kind.value_type, _join(path, key))


def _check_literal(value: Any, kind: inspect.LiteralType, path: str) -> None:
    if value not in kind.values:
        raise ConfigError(f"{path} has '{value}'; allowed: {', '.join(map(str, kind.values))}")


def _check_whole(value: int, kind: inspect.IntType, path: str) -> None:
    low = -(2**63) if kind.ge is None else kind.ge
    high = 2**63 - 1 if kind.le is None else kind.le
    if not low <= value <= high:
        quoted = value if abs(value) <= LARGEST_QUOTED else "too large"
        raise ConfigError(f"{path} is {quoted}; a whole number from {low:,} to {high:,}")


def _check_number(value: float, kind: inspect.FloatType, path: str) -> None:
    try:
        float(value)
    except OverflowError:
        raise ConfigError(f"{path} is too large a number") from None


def _check_union(value: Any, kind: inspect.UnionType, path: str) -> None:
    """Check the value against the member of the same shape."""
    if kind.includes_none and value is None:
        return
    kinds = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
    members = [member for member in kinds if _has_shape(value, member)]
    if not members:
        raise _wrong_type(value, kinds, path)
    literals = [item for m in members if isinstance(m, inspect.LiteralType) for item in m.values]
    if literals and value not in literals:
        others = [_noun(member) for member in kinds if member not in members]
        allowed = ", ".join([*(f'"{item}"' for item in literals), *others])
        raise ConfigError(f"{path} has '{value}'; allowed: {allowed}")
    _check(value, members[0], path)


def _check_nothing(value: Any, kind: Any, path: str) -> None:
    """Accept any value of the right shape."""


_CHECKS: dict[type, Callable[[Any, Any, str], None]] = {
    inspect.StructType: _check_struct,
    inspect.VarTupleType: _check_list,
    inspect.DictType: _check_table,
    inspect.LiteralType: _check_literal,
    inspect.IntType: _check_whole,
    inspect.FloatType: _check_number,
}
_NOUNS: dict[type, str] = {
    inspect.StructType: "a table",
    inspect.DictType: "a table",
    inspect.VarTupleType: "a list",
    inspect.LiteralType: "text",
    inspect.StrType: "text",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
}
_NOUN_OF_VALUE: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a table",
}


def _has_shape(value: Any, kind: inspect.Type) -> bool:
    """Return whether a value could be of a kind, apart from its size and its contents."""
    noun = _noun(kind)
    if noun == "a number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return _NOUN_OF_VALUE.get(type(value)) == noun


def _noun(kind: inspect.Type) -> str:
    return _NOUNS[type(kind)]


def _wrong_type(value: Any, kinds: Sequence[inspect.Type], path: str) -> ConfigError:
    actual = _NOUN_OF_VALUE.get(type(value), f"of type {type(value).__name__}")
    expected = " or ".join(dict.fromkeys(map(_noun, kinds)))
    text = f"{path or 'the document'} is {actual}, not {expected}"
    allowed = [str(item) for m in kinds if isinstance(m, inspect.LiteralType) for item in m.values]
    return ConfigError(f"{text}; allowed: {', '.join(allowed)}" if len(allowed) > 1 else text)


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
