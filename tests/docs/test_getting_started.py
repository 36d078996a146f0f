"""docs/getting-started.md: its Python runs in order, as a reader would run it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "getting-started.md"


def test_python_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The class is the file of the page; the second block compares it."""
    monkeypatch.chdir(tmp_path)
    own, study = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {"__name__": "mine"}
    exec(own, names)
    exec(study, names)
    assert "quick: 2 optimizers, 1 workload" in str(names["study"])
