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
