"""The section of a report with the portraits of a study's optimizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optbench.contracts import ReportSection
from optbench.errors import ConfigError

if TYPE_CHECKING:
    from optbench.inspection.portraits.portrait import Measured

MOST_DRAWN = 6
"""Most optimizers side by side in the picture; the table has all of them."""


class PortraitSection(ReportSection):
    """Properties of each optimizer on small problems, in the order of the leaderboard."""

    name = "portraits"
    title = "Portraits"
    note = (
        "Ten properties on small problems, and what an update costs, as `optbench profile` "
        "measures them. yes: meets the criterion; no: does not."
    )

    def __init__(self, study: Any) -> None:
        self._study = study

    @cached_property
    def portraits(self) -> dict[str, list[Measured]]:
        """Label -> properties, of every entrant that is registered or made from a name."""
        from optbench.inspection.portraits.portrait import draw_portrait
        from optbench.inspection.portraits.subject import find_subject
        from optbench.registry import default_registry

        portraits = {}
        for row in self._study.leaderboard.overall:
            try:
                subject = find_subject(row.label, default_registry())
            except ConfigError:  # it was passed as an object, and has no name
                continue
            portraits[row.label] = draw_portrait(subject)
        return portraits

    def table(self, study: Any) -> Sequence[Mapping[str, object]] | None:
        """Return a row for each property, with a column for each optimizer."""
        if not self.portraits:
            return None
        from optbench.inspection.portraits.portrait import compare_portraits

        columns = ("property", *self.portraits, "criterion")
        return [
            dict(zip(columns, map(str.strip, row), strict=True))
            for row in compare_portraits(list(self.portraits.values()))
        ]

    def figure(self, study: Any, width: float | None = None) -> Any:
        """Return the picture of the first optimizers, as wide as that."""
        if not self.portraits:
            return None
        from optbench.report.plots.portrait_table import draw_portraits
        from optbench.report.plots.sheets import draw_sheet

        labels = list(self.portraits)[:MOST_DRAWN]
        drawn = [self.portraits[label] for label in labels]
        return draw_sheet(lambda: draw_portraits(labels, drawn), width).figure
