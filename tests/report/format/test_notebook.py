"""Runs, leaderboards and studies in a notebook."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from optbench.records import StudyProtocol
from optbench.study import Study
from tests.report import samples


def test_a_run_shows_itself() -> None:
    """Its workload, its end and its curve; a reason with markup in it stays text."""
    _, cells = samples.study()
    html = replace(cells[0].evaluation[0], reason="<b>no</b>")._repr_html_()
    assert "<svg" in html
    assert "validation loss" in html
    assert "<b>" not in html


def test_the_curve_of_a_run_has_axes_ticks_and_a_legend() -> None:
    """Both axes have names and three numbers; each line is named in its colour, and is drawn."""
    _, cells = samples.study()
    run = cells[0].evaluation[0]
    html = run._repr_html_()
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", html)
    assert {"epoch", "loss", "training loss", "validation loss"} <= set(texts)
    numbers = [float(text) for text in texts if re.match(r"^[-+.\de]+$", text)]
    epochs, losses = numbers[:3], numbers[3:]
    assert epochs[-1] == run.curve["epoch"][-1]
    every = np.concatenate([run.curve["train_loss"], run.curve["val_loss"]])
    assert losses == sorted(losses)
    assert losses[0] == pytest.approx(every.min(), rel=0.05)
    assert losses[-1] == pytest.approx(every.max(), rel=0.05)
    for name in ("training loss", "validation loss"):
        colour = re.search(rf'fill="(#\w+)">{name}<', html)
        assert colour is not None
        points = re.search(rf'stroke="{colour[1]}" points="([^"]*)"', html)
        assert points is not None
        assert len(points[1].split()) == run.curve.rows


def test_a_leaderboard_shows_itself_safely() -> None:
    """Every name is there, none of them as an element."""
    board, _ = samples.hostile()
    html = board._repr_html_()
    assert "&lt;img src=x" in html
    assert not re.search(r"<(?!/?(table|thead|tbody|tr|th|td|span|p)\b)", html)
    assert board.warnings
    assert html.count("Caution: ") == len(board.warnings)
    assert "score of final loss" in html
    assert len(board.to_pandas()) == len(board.overall) * (1 + len(board.workloads))


def test_a_study_shows_its_leaderboard() -> None:
    """With its curves; and before any run has finished, a line that says so."""
    _, cells = samples.study()
    study = Study("sample", StudyProtocol(), tuple(cells))
    assert study._repr_html_().count("<svg") == 3
    assert len(study.to_pandas()) == len(study.runs)
    empty = replace(study, cells=tuple(replace(c, evaluation=()) for c in cells), suite="<b>")
    assert "no evaluation run has finished" in empty._repr_html_()
    assert "<b>" not in empty._repr_html_()
