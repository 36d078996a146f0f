"""Every hook that exists is explained and tested; the list is read from the code."""

from __future__ import annotations

import inspect
import re
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


def sections_of_the_docs() -> dict[str, str]:
    """Text of each section of docs/plugins.md, by its heading."""
    parts = re.split(r"^#{2,3} (.+)$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_has_a_section_with_a_worked_example(name: str) -> None:
    """docs/plugins.md explains each hook as it is declared now; the examples run as tests."""
    parameters = ", ".join(inspect.signature(HOOKS[name]).parameters)
    section = sections_of_the_docs()[f"`{name}({parameters})`"]
    text, *examples = re.split(r"^```python\n", section, flags=re.MULTILINE)
    assert len(text.split()) > 5
    marked = f"@optbench.hookimpl\ndef {name}({parameters}):"
    assert any(marked in example.partition("```")[0] for example in examples)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_is_implemented_in_some_test(name: str) -> None:
    """Every hook is exercised."""
    files = (path for path in TESTS.rglob("*.py") if path != Path(__file__))
    assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in files)
