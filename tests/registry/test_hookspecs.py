"""Every hook that exists is explained and tested; the list is read from the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optbench.registry import hookspecs

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs" / "plugins.md"

HOOKS: dict[str, Callable[..., Any]] = {
    name: item for name, item in vars(hookspecs).items() if hasattr(item, "optbench_spec")
}


def test_there_are_hooks() -> None:
    """The enumeration that the other tests rest on finds them."""
    assert {"optbench_register_optimizers", "optbench_resolve_optimizer"} <= set(HOOKS)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_has_a_docstring_of_one_line(name: str) -> None:
    """A hook is explained where it is declared."""
    doc = inspect.getdoc(HOOKS[name])
    assert doc
    assert doc.endswith(".")
    assert "\n" not in doc


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_is_documented_with_its_signature(name: str) -> None:
    """docs/plugins.md shows each hook as it is declared now."""
    parameters = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert f"{name}({parameters})" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_is_implemented_in_some_test(name: str) -> None:
    """A hook that nobody exercises is not there."""
    files = (path for path in TESTS.rglob("*.py") if path != Path(__file__))
    assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in files)
