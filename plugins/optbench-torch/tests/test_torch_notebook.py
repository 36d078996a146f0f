"""The notebook of the gallery that needs this adapter."""

from __future__ import annotations

from pathlib import Path

from tests.docs.test_notebooks import PYTORCH, check_notebook


def test_the_notebook_runs(tmp_path: Path) -> None:
    """From the first cell to the last."""
    check_notebook(PYTORCH, tmp_path)
