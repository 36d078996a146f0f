"""A plot that shows itself in a notebook and can be saved."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from markupsafe import Markup
from matplotlib.figure import Figure

from optbench.errors import ConfigError
from optbench.report.format.plot_formats import check_plot_format
from optbench.report.plots.sheets import Sheet, draw_sheet
from optbench.support.files import atomic_path

PIXELS_PER_INCH = 96
"""Resolution of a notebook's page; the pictures have a higher one, for sharp screens."""


class Plot:
    """One or more sheets, drawn when they are shown or saved.

    Args:
        drawings: Name of each sheet, and the function that draws it.
    """

    def __init__(self, drawings: Iterable[tuple[str, Callable[[], Sheet]]]) -> None:
        self._drawings = dict(drawings)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sheets."""
        return tuple(self._drawings)

    @property
    def figures(self) -> list[Figure]:
        """The sheets as matplotlib figures, drawn again at each access."""
        return [self._draw(name).figure for name in self._drawings]

    def save(
        self, path: str | Path, *, width: float | None = None, bare: bool = False
    ) -> list[Path]:
        """Write the sheets to files.

        Args:
            path: A file that ends in ``.png``, ``.svg`` or ``.pdf``, for a plot of one sheet; or
                a folder, which gets one PNG file for each sheet.
            width: Width of the sheets in inches, such as that of a column of a paper; letters keep
                their size. By default, what the panels need.
            bare: Leave out title and explanation, for a figure with a caption of its own.

        Returns:
            Paths of the files.

        Raises:
            ConfigError: Another format, one file for several sheets, or a width that is too small.
        """
        target = Path(path)
        form = target.suffix.removeprefix(".")
        if not form:
            target.mkdir(parents=True, exist_ok=True)
            names = self._drawings
            return [self._write(name, target / f"{name}.png", "png", width, bare) for name in names]
        check_plot_format(form)
        if len(self._drawings) > 1:
            sheets = ", ".join(self._drawings)
            raise ConfigError(f"this plot has several sheets ({sheets}); save it to a folder")
        return [self._write(name, target, form, width, bare) for name in self._drawings]

    def save_as(
        self, stem: str | Path, form: str, *, width: float | None = None, bare: bool = False
    ) -> list[Path]:
        """Write the sheets to files whose names begin alike.

        Args:
            stem: Path of the file without its suffix. With several sheets, what tells them apart
                is added: ``figure-batch.png``, ``figure-sgd.png``.
            form: ``"png"``, ``"svg"`` or ``"pdf"``.
            width: As for `save`.
            bare: As for `save`.

        Returns:
            Paths of the files.

        Raises:
            ConfigError: Another format, or a width that is too small.
        """
        check_plot_format(form)
        start = Path(stem)
        common = os.path.commonprefix(self.names)  # noqa: RUF071  (letters are compared on purpose)
        common = common[: common.rfind("-") + 1]
        start.parent.mkdir(parents=True, exist_ok=True)
        paths = []
        for name in self._drawings:
            ending = f"-{name.removeprefix(common)}" if len(self._drawings) > 1 else ""
            path = start.with_name(f"{start.name}{ending}.{form}")
            paths.append(self._write(name, path, form, width, bare))
        return paths

    def _draw(self, name: str, width: float | None = None, bare: bool = False) -> Sheet:
        return draw_sheet(self._drawings[name], width, bare=bare)

    def _write(self, name: str, path: Path, form: str, width: float | None, bare: bool) -> Path:
        sheet = self._draw(name, width, bare)
        with atomic_path(path) as partial:
            sheet.write(partial, form)
        sheet.close()
        return path

    def _repr_html_(self) -> str:
        """Return the sheets as pictures, for a notebook."""
        return Markup("").join(self._picture(name) for name in self._drawings)

    def _picture(self, name: str) -> Markup:
        data = io.BytesIO()
        sheet = self._draw(name)
        sheet.write(data, "png")
        width = round(sheet.figure.get_figwidth() * PIXELS_PER_INCH)
        sheet.close()
        return Markup('<img alt="{}" width="{}" src="data:image/png;base64,{}">').format(
            name, width, base64.b64encode(data.getvalue()).decode()
        )

    def __repr__(self) -> str:
        """Return the names of the sheets."""
        return f"Plot({', '.join(self._drawings)}); save('plot.png') writes it"
