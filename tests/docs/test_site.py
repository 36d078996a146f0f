"""The documentation site: formulas, the API reference, and a build without warnings."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import optbench
from optbench.registry import default_registry
from tests.support.packages import need

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
        from site_pages import api, formulas, leaderboards, write

        yield SimpleNamespace(api=api, f=formulas, write=write, leaderboards=leaderboards)
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


def test_the_page_of_an_optimizer_has_its_places_as_the_boards_have_them(site_pages: Any) -> None:
    """Speed is a share of the budget, and a decay is searched by its distance from 1."""
    studies = site_pages.leaderboards.published_studies(DOCS.parent / "results")
    boards = [b for b in studies[0].board.boards if b.name == "speed"]
    page = site_pages.write.optimizer_page(BUILTIN["adam"], boards=boards[:1])
    (row,) = [row for row in boards[0].rows if row.label == "adam"]
    share = f"{100 * 2.0**-row.value:.0f}%"
    assert f"| speed | {site_pages.leaderboards.range_text(*row.place)} | {share} [" in page
    assert "1 - beta1: 0.01 to 0.5, log-uniformly" in page


def test_every_public_name_is_in_the_reference(site_pages: Any) -> None:
    """Each public name but the types of annotations has an entry, in a group that was chosen."""
    index, *pages = site_pages.api.api_pages().values()
    names = {name for name in optbench.__all__ if name[0] != "_"} - site_pages.api.TYPES
    assert [n for n in sorted(names) if f":: optbench.{n}\n" not in "".join(pages)] == []
    assert [n for n in sorted(names) if f"optbench.{n}`" not in index] == []
    assert "## [More]" not in index


def test_every_public_name_is_documented() -> None:
    """Every public class and function has a docstring of its own."""
    items = {name: getattr(optbench, name) for name in optbench.__all__ if name[0] != "_"}
    bare = [n for n, item in items.items() if callable(item) and not (item.__doc__ or "").strip()]
    assert bare == []


def test_every_public_name_has_an_example() -> None:
    """The docstring of every public class and function has one; the session doctests runs it."""
    items = {name: getattr(optbench, name) for name in optbench.__all__ if name[0] != "_"}
    own = {n: i for n, i in items.items() if inspect.isclass(i) or inspect.isroutine(i)}
    assert {"compare", "Study", "Rule", "hyper", "ConfigError"} <= own.keys()
    assert [name for name, item in own.items() if ">>> " not in (item.__doc__ or "")] == []


@pytest.mark.long
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """One command builds the site without internet; broken links and references are errors."""
    need("furo")
    skip_notebooks = ["-D", "nb_execution_mode=off"]  # test_notebooks.py executes them
    command = [sys.executable, "-m", "sphinx", "-W", "-q", *skip_notebooks]
    command += [str(DOCS), str(tmp_path / "site")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    page = (tmp_path / "site" / "generated" / "optimizers" / "adam.html").read_text()
    assert "<math" in page
    assert 'src="http' not in page
    assert broken_links(tmp_path / "site") == []


class Links(HTMLParser):
    """Collects the addresses and the anchors of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element links to, and its anchor."""
        values = dict(attrs)
        self.addresses += [values[key] or "" for key in ("href", "src") if key in values]
        self.anchors.add(values.get("id") or "")


def broken_links(site: Path) -> list[tuple[str, str]]:
    """Return page and address of each link to a file or an anchor that the site does not have."""
    pages = {page.resolve(): Links(page) for page in site.rglob("*.html")}
    broken = []
    for page, links in pages.items():
        for address in links.addresses:
            url = urlsplit(address)
            target = (page.parent / unquote(url.path)).resolve() if url.path else page
            has_anchor = target not in pages or url.fragment in {"", *pages[target].anchors}
            if not url.scheme and not (target.exists() and has_anchor):
                broken.append((page.name, address))
    return broken


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    """A missing file and a missing anchor count, addresses of other sites do not."""
    good = '<p id="a"><a href="#a"></a><a href="b.html#b"></a><a href="https://example.org"></a>'
    (tmp_path / "a.html").write_text(good + '<a href="#c"></a><img src="c.png">')
    (tmp_path / "b.html").write_text('<p id="b"><a href="a.html#a"></a>')
    assert broken_links(tmp_path) == [("a.html", "#c"), ("a.html", "c.png")]


def test_published_leaderboards_have_their_interactive_page(site_pages: Any) -> None:
    """It is made from the JSON alone: every optimizer and pair, no empty charts of curves."""
    studies = site_pages.leaderboards.published_studies(DOCS.parent / "results")
    text = site_pages.leaderboards.leaderboards_page(studies)
    assert {study.name for study in studies} == {"standard.html", "quick.html", "initializers.html"}
    for study in studies:
        assert f"leaderboards/{study.name}" in text
        assert all(f"| {row.label} |" in text for row in study.board.overall)
    page = site_pages.leaderboards.interactive_page(studies[-1])
    assert '<section id="curves" aria-labelledby="h-curves" class="wide" hidden>' in page
    assert "optbench run " in page
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert len(data["labels"]) == len(studies[-1].board.overall)
    assert data["curves"] == []
