"""The documentation site: formulas, the API reference, and a build without warnings."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import optbench
from optbench.registry import default_registry

DOCS = Path(__file__).parents[2] / "docs"
BUILTIN = {
    name: entry.item
    for name, entry in default_registry().entries("optimizers").items()
    if entry.item.__module__.startswith("optbench_builtin")
}


@pytest.fixture(scope="module")
def site_pages() -> Iterator[Any]:
    """The package that makes pages from code; it lies beside the pages, outside of optbench."""
    sys.path.insert(0, str(DOCS))
    try:
        from site_pages import api, formulas, write

        yield SimpleNamespace(api=api, f=formulas, write=write)
    finally:
        sys.path.remove(str(DOCS))


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("theta <- theta - lr * grad", r"\theta \leftarrow \theta - \eta\, g"),
        ("m_hat = m / (1 - beta1^t)", r"\hat{m} = \frac{m}{1 - \beta_{1}^{t}}"),
        ("L <- L + G G'", r"L \leftarrow L + G\, G^\top"),
        ("x <- a * b / c * d / e", r"x \leftarrow \frac{a\, b}{c}\, \frac{d}{e}"),
        ("r = |theta| / (|grad| + eps)",
         r"r = \frac{\lVert \theta \rVert}{\lVert g \rVert + \varepsilon}"),
        ("g = grad + mu * m", r"g = \nabla + \mu\, m"),
    ],
)  # fmt: skip
def test_formulas_become_latex(site_pages: Any, text: str, latex: str) -> None:
    """The notation of docstrings is read as a mathematician would read it."""
    assert site_pages.f.latex(text) == latex


@pytest.mark.parametrize("text", ["m and v as in Adam", "r = 1 where either norm is 0", "a <- (b"])
def test_sentences_are_no_formulas(site_pages: Any, text: str) -> None:
    """Prose and half formulas stay text."""
    with pytest.raises(ValueError, match=r"formula|expected"):
        site_pages.f.latex(text)


@pytest.mark.parametrize("name", BUILTIN)
def test_every_optimizer_has_a_page_with_its_formula(site_pages: Any, name: str) -> None:
    """The page of an optimizer shows its update as a formula, and a default for every value."""
    page = site_pages.write.optimizer_page(BUILTIN[name])
    formulas = page.split("$$")[1::2]
    assert any(r"\leftarrow" in formula for formula in formulas)
    assert all(f"| `{h}` |" in page for h in BUILTIN[name].hypers())
    assert BUILTIN[name].source in page


def test_every_public_name_is_in_the_reference(site_pages: Any) -> None:
    """Each public name but the types of annotations has an entry, in a group that was chosen."""
    page = site_pages.api.api_page()
    names = {name for name in optbench.__all__ if name[0] != "_"} - site_pages.api.TYPES
    assert [name for name in sorted(names) if f":: optbench.{name}\n" not in page] == []
    assert "## More" not in page


def test_every_public_name_is_documented() -> None:
    """Every public class and function has a docstring of its own."""
    items = {name: getattr(optbench, name) for name in optbench.__all__ if name[0] != "_"}
    bare = [n for n, item in items.items() if callable(item) and not (item.__doc__ or "").strip()]
    assert bare == []


@pytest.mark.skipif(
    importlib.util.find_spec("furo") is None, reason="needs the documentation tools: '.[docs]'"
)
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """One command builds the site without internet; broken links and references are errors."""
    skip_notebooks = ["-D", "nb_execution_mode=off"]  # test_notebooks.py executes them
    command = [sys.executable, "-m", "sphinx", "-W", "-q", *skip_notebooks]
    command += [str(DOCS), str(tmp_path / "site")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    page = (tmp_path / "site" / "generated" / "optimizers" / "adam.html").read_text()
    assert "<math" in page
    assert 'src="http' not in page
