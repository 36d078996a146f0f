"""Writes the generated pages: optimizers, command line, Python API and published leaderboards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import optbench
from optbench.analysis.board_records import Board, select_boards
from optbench.analysis.words.board_text import TITLES, interval_text
from optbench.contracts import Hyper, Optimizer
from optbench.registry import default_registry
from optbench.support.text import range_text
from site_pages import formulas, leaderboards
from site_pages.api import api_pages
from site_pages.leaderboards import interactive_page, leaderboards_page, published_studies
from site_pages.tables import table

FOLDER = "generated"
"""Where generated pages are written to, inside the documentation."""
RESULTS = "results"
PATHS_LANDSCAPE = "rosenbrock"
PATH_STEPS = 200
BUILTIN = "optbench_builtin"


def write_generated_pages(docs: Path) -> None:
    """Write every generated page that is out of date.

    Args:
        docs: Folder of the documentation.
    """
    folder = docs / FOLDER
    (folder / "optimizers").mkdir(parents=True, exist_ok=True)
    entries = default_registry().entries("optimizers")
    builtin = {n: e.item for n, e in entries.items() if e.item.__module__.startswith(BUILTIN)}
    studies = published_studies(docs.parent / RESULTS)
    boards = select_boards(studies[0].board.boards) if studies else []
    for name, optimizer in builtin.items():
        picture = _draw_path(name, folder / "optimizers" / f"{name}.svg")
        _write(folder / "optimizers" / f"{name}.md", optimizer_page(optimizer, picture, boards))
    _write(folder / "optimizers" / "index.md", _index(builtin))
    for file, page in api_pages().items():
        _write(folder / file, page)
    _write(folder / "cli.md", CLI_PAGE)
    _write(folder / "leaderboards.md", leaderboards_page(studies))
    for study in studies:
        _write(folder / "pages" / leaderboards.FOLDER / study.name, interactive_page(study))


def _write(path: Path, text: str) -> None:
    """Write a page unless it is the same, so that Sphinx need not build it again."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _index(optimizers: Mapping[str, Optimizer]) -> str:
    rows = [(f"[{n}]({n}.md)", _summary(o), o.source) for n, o in optimizers.items()]
    toctree = "\n".join(["```{toctree}", ":hidden:", "", *optimizers, "```"])
    head = "# Optimizers\n\nEach page shows the formula, the hyperparameters and a path.\n"
    return f"{head}\n{table(('name', 'in one line', 'source'), rows)}\n\n{toctree}\n"


def _summary(optimizer: Optimizer) -> str:
    return (optimizer.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ").strip()


def optimizer_page(optimizer: Optimizer, picture: str = "", boards: Sequence[Board] = ()) -> str:
    """Return the page of one optimizer, in Markdown.

    Args:
        optimizer: Its class.
        picture: File of its path over a landscape, beside the page.
        boards: The published boards.
    """
    name = optimizer.name
    blocks = [f"# {name}", *formula_blocks(optimizer)]
    source = f"[{optimizer.source}]({optimizer.url})" if optimizer.url else optimizer.source
    blocks.append(f"Source\n: {source}\n\nVariant\n: {optimizer.variant or 'as in the source'}")
    blocks.append("## Hyperparameters\n\n" + _hyper_table(optimizer.hypers().values()))
    if picture:
        blocks.append(
            f"## Path\n\n![Path of {name} over the {PATHS_LANDSCAPE} function]({picture})\n\n"
            f"```console\n$ optbench trajectory {PATHS_LANDSCAPE} -o {name}\n```"
        )
    places = [_place(board, name) for board in boards]
    rows = [row for row in places if row]
    if rows:
        blocks.append(
            "## In the published leaderboard\n\n"
            + table(("board", "place", "value and its interval"), rows)
            + "\n\nOn the workloads of the suite `standard`; see "
            "[reading a leaderboard](../../reading.md)."
        )
    rival = "sgd" if name == "adam" else "adam"
    kind = "compiled" if issubclass(optimizer, optbench.Rule) else "stepped"
    blocks.append(
        f"## Run it\n\n```console\n$ optbench show {name}\n$ optbench run -o {name} -o {rival}\n```"
        f"\n\nIt is trained by the {kind} loop."
    )
    return "\n\n".join(blocks) + "\n"


def formula_blocks(optimizer: Optimizer) -> list[str]:
    """Return the docstring of an optimizer, with its formulas set in LaTeX."""
    import inspect

    paragraphs = inspect.getdoc(optimizer).split("\n\n")  # type: ignore[union-attr]
    head, colon, rest = paragraphs[0].partition(": ")
    if colon and "<-" in rest:
        paragraphs[:1] = [f"{head}.", rest]
    blocks = [paragraphs[0].replace("\n", " ")]
    for paragraph in paragraphs[1:]:
        blocks += map(_clause_block, formulas.clauses(paragraph))
    return blocks


def _clause_block(clause: formulas.Clause) -> str:
    if clause.is_formula:
        return f"$$\n{clause.text}\n$$"
    end = clause.end.replace(",", ".").replace(";", ".")
    text = clause.text.strip()
    text = f"`{text}`" if "<-" in text or " = " in text else text[:1].upper() + text[1:]
    return text + (end if not text.endswith(":") else "")


def _hyper_table(hypers: Iterable[Hyper]) -> str:
    rows = [
        (f"`{h.name}`", f"`{h.default}`", h.meaning, h.describe_range(), h.describe_search())
        for h in hypers
    ]
    return (
        table(("name", "default", "meaning", "allowed", "tuning searches"), rows)
        if rows
        else "None."
    )


def _place(board: Board, label: str) -> tuple[str, ...]:
    row = next((row for row in board.rows if row.label == label), None)
    if row is None or row.value is None:
        return ()
    return TITLES[board.name].lower(), range_text(*row.place), interval_text(board.name, row)


def _draw_path(name: str, path: Path) -> str:
    """Draw the path of an optimizer unless it is drawn already; return the name of the file."""
    if path.is_file():
        return path.name
    from optbench.inspection.landscapes import find_ground, follow
    from optbench.report.plots import write_plot
    from optbench.report.plots.landscape_maps import draw_paths

    ground = find_ground(PATHS_LANDSCAPE)
    paths = [follow(name, ground, PATH_STEPS, None, 0)]
    write_plot(partial(draw_paths, ground, paths), path.with_suffix(""), ["svg"])
    return path.name


CLI_PAGE = """# Command line

This page lists every command with its options, as `optbench COMMAND --help` prints them.

```{eval-rst}
.. click:: optbench.cli:main
   :prog: optbench
   :nested: full
```
"""
