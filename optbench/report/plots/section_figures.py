"""Saves the figures of plugins in the style of the other plots."""

from __future__ import annotations

import io
from collections.abc import Iterable

from matplotlib.figure import Figure

from optbench.errors import PluginError
from optbench.report.plots.sheets import Sheet


def picture_bytes(figure: object, formats: Iterable[str]) -> dict[str, bytes]:
    """Return a figure as the content of a file in each format.

    Raises:
        PluginError: It is not a figure of matplotlib.
    """
    if not isinstance(figure, Figure):
        raise PluginError(
            f"figure must return a matplotlib Figure, not an object of {type(figure).__name__}"
        )
    pictures = {}
    sheet = Sheet(figure, list(figure.axes), 1)
    for form in dict.fromkeys(formats):
        file = io.BytesIO()
        sheet.write(file, form)
        pictures[form] = file.getvalue()
    sheet.close()
    return pictures
