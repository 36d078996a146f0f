"""The contract of a section that a plugin adds to reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ReportSection:
    """A section that appears in the report of every study: a table, a figure, or both.

    Override `table`, `figure` or both. Whatever they return None for is left out.

    Example:
        >>> from optbench import ReportSection
        >>> class Cost(ReportSection):
        ...     '''Seconds of training, by optimizer.'''
        ...     name = "cost"
        ...     title = "What training costs"
        ...     def table(self, study):
        ...         return [
        ...             {"optimizer": cell.entrant.label, "seconds": cell.evaluation[0].seconds}
        ...             for cell in study.cells
        ...         ]
    """

    name: ClassVar[str] = ""
    """Kebab-case and unique; the figure is saved as ``plots/section-<name>``."""
    title: ClassVar[str] = ""
    """Heading of the section."""
    note: ClassVar[str] = ""
    """How to read it, in a sentence or two below the heading."""

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    def table(self, study: Any) -> Sequence[Mapping[str, object]] | Any | None:
        """Return the rows of a table, each a value by column, or a data frame; None for no table.

        Args:
            study: The `optbench.Study`, with its runs, leaderboard and data frames.
        """
        return None

    def figure(self, study: Any) -> Any:
        """Return a matplotlib figure, made with ``matplotlib.figure.Figure``; None for no figure.

        A method that also has a parameter ``width``, as ``figure(self, study, width=None)``, gets
        the width of the plots in inches that ``optbench report --width`` asks for, or None.

        Args:
            study: The `optbench.Study`.
        """
        return None
