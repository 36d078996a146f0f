"""The ranking: bars of the score with its interval, best first."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from optbench.analysis.board_rows import OverallRow
from optbench.analysis.leaderboard import Leaderboard
from optbench.report.format import numbers
from optbench.report.format.palette import Look
from optbench.report.plots.labels import cut_label
from optbench.report.plots.sheets import INK, SOFT, Sheet, make_sheet

BAR_INCHES = 0.3
"""Height of a row."""
NAME_LETTER_INCHES = 0.075
TEXT_COLUMNS = {"score": 1.03, "place": 1.14, "ties": 1.27}
"""Where the columns right of the bars begin, as a share of the width of the axes."""


def draw_ranking(board: Leaderboard, looks: dict[str, Look]) -> Sheet:
    """Draw bars of the score with its interval, and the places that remain open."""
    rows = board.overall
    names = [cut_label(row.label) for row in rows]
    sheet = make_sheet(
        "Ranking" + (f": {cut_label(board.title, 60)}" if board.title else ""),
        "Score: progress in log loss from guessing to the best known loss, mean over seeds, "
        "replicates and\nworkloads. Line: 95% interval over replicates. Place: range that pairs "
        "leave open. Optimizers that\nshare a letter are not told apart.",
        width=4.4,
        height=BAR_INCHES * len(rows) + 0.15,
        left=0.3 + NAME_LETTER_INCHES * max(map(len, names), default=4),
        right=1.55,
        between=0.28,
    )
    (axes,) = sheet.axes
    axes.set_xlim(0, max(1.0, *(row.score.value or 0.0 for row in rows)))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), names, color=INK, fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("score (higher is better)")
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform()}
    for heading, x in TEXT_COLUMNS.items():
        axes.text(x, -0.62, heading, color=SOFT, size=7.5, va="bottom", **beside)
    for i, row in enumerate(rows):
        _draw_bar(axes, i, row, looks[row.label])
        texts = (numbers.fixed(row.score.value), numbers.place(*row.place), _marks(row))
        for x, text, colour in zip(TEXT_COLUMNS.values(), texts, (INK, INK, SOFT), strict=True):
            axes.text(x, i, text, va="center", color=colour, **beside)
    return sheet


def _draw_bar(axes: Axes, i: int, row: OverallRow, look: Look) -> None:
    axes.barh(i, row.score.value or 0.0, height=0.62, color=look.colour)
    if row.score.low is not None and row.score.high is not None:
        for width, colour in ((3.2, "white"), (1.3, INK)):
            axes.plot([row.score.low, row.score.high], [i, i], color=colour, linewidth=width)


def _marks(row: OverallRow) -> str:
    """Return the letters of the tie groups, and the marks that the Markdown explains."""
    edges, partial = " *" if row.edges else "", " †" if row.partial else ""
    return short_letters(row.tie_groups) + edges + partial


def short_letters(letters: str) -> str:
    """Shorten runs of three and more letters.

    Example:
        >>> short_letters("abcdik")
        'a-dik'
    """
    runs: list[str] = []
    for letter in letters:
        if runs and ord(letter) == ord(runs[-1][-1]) + 1:
            runs[-1] += letter
        else:
            runs.append(letter)
    return "".join(run if len(run) < 3 else f"{run[0]}-{run[-1]}" for run in runs)
