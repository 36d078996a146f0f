"""Columns of a table as numbers: text is one-hot encoded, missing values stay NaN.

A column that cannot be encoded without a decision of the user, such as one of dates, is refused
with its name and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from optbench.contracts import Array, Task
from optbench.data.table_values import is_missing
from optbench.errors import ConfigError
from optbench.registry.declared_values import short_repr
from optbench.support.text import count, join_names, plural

MOST_TEXTS = 100
"""Most different texts of a column that are one-hot encoded."""
MOST_CLASSES = 20
"""Most different whole numbers of a target that are taken for classes."""
FEWEST_OF_A_CLASS = 5
"""Mean number of rows of each whole number of a target that is taken for classes."""
MOST_BYTES = 2 * 1024**3
"""Most memory that the encoded columns may take."""
_DATE = re.compile(
    r"""
    \d{4} (?P<big>[-/.]) \d{1,2} (?P=big) \d{1,2} ([T ]\d.*)?            # 2021-03-12, with a time
    | \d{1,2} (?P<small>[-/.]) \d{1,2} (?P=small) (\d{4}|\d{2}) (\ \d.*)?  # 12.3.2021
    | (\d{1,2}[\ .-]+)?                             # 12 Mar 2021, March 12, 2021, Mar-21
      (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*
      ([\ .,-]+\d{1,4}){1,2}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]m)?", re.IGNORECASE)
_UNITS = "$\u20ac\u00a3\u00a5% "
"""Signs of currencies, and of percent."""

_WITH_COMMA = re.compile(r"[+-]?\d*(,\d+)*(\.\d+)?")


class Encoded(NamedTuple):
    """The inputs of a table.

    Attributes:
        x: Inputs, shape (n, n_features), float64; NaN where a value is missing.
        notes: What was done to the columns, one sentence each.
    """

    x: Array
    notes: tuple[str, ...]


def encode_columns(columns: Mapping[str, Array]) -> Encoded:
    """Return columns as numbers: a text column as one column of 0 and 1 for each text.

    Missing values of a text column have all zeros.

    Args:
        columns: Columns by name, each of shape (n,): numbers, truth values, or texts.

    Raises:
        ConfigError: A column holds dates, other objects, infinite values, or more than 100
            different texts; all its values are missing; or the result would take over 2 GB.

    Example:
        >>> table = {"size": np.array([1.0, np.nan]), "town": np.array(["Rome", "Oslo"])}
        >>> encode_columns(table).x
        array([[ 1.,  0.,  1.],
               [nan,  1.,  0.]])
    """
    checked = {name: check_column(name, values) for name, values in columns.items()}
    texts = {
        name: sorted({str(value) for value in values.tolist() if not is_missing(value)})
        for name, values in checked.items()
        if values.dtype.kind == "O"
    }
    rows = len(next(iter(checked.values())))
    width = sum(len(texts.get(name, "1")) for name in checked)
    if rows * width * 8 > MOST_BYTES:
        raise ConfigError(
            f"{rows:,} rows with {width:,} columns would take {rows * width * 8 / 1024**3:.1f} GB; "
            f"the limit is {MOST_BYTES / 1024**3:g} GB: leave rows or columns out"
        )
    x = np.empty((rows, width))
    start, missing = 0, {}
    for name, values in checked.items():
        is_text = values.dtype.kind == "O"
        lacking = sum(map(is_missing, values.tolist())) if is_text else int(np.isnan(values).sum())
        if lacking:
            missing[name] = (lacking, is_text)
        if is_text:
            stop = start + len(texts[name])
            x[:, start:stop] = values[:, None] == np.array(texts[name], dtype=object)
        else:
            stop = start + 1
            x[:, start] = values
        start = stop
    return Encoded(x, (*_text_notes(texts), *_missing_notes(missing)))


def check_column(name: str, values: Array) -> Array:
    """Return a column as float64, or as objects that are texts or missing.

    Raises:
        ConfigError: The column is one that `encode_columns` refuses.
    """
    values = np.asarray(values)
    if values.dtype.kind in "fiub":
        numbers: Array = values.astype(float)
    elif values.dtype.kind == "M":
        raise _date_error(name, str(values[0]))
    elif values.dtype.kind in "OUS":
        present = [value for value in values.tolist() if not is_missing(value)]
        if not all(isinstance(value, int | float | np.number) for value in present):
            return _checked_texts(name, values, present)
        numbers = np.array(
            [np.nan if is_missing(value) else float(value) for value in values.tolist()]
        )
    else:
        raise ConfigError(
            f"column '{name}' has values of type {values.dtype}, not numbers or texts"
        )
    if np.isinf(numbers).any():
        raise ConfigError(f"column '{name}' has infinite values; replace them or leave rows out")
    if np.isnan(numbers).all():
        raise ConfigError(f"column '{name}' has no values; leave it out")
    return numbers


def guess_task(labels: Array) -> tuple[Task, str]:
    """Return the task that the targets of a table mean, and the reason.

    Whole numbers are classes if there are at most 20 different ones and, in the mean, 5 rows of
    each. Other numbers are targets of a regression. Texts and truth values are classes.

    Args:
        labels: Column of targets, shape (n,), nothing missing.

    Example:
        >>> guess_task(np.array(["cat", "dog", "cat"]))
        ('binary', '2 different texts (cat and dog)')
        >>> guess_task(np.array([1.5, 2.5]))
        ('regression', 'numbers on a scale')
    """
    distinct = len(set(labels.tolist()))
    classes: Task = "binary" if distinct == 2 else "multiclass"
    if labels.dtype.kind in "fiu":
        numbers = labels.astype(float)
        if (numbers != np.round(numbers)).any():
            return "regression", "numbers on a scale"
        few = distinct <= MOST_CLASSES and len(labels) >= FEWEST_OF_A_CLASS * distinct
        return classes if few else "regression", f"{distinct} different whole numbers"
    if labels.dtype.kind == "b":
        return classes, f"{distinct} different truth values"
    texts = sorted({str(label) for label in labels.tolist()})
    return classes, f"{distinct} different texts ({join_names(texts)})"


def _checked_texts(name: str, values: Array, present: Sequence[Any]) -> Array:
    """Return a column of texts as objects; refuse other values, dates, and too many texts."""
    for value in present:
        if type(value).__name__ in ("Timestamp", "datetime", "date"):
            raise _date_error(name, str(value))
        if not isinstance(value, str):
            raise ConfigError(
                f"column '{name}' has {short_repr(value)} among its values; a column holds either "
                "numbers or texts"
            )
    check_texts(name, present)
    distinct = len(set(present))
    if distinct > MOST_TEXTS:
        raise ConfigError(
            f"column '{name}' has {distinct} different texts, such as {short_repr(present[0])}; "
            f"at most {MOST_TEXTS} are encoded: leave the column out, group its values, or write "
            "numbers with a decimal point"
        )
    return values.astype(object)


def check_texts(name: str, texts: Sequence[str]) -> None:
    """Refuse a column whose texts are dates, or numbers that are not written as such.

    Args:
        name: Name of the column.
        texts: Its values that are not missing.

    Raises:
        ConfigError: All of them are dates, or times of day; or numbers, some of them with a comma
            or a sign of currency or percent; or more than half of them are numbers on a scale.
    """
    bare = [text.strip() for text in texts]
    if not bare:
        return
    if all(map(_DATE.fullmatch, bare)):
        raise _date_error(name, texts[0])
    if all(map(_TIME.fullmatch, bare)):
        raise ConfigError(
            f"column '{name}' has times, such as {short_repr(texts[0])}; leave it out, or replace "
            "it by numbers, such as the hours since midnight"
        )
    commas = [text for text in texts if "," in text]
    if commas and all(map(_WITH_COMMA.fullmatch, bare)):
        raise ConfigError(
            f"column '{name}' has numbers with a comma, such as {short_repr(commas[0])}; write a "
            "decimal point, and no separator of thousands"
        )
    units = [text for text in bare if text != text.strip(_UNITS)]
    if units and all(_is_number(text.strip(_UNITS).replace(",", "")) for text in bare):
        raise ConfigError(
            f"column '{name}' has numbers with a unit, such as {short_repr(units[0])}; write the "
            "number alone"
        )
    numbers = [text for text in bare if _is_number(text)]
    if len(numbers) > len(bare) / 2 and len(set(numbers)) > MOST_CLASSES:
        others = sorted({text for text in bare if not _is_number(text)})
        raise ConfigError(
            f"column '{name}' has {count(len(numbers), 'number')}, and also "
            f"{join_names([short_repr(text) for text in others])}; write a "
            "number, or leave the field empty if the value is missing"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _date_error(name: str, value: str) -> ConfigError:
    return ConfigError(
        f"column '{name}' has dates, such as {short_repr(value)}; leave it out, or replace it by "
        "numbers, such as the days since a fixed date"
    )


def _text_notes(texts: Mapping[str, Sequence[str]]) -> list[str]:
    if not texts:
        return []
    names = ", ".join(f"{name} ({len(values)})" for name, values in texts.items())
    columns = f"{count(len(texts), 'text column')} {plural(len(texts), 'is', 'are')}"
    return [f"{columns} encoded as one column of 0 and 1 for each text: {names}"]


def _missing_notes(missing: Mapping[str, tuple[int, bool]]) -> list[str]:
    """Return how missing values of numbers, and of texts, are replaced."""
    notes = []
    for is_text, what in (
        (False, "replaced by the median of the column's training part"),
        (True, "encoded as 0 in all columns of the text"),
    ):
        counts = {name: values for name, (values, text) in missing.items() if text is is_text}
        if counts:
            total = sum(counts.values())
            names = ", ".join(f"{name} ({values})" for name, values in counts.items())
            verb = plural(total, "is", "are")
            notes.append(f"{count(total, 'missing value')} {verb} {what}: {names}")
    return notes
