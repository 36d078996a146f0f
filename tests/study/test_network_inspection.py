"""Networks inspected from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import optbench
from optbench.errors import ConfigError


def test_an_inspection_has_signals_run_and_findings(tmp_path: Path) -> None:
    """The fresh network, the trained one, and what is wrong, as text, table, plot and HTML."""
    inspection = optbench.inspect(
        "zeros", dataset="iris", hidden=(8, 8), optimizer="sgd", epochs=2, with_sharpness=True
    )
    assert inspection.result is not None
    assert inspection.after is not None
    assert inspection.sharpness is not None
    assert "all units of a layer compute the same" in inspection.verdict
    assert any("random initial weights" in finding.advice for finding in inspection.findings)
    assert [row[0] for row in inspection.rows] == ["1", "2"]
    assert len(inspection.columns) == len(inspection.rows[0]) == 9
    assert inspection.verdict in repr(inspection)
    assert "<img" in inspection._repr_html_()
    (path,) = inspection.plot().save(tmp_path / "inspection.svg")
    assert path.stat().st_size > 1000


def test_without_training_there_is_no_run() -> None:
    """Zero epochs look only at the fresh network; one width is one layer."""
    inspection = optbench.inspect("he-normal", dataset="iris", hidden=8, epochs=0)
    assert inspection.result is None
    assert inspection.after is None
    assert len(inspection.rows) == 1
    assert len(inspection.sentences) == 1


@pytest.mark.parametrize(("epochs", "panels"), [(0, 1), (3, 3)])
def test_a_linear_model_is_described_by_its_output(epochs: int, panels: int) -> None:
    """It has no hidden layers: no panel is empty, and one row describes the output."""
    inspection = optbench.inspect(dataset="circles", hidden=(), epochs=epochs)
    data = optbench.load_dataset("circles")
    ((layer, signal, gradient, *rest),) = inspection.rows
    assert layer == "output"
    assert float(signal) == pytest.approx(inspection.before.output_signal, rel=0.01)
    assert float(gradient) == pytest.approx(inspection.before.output_gradient, rel=0.01)
    assert rest[:2] == ["-", "-"]
    assert len(inspection.rows[0]) == len(inspection.columns)
    assert "relu" not in inspection.title
    assert "through all layers" not in inspection.sentences[0]
    sheet = inspection.drawing()()
    assert len(sheet.axes) == panels
    assert all(axes.lines or axes.patches for axes in sheet.axes)
    titles = " ".join(text.get_text() for text in sheet.figure.texts)
    assert "linear model" in titles
    assert "0 layers" not in titles
    assert data.n_outputs == 1
    assert len(inspection.before.outputs) == 64


@pytest.mark.parametrize("initializer", ["he-normal", "xavier-normal"])
def test_a_run_without_findings_is_not_called_perfect(initializer: str) -> None:
    """Where the initial weights let the signal fade, the last sentence does not deny it."""
    inspection = optbench.inspect(
        initializer, dataset="digits", hidden=(64,) * 6, optimizer="sgd[lr=0.1]", epochs=10
    )
    assert inspection.findings == ()
    assert ("initial weights" in inspection.sentences[-1]) == (initializer == "xavier-normal")


def test_initializers_are_ranked_by_what_passes_through_deep_networks(tmp_path: Path) -> None:
    """He suits ReLU; zeros and small weights do not."""
    names = ["zeros", "small-normal", "he-normal"]
    comparison = optbench.compare_initializers(names, depth=10)
    assert comparison.rows[0][0] == "he-normal"
    assert comparison.choice.best == ("he-normal",)
    assert "10 layers of 32 relu units" in repr(comparison)
    assert "<img" in comparison._repr_html_()
    (path,) = comparison.plot().save(tmp_path / "initializers.svg")
    assert path.stat().st_size > 1000


def test_unknown_names_are_refused_with_the_nearest() -> None:
    """As on the command line."""
    with pytest.raises(ConfigError, match="did you mean 'zeros'"):
        optbench.inspect("zeroes", dataset="iris", epochs=0)
    with pytest.raises(ConfigError, match="hidden=0"):
        optbench.inspect(dataset="iris", hidden=0)
