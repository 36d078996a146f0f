"""`optbench response` tells and draws the steps that optimizers make of noisy gradients."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from optbench.cli import main
from optbench.inspection.responses import draw_series, respond
from optbench.report.plots.gradient_responses import draw_responses
from optbench.report.plots.sheets import draw_sheet

OPTIMIZERS = ("sgd", "momentum[beta=0.5]", "momentum[beta=0.9]")


def test_table_picture_and_json(tmp_path: Path) -> None:
    """Less noise is left, and the turn comes later, the larger beta is."""
    options = [part for name in OPTIMIZERS for part in ("-o", name)]
    result = CliRunner().invoke(main, ["response", *options, "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert [row["optimizer"] for row in told["responses"]] == list(OPTIMIZERS)
    noise, delay = ([row[key] for row in told["responses"]] for key in ("noise", "delay"))
    assert noise == sorted(noise, reverse=True)
    assert delay == sorted(delay)
    assert (tmp_path / "response.png").read_bytes().startswith(b"\x89PNG")


def test_each_panel_has_axes_a_legend_and_its_own_steps() -> None:
    """The gradients are the same in all panels; the line in colour is the optimizer's steps."""
    series = draw_series(updates=50)
    responses = [respond(name, series) for name in OPTIMIZERS]
    sheet = draw_sheet(lambda: draw_responses(series, responses))
    assert len(sheet.axes) == len(OPTIMIZERS)
    for axes, response in zip(sheet.axes, responses, strict=True):
        lines = {line.get_label(): line.get_ydata() for line in axes.lines}
        assert np.asarray(lines["gradient"]).tolist() == series.gradients[:, 0].tolist()
        assert np.asarray(lines["step"]).tolist() == response.steps[:, 0].tolist()
        legend = axes.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == list(lines)
        assert axes.get_xlabel() == "update"
        assert len(axes.get_xticks()) > 1
