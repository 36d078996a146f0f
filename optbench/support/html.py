"""Small HTML for notebooks, without scripts: a table, and curves on a log axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from optbench.support.text import one_line

_CELL = "padding:2px 10px;text-align:left"


class Line(NamedTuple):
    """One curve of a chart: a name, its values, and a CSS color."""

    name: str
    values: npt.NDArray[np.float64]
    colour: str


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> Markup:
    """Return a table; without `head` the first cell of each row is its heading.

    Args:
        rows: Cells of each row; text is escaped, `Markup` is not.
        head: Headings of the columns.

    Example:
        >>> str(table([("a", "<b>")]))[-27:]
        '&lt;b&gt;</td></tr></table>'
    """
    if head:
        body = Markup("").join(_row("td", "td", cells) for cells in rows)
        return Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(
            _row("th", "th", head), body
        )
    return Markup("<table>{}</table>").format(Markup("").join(_row("th", "td", r) for r in rows))


def dot(name: str, colour: str) -> Markup:
    """Return a name after a dot of its color."""
    return Markup('<span style="color:{}">●</span> {}').format(colour, name)


def paragraphs(lines: Iterable[str]) -> Markup:
    """Return one paragraph for each line."""
    return Markup("").join(Markup("<p>{}</p>").format(one_line(line)) for line in lines)


def _row(first: str, others: str, cells: Sequence[object]) -> Markup:
    tags = [first, *[others] * (len(cells) - 1)]
    return Markup("<tr>{}</tr>").format(
        Markup("").join(
            Markup(f'<{tag} style="{_CELL}">{{}}</{tag}>').format(
                cell if isinstance(cell, Markup) else one_line(str(cell))
            )
            for tag, cell in zip(tags, cells, strict=True)
        )
    )


def log_chart(lines: Sequence[Line], width: int = 360, height: int = 120) -> Markup:
    """Return values on a log axis against their index, as inline SVG.

    Values that are not positive and finite are left out; if none remain, the chart is empty.

    Args:
        lines: The curves.
        width: Width in pixels.
        height: Height in pixels.
    """
    logs = [np.log(v[np.isfinite(v) & (v > 0)]) for _, v, _ in lines]
    finite_logs = np.concatenate([np.empty(0), *logs])
    if not len(finite_logs):
        return Markup("")
    low, span = finite_logs.min(), float(np.ptp(finite_logs)) or 1.0
    polylines = []
    for name, values, colour in lines:
        indices = np.flatnonzero(np.isfinite(values) & (values > 0))
        x = 3 + indices / max(len(values) - 1, 1) * (width - 6)
        y = height - 3 - (np.log(values[indices]) - low) / span * (height - 6)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        polyline = '<polyline fill="none" stroke-width="1.5" stroke="{}" points="{}">'
        polylines.append(
            Markup(polyline + "<title>{}</title></polyline>").format(colour, points, name)
        )
    names = escape(", ".join(line.name for line in lines))
    svg = '<svg role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>'
    return Markup(svg).format(names, width, height, width, height, Markup("").join(polylines))
