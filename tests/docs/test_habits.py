"""Version, citation and deprecations say the same everywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import optbench

ROOT = Path(__file__).parents[2]


def test_there_is_one_version() -> None:
    """The package has it, pyproject.toml reads it there, and citation and changelog follow."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["hatch"]["version"]["path"] == "optbench/__init__.py"
    version = optbench.__version__
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version} " in (ROOT / "CHANGELOG.md").read_text()


def test_every_deprecation_stands_in_the_table() -> None:
    """A module that warns of a deprecation names what the table of deprecations names."""
    rows = re.findall(r"^\| `([^`]+)`", (ROOT / "docs" / "deprecations.md").read_text(), re.M)
    sources = {p: p.read_text() for p in (ROOT / "optbench").rglob("*.py")}
    warning = [p for p, text in sources.items() if re.search(r"\bDeprecationWarning\b", text)]
    assert [p for p in warning if not any(name in sources[p] for name in rows)] == []
    assert [name for name in rows if not any(name in sources[p] for p in warning)] == []
