"""The API reference: a page for each group of public names, and a page that lists all of them."""

from __future__ import annotations

import inspect

import optbench
from site_pages.tables import table

FOLDER = "api"
"""Folder of the pages of the groups, beside the page that lists all names."""
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Studies": (
        "Compare optimizers, and work with what is stored.",
        ("compare", "load_study", "Study", "Leaderboard", "sweep", "Sweep", "merge", "replay"),
    ),
    "Single runs": (
        "Train one network, or look at one run.",
        ("train", "RunResult", "RunSpec", "Curve", "Status", "trajectory"),
    ),
    "Networks and initialization": (
        "See what happens layer by layer.",
        ("inspect", "Inspection", "compare_initializers", "initialize", "Network"),
    ),
    "Write an optimizer": (
        "A rule is a formula for each weight; a stepper sees all layers at once.",
        ("Rule", "Stepper", "StepContext", "hyper", "decay", "Hyper", "Values"),
    ),
    "Write other plugins": (
        "Initializers, datasets, schedules, landscapes and report sections, and the hooks that "
        "register them.",
        (
            "Initializer", "InitContext", "DatasetSource", "Dataset", "make_dataset",
            "load_dataset", "fetch_files", "Schedule", "Landscape", "ReportSection", "hookimpl",
            "read_signature",
        ),
    ),
    "Errors": (
        "Every error of optbench is one of these.",
        ("OptbenchError", "ConfigError", "PluginError", "StoreError"),
    ),
}  # fmt: skip
"""Title -> introduction and names. A public name that no group lists goes to the last section."""
TYPES = {"Array", "Optimizer", "Value"}
"""Names that only annotations need."""


def api_pages() -> dict[str, str]:
    """Return the pages by file, in Markdown; the first one lists all names."""
    listed = TYPES | {name for _, names in GROUPS.values() for name in names}
    rest = tuple(name for name in optbench.__all__ if name not in listed and name[0] != "_")
    groups = {**GROUPS, **({"More": ("", rest)} if rest else {})}
    pages = {_file(title): _group_page(title, *group) for title, group in groups.items()}
    return {f"{FOLDER}.md": _index(groups), **pages}


def _file(title: str) -> str:
    return f"{FOLDER}/{title.lower().replace(' ', '-')}.md"


def _known(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in optbench.__all__]


def _index(groups: dict[str, tuple[str, tuple[str, ...]]]) -> str:
    """Return the page that lists every public name with the first line of its docstring."""
    blocks = ["# Python API", "Import every name below from `optbench` itself."]
    for title, (_, names) in groups.items():
        rows = [(f"{{py:obj}}`~optbench.{n}`", _first_line(n)) for n in _known(names)]
        blocks += [f"## [{title}]({_file(title)})", table(("name", "summary"), rows)]
    contents = "\n".join(map(_file, groups))
    blocks.append(f"```{{toctree}}\n:hidden:\n\n{contents}\n```")
    return "\n\n".join(blocks) + "\n"


def _first_line(name: str) -> str:
    doc = inspect.getdoc(getattr(optbench, name)) or ""
    return doc.split("\n\n")[0].replace("\n", " ").replace("``", "`")


def _group_page(title: str, introduction: str, names: tuple[str, ...]) -> str:
    blocks = [f"# {title}", introduction, *map(_entry, _known(names))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _entry(name: str) -> str:
    item = getattr(optbench, name)
    if inspect.isclass(item):
        kind = "autoexception" if issubclass(item, Exception) else "autoclass"
    else:
        kind = "autofunction" if inspect.isroutine(item) else "autodata"
    return f"```{{eval-rst}}\n.. {kind}:: optbench.{name}\n```"
