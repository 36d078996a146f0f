"""Published figures are reproduced within tolerances that were set beforehand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import optbench
from optbench.errors import OptbenchError
from tests.published.tables import ROWS, Row

PAGE = Path(__file__).parents[2] / "docs" / "published.md"
FAST = [row for row in ROWS if "logistic" in row.what or "quadratic" in row.what]


@pytest.mark.parametrize("row", FAST, ids=lambda row: row.what)
def test_a_published_figure_is_reproduced(row: Row) -> None:
    """With one seed; ``python -m tests.published.tables`` has all rows with three."""
    assert row.measure(1) == pytest.approx(row.published, abs=row.tolerance)


def test_fashion_mnist_with_one_hidden_layer_reaches_the_published_accuracy() -> None:
    """Real images, 100 units, ten passes with Adam at its default: about 0.87."""
    try:
        optbench.load_dataset("fashion-mnist")
    except OptbenchError:
        pytest.skip("needs the files of Fashion-MNIST: Debian's package dataset-fashion-mnist")
    run = optbench.train(
        "adam[lr=0.001]", dataset="fashion-mnist", hidden=(100,), batch_size=200, epochs=10
    )
    assert run.test_metric >= 0.86


def test_the_page_shows_the_rows_and_says_where_they_agree() -> None:
    """Published figure and tolerance are those of the script; "yes" and "no" follow from ours."""
    text = PAGE.read_text(encoding="utf-8")
    for row in ROWS:
        start = re.escape(f"| {row.table} | {row.what} | {row.published:.4g} | ")
        cells = re.search(start + r"([\d.]+) \| ([\d.]+) \| (yes|no) \|", text)
        assert cells is not None, row.what
        ours, tolerance, agrees = float(cells[1]), float(cells[2]), cells[3]
        assert tolerance == row.tolerance
        assert agrees == ("yes" if abs(ours - row.published) <= tolerance else "no")
