"""The notebooks run from the first cell to the last, in a kernel of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.waiting import PATIENCE

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))
PYTORCH = NOTEBOOKS[0].with_name("pytorch-class.ipynb")
"""The notebook that needs optbench-torch; the tests of the adapter run it."""


def read_notebook(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def check_notebook(path: Path, folder: Path) -> None:
    """Every cell ends without an error, and every cell that ends in a value shows it."""
    notebook = read_notebook(path)
    client = NotebookClient(
        notebook,
        timeout=PATIENCE,
        startup_timeout=PATIENCE,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
    )
    client.execute()
    shown = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) == sum(cell.cell_type == "code" for cell in notebook.cells)
    assert any("text/html" in out.get("data", {}) for cell in shown for out in cell.outputs)


@pytest.mark.long
@pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if path != PYTORCH], ids=lambda path: path.stem
)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    """From the first cell to the last."""
    check_notebook(path, tmp_path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    """What a run showed on one machine does not belong in the repository."""
    for cell in read_notebook(path).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_there_is_a_notebook_of_ten_cells() -> None:
    """The first study has ten cells of code."""
    (first,) = (path for path in NOTEBOOKS if path.stem == "first-study")
    cells = read_notebook(first).cells
    assert sum(cell.cell_type == "code" for cell in cells) == 10
