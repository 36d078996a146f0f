"""The leaderboard and the live curves in the terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from optbench.analysis import build_leaderboard
from optbench.records import Curve, RunResult, Status, StudyProtocol
from optbench.report.format.text_charts import braille, curve_ends, mean_curve, sparkline
from optbench.report.markdown import leaderboard_markdown
from optbench.report.terminal.leaderboard_table import leaderboard_table, live
from optbench.report.terminal.live_curves import LiveView
from tests.records.factories import make_curve
from tests.report import samples


def printed(sample: samples.Sample, width: int, **options: object) -> str:
    board, cells = sample
    table = leaderboard_table(board, cells)
    out = io.StringIO()
    Console(file=out, width=width, **options).print(table)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_it_fits_and_names_everyone(width: int) -> None:
    """At any usual width every name is there in full, with its curves."""
    board, cells = samples.study(diverging=0.5)
    text = printed((board, cells), width)
    assert max(map(len, text.splitlines())) <= width
    for row in board.overall:
        line = next(line for line in text.splitlines() if f"■ {row.label}" in line)
        assert any(bar in line for bar in "▁▂▃▄▅▆▇█×")
    assert "…" not in text


def test_wide_terminals_show_a_curve_a_regime() -> None:
    """Where there is room the three regimes stand apart."""
    assert all(regime in printed(samples.study(), 130) for regime in ("batch", "mini-batch", "sgd"))


def test_names_are_not_markup() -> None:
    """A label in square brackets is shown as it stands, and nothing of it is interpreted."""
    sample = samples.study(labels=("[red]x[/red]", "[/]", "sgd[lr=0.1]"), datasets=("iris",))
    text = printed(sample, 120)
    assert "[red]x[/red]" in text
    assert "sgd[lr=0.1]" in text


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR set, a terminal gets no colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    # Any colour code: rich keeps the codes of a style in the colour system that met it first.
    colour = re.compile(r"\x1b\[(?:\d+;)*(?:3|9)\d")
    assert colour.search(
        printed(samples.study(), 120, force_terminal=True, color_system="truecolor")
    )
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed(samples.study(), 120, force_terminal=True, color_system="truecolor")
    assert not colour.search(text)


@given(st.lists(st.floats(allow_nan=True), max_size=30), st.integers(1, 20))
def test_a_sparkline_has_its_width(values: list[float], width: int) -> None:
    """Whatever the numbers, a column of a table stays straight."""
    assert len(sparkline(values, width)) == width


def test_a_sparkline_falls_with_the_loss() -> None:
    """High where the loss is high; crosses from where the runs diverged."""
    assert sparkline([1, 0.1, 0.01], 3) == "█▄▁"
    assert sparkline([1, 0.1, np.nan, np.nan], 4) == "█▁××"


def test_braille_draws_from_corner_to_corner() -> None:
    """A falling line goes from top left to bottom right, in the colour of its label."""
    x = np.geomspace(1, 100, 20)
    rows = braille({"a": (x, 1 / x)}, 10, 5)
    assert [len(row) for row in rows] == [10] * 5
    assert rows[0][0][1] == "a" == rows[-1][-1][1]
    assert rows[0][-1] == (" ", "") == rows[-1][0]


def test_braille_survives_curves_without_points() -> None:
    """Diverged at once, or constant: no picture is no error."""
    assert braille({}, 4, 2) == [[(" ", "")] * 4] * 2
    flat = braille({"a": (np.array([1.0, 2.0]), np.array([1.0, 1.0]))}, 4, 2)
    assert any(k == "a" for row in flat for _, k in row)
    assert braille({"a": (np.array([0.0]), np.array([np.nan]))}, 4, 2)[0][0] == (" ", "")


def test_live_counts_runs_and_shows_the_last_workload() -> None:
    """Every finished run is counted; the picture is of the workload in training."""
    board, cells = samples.study(diverging=1.0)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=90, height=60)
    labels = [row.label for row in board.overall]
    with live(labels, 99, console=console) as view:
        for cell in cells:
            for run in cell.evaluation:
                view.add(cell.entrant.label, run)
    before, last = out.getvalue().rsplit("99 runs", 1)
    assert before.endswith(f"{3 * len(cells)} of ")
    assert cells[-1].workload.dataset in last
    assert "18 runs, 18 diverged" in last


def test_live_is_silent_where_there_is_no_terminal() -> None:
    """In a log file nothing is drawn, and adding runs does no harm."""
    _, cells = samples.study()
    out = io.StringIO()
    with live(["alpha"], 1, console=Console(file=out, force_terminal=False)) as view:
        view.add("alpha", cells[0].evaluation[0])
    assert isinstance(view, LiveView)
    assert out.getvalue() == ""


def test_the_mean_curve_starts_at_one() -> None:
    """Curves of workloads are joined as shares of where they start."""
    _, cells = samples.study()
    curve = mean_curve([c for c in cells if c.entrant.label == "alpha"])
    assert curve[0] == 1
    assert curve[-1] < 0.5


def test_a_curve_of_lost_runs_ends_in_crosses() -> None:
    """Runs that stop early fill only their part of the line, also where all stop together."""
    _, cells = samples.study()
    (cell, *_) = (c for c in cells if c.entrant.label == "alpha")
    ends = curve_ends([cell])

    def cut(run: RunResult) -> RunResult:
        names = run.curve.columns
        rows = run.curve.rows // 2
        matrix = np.array([run.curve[name][:rows] for name in names])
        return replace(run, status=Status.DIVERGED, curve=Curve(names, matrix))

    lost = replace(cell, evaluation=tuple(map(cut, cell.evaluation)))
    line = sparkline(mean_curve([lost], ends=ends))
    assert line.strip("×") != ""
    assert line.endswith("××")
    assert "×" not in sparkline(mean_curve([cell], ends=ends))


def test_a_failed_run_is_no_divergence() -> None:
    """A bug in a plugin is named as such, in the terminal and in Markdown, apart from the rest."""
    _, cells = samples.study()
    broken = [
        replace(
            cell,
            evaluation=tuple(
                replace(run, status=Status.FAILED, reason="IndexError") for run in cell.evaluation
            ),
        )
        if cell.entrant.label == "gamma"
        else cell
        for cell in cells
    ]
    board = build_leaderboard(broken, StudyProtocol(seeds=3))
    line = next(x for x in printed((board, broken), 120).splitlines() if "■ gamma" in x)
    assert line.rstrip().endswith(" failed 18/18")
    said = leaderboard_markdown(board, (), environment={}, command="optbench run")
    assert "gamma: 18 runs failed (IndexError)" in said
    assert "failed 3 of 3" in said
    assert "diverged in" not in said


def test_one_is_singular() -> None:
    """One workload with one seed is not in the plural."""
    text = printed(samples.tiny(), 120)
    assert "1 workload," in text
    assert "1 workloads" not in text
    assert "1 seeds" not in text


def test_curves_of_a_column_have_one_scale() -> None:
    """An optimizer that barely moves has a flat line, however small its scale would be."""
    board, cells = samples.study(labels=("adam", "sgd"), datasets=("iris",))
    flat = [
        replace(cell, evaluation=tuple(_barely_moving(run) for run in cell.evaluation))
        if cell.entrant.label == "sgd"
        else cell
        for cell in cells
    ]
    lines = printed((board, flat), 120).splitlines()
    bars = {
        label: set(next(line for line in lines if f"■ {label}" in line)) & set("▁▂▃▄▅▆▇█")
        for label in ("adam", "sgd")
    }
    assert len(bars["adam"]) > 3
    assert bars["sgd"] == {"█"}


def _barely_moving(run: RunResult) -> RunResult:
    """Return a run whose validation loss hardly changes."""
    loss = run.curve["val_loss"]
    columns = {name: run.curve[name] for name in run.curve}
    columns["val_loss"] = 1 + 1e-3 * np.linspace(0, 1, len(loss))
    return replace(run, curve=make_curve(columns))
