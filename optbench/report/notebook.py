"""How runs and leaderboards show themselves in a notebook: small HTML without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from markupsafe import Markup, escape

from optbench.analysis.leaderboard import Leaderboard
from optbench.contracts import Array
from optbench.plaintext import one_line
from optbench.records import Cell, RunResult
from optbench.report import text
from optbench.report.palette import COLOURS, looks
from optbench.report.sparks import mean_curve

_CELL = "padding:2px 10px;text-align:left"


def run_html(result: RunResult) -> str:
    """One run: what it was, how it ended, and its curve.

    Args:
        result: the run; its names are escaped.
    """
    spec = result.spec
    shown = [
        ("run", f"{spec.configuration}, seed {spec.seed}"),
        ("workload", spec.workload.label),
        ("status", str(result.status) + (f": {result.reason}" if result.reason else "")),
        ("test loss", text.number(result.test_loss, 4)),
        ("test metric", text.number(result.test_metric, 4)),
        ("time", f"{result.seconds:.3g} s, {result.grad_evals} gradients, {result.loop} loop"),
    ]
    rows = Markup("").join(
        Markup('<tr><th style="{}">{}</th><td style="{}">{}</td></tr>').format(
            _CELL, name, _CELL, one_line(value)
        )
        for name, value in shown
    )
    curves = [
        (result.curve[column], colour, name)
        for column, colour, name in (
            ("train_loss", COLOURS[1], "training loss"),
            ("val_loss", COLOURS[0], "validation loss"),
        )
        if column in result.curve
    ]
    return str(Markup("<table>{}</table>{}").format(rows, _chart(curves)))


def leaderboard_html(board: Leaderboard, cells: Sequence[Cell] = ()) -> str:
    """The ranked table, the sentences about the whole study below it.

    Args:
        board: the leaderboard.
        cells: with them each row has its mean curve.
    """
    seen = looks(row.label for row in board.overall)
    heads = ("place", "optimizer", "score", "ties", "diverged", *(("curve",) if cells else ()))
    rows = []
    for row in board.overall:
        colour = seen[row.label].colour
        mine = [c for c in cells if c.entrant.label == row.label]
        dot = Markup('<span style="color:{}">●</span> {}').format(colour, row.label)
        values = [
            text.place(*row.place),
            dot,
            text.interval(row.score),
            row.tie_groups,
            text.lost(row.divergence, row.failed),
        ]
        if cells:
            values.append(_chart([(mean_curve(mine), colour, row.label)], 120, 24))
        rows.append(_tr("td", values))
    lines = Markup("").join(
        Markup("<p>{}</p>").format(one_line(v.text)) for v in board.verdicts if not v.label
    )
    made = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>{}")
    return str(made.format(_tr("th", heads), Markup("").join(rows), lines))


class StudyLike(Protocol):
    """What `study_html` needs of a study."""

    @property
    def suite(self) -> str: ...
    @property
    def cells(self) -> Sequence[Cell]: ...
    def leaderboard(self) -> Leaderboard: ...


def study_html(study: StudyLike) -> str:
    """The study's leaderboard, or a line that says what there is where nothing has finished.

    Args:
        study: a study, complete or not.
    """
    if any(cell.evaluation for cell in study.cells):
        return leaderboard_html(study.leaderboard(), study.cells)
    return str(
        Markup("<p>{}: no evaluation run has finished ({} cells).</p>").format(
            one_line(study.suite), len(study.cells)
        )
    )


def _tr(tag: str, values: Sequence[object]) -> Markup:
    cell = Markup(f'<{tag} style="{_CELL}">{{}}</{tag}>')
    return Markup("<tr>{}</tr>").format(Markup("").join(cell.format(v) for v in values))


def _chart(curves: Sequence[tuple[Array, str, str]], width: int = 360, height: int = 120) -> Markup:
    """Losses on a log axis against the number of the evaluation, as inline SVG."""
    every = [np.log(c[np.isfinite(c) & (c > 0)]) for c, _, _ in curves]
    joined = np.concatenate([np.empty(0), *every])
    if not len(joined):
        return Markup("")
    low, span = joined.min(), float(np.ptp(joined)) or 1.0
    lines = []
    for values, colour, name in curves:
        good = np.flatnonzero(np.isfinite(values) & (values > 0))
        x = 3 + good / max(len(values) - 1, 1) * (width - 6)
        y = height - 3 - (np.log(values[good]) - low) / span * (height - 6)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        line = '<polyline fill="none" stroke-width="1.5" stroke="{}" points="{}"><title>{}</title>'
        lines.append(Markup(line + "</polyline>").format(colour, points, name))
    names = escape(", ".join(name for _, _, name in curves))
    svg = '<svg role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>'
    return Markup(svg).format(names, width, height, width, height, Markup("").join(lines))
