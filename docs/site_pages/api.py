"""The API reference: every public name, in groups."""

from __future__ import annotations

import inspect

import optbench

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


def api_page() -> str:
    """Return the page, in Markdown."""
    blocks = ["# Python API", "Everything here is imported from `optbench` itself."]
    listed = TYPES | {name for _, names in GROUPS.values() for name in names}
    rest = tuple(name for name in optbench.__all__ if name not in listed and name[0] != "_")
    groups = {**GROUPS, **({"More": ("", rest)} if rest else {})}
    for title, (introduction, names) in groups.items():
        known = [name for name in names if name in optbench.__all__]
        blocks += [f"## {title}", introduction, *map(_entry, known)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _entry(name: str) -> str:
    item = getattr(optbench, name)
    if inspect.isclass(item):
        kind = "autoexception" if issubclass(item, Exception) else "autoclass"
    else:
        kind = "autofunction" if inspect.isroutine(item) else "autodata"
    return f"```{{eval-rst}}\n.. {kind}:: optbench.{name}\n```"
