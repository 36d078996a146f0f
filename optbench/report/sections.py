"""Sections that plugins add to a report, as text and pictures."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optbench.contracts import ReportSection
from optbench.errors import PluginError
from optbench.report.format import numbers
from optbench.support.text import one_line

SECTION_PREFIX = "section-"
"""First part of the file names of sections' pictures, which sets them apart from other plots."""


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        name: Name of the plugin's section.
        title: Its heading.
        note: How to read it; may be empty.
        columns: Names of the columns of its table.
        rows: Texts of the table, row by row; empty without a table.
        pictures: Its figure in each format, by format; empty without a figure.
    """

    name: str
    title: str
    note: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """File name of its pictures without the format."""
        return f"{SECTION_PREFIX}{self.name}"

    @property
    def digest(self) -> str:
        """Hash of everything that the section shows."""
        texts = repr((self.name, self.title, self.note, self.columns, self.rows))
        digest = hashlib.sha256(texts.encode())
        for form, picture in sorted(self.pictures.items()):
            digest.update(form.encode() + picture)
        return digest.hexdigest()


def make_section(
    section: ReportSection, study: object, formats: Sequence[str], width: float | None = None
) -> Section | None:
    """Return a section of a study's report.

    Args:
        section: The section.
        study: The study.
        formats: Formats of its picture; PNG is added for the page.
        width: Width of the plots in inches, for a method `figure` that takes it; None for what
            the figure needs.

    Returns:
        The section, or None if it has nothing to show for this study.

    Raises:
        PluginError: The plugin returns something other than rows or a figure.
        Exception: Whatever the plugin raises.
    """
    rows, figure = section.table(study), _figure(section, study, width)
    if rows is None and figure is None:
        return None
    columns, texts = _texts(() if rows is None else _records(rows))
    pictures = {}
    if figure is not None:
        from optbench.report.plots.section_figures import picture_bytes

        pictures = picture_bytes(figure, ("png", *formats))
    return Section(
        name=section.name,
        title=one_line(section.title),
        note=one_line(section.note),
        columns=columns,
        rows=texts,
        pictures=pictures,
    )


def _figure(section: ReportSection, study: object, width: float | None) -> Any:
    """Return the figure of a section, which is told the width if it has a parameter for it."""
    if "width" in inspect.signature(section.figure).parameters:
        return section.figure(study, width=width)  # type: ignore[call-arg]
    return section.figure(study)


def section_pictures(sections: Iterable[Section], formats: Sequence[str]) -> dict[str, bytes]:
    """Return the content of each picture file, by its name."""
    return {
        f"{section.stem}.{form}": picture
        for section in sections
        for form, picture in section.pictures.items()
        if form in formats
    }


def _records(table: Any) -> list[Mapping[str, object]]:
    """Return the rows of a list of dicts or of a data frame."""
    rows = table.to_dict("records") if hasattr(table, "to_dict") else table
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise PluginError("table must return a list of dicts, one for each row, or a data frame")
    return list(rows)


def _texts(
    rows: Sequence[Mapping[str, object]],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the columns of all rows, in the order of their first use, and the texts."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    texts = tuple(tuple(_text(row.get(column, "")) for column in columns) for row in rows)
    return tuple(one_line(str(column)) for column in columns), texts


def _text(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # a scalar of NumPy
        value = value.item()
    return numbers.number(value) if isinstance(value, float) else one_line(str(value))
