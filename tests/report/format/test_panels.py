"""Cells are laid out in panels."""

from __future__ import annotations

from optbench.report.format.panels import panels
from tests.report import samples


def test_every_evaluated_cell_is_in_one_panel() -> None:
    """No workload is lost on the way to the plots."""
    _, cells = samples.study()
    by_regime = panels(cells)
    assert list(by_regime) == ["batch", "mini-batch", "sgd"]
    assert sum(len(p.cells) for group in by_regime.values() for p in group) == len(cells)
