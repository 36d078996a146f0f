"""``optbench show``."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from optbench.cli.options import json_option, plugin_options, registered
from optbench.cli.output import echo, print_json, print_table, say, say_lines
from optbench.contracts import DatasetSource, Hyper, Optimizer, Rule, Schedule, rate_of
from optbench.errors import unknown_name
from optbench.hyperparameters import parse_spelling
from optbench.registry import Registry
from optbench.registry.entries import Entry
from optbench.registry.kinds import KINDS
from optbench.support.text import printable


@click.command("show")
@click.argument("name", shell_complete=registered(*KINDS))
@json_option
@plugin_options
def command(name: str, as_json: bool) -> None:
    """Explain NAME: an optimizer, initializer, dataset, schedule or suite.

    Shows the formula, the paper and the variant implemented here, and each hyperparameter with its
    default, the allowed values and the range that tuning searches.

    \b
    Examples:
      optbench show adam
      optbench show digits
      optbench show adam --json
    """
    from optbench.registry import default_registry

    described = [describe(kind, entry) for kind, entry in find(default_registry(), name)]
    if as_json:
        print_json(described[0] if len(described) == 1 else described)
        return
    for index, each in enumerate(described):
        if index:
            say()
        _print(each)


def find(registry: Registry, spelling: str) -> list[tuple[str, Entry[Any]]]:
    """Return the kind and the entry of each registered item with the given name.

    Raises:
        ConfigError: No item has the name.
    """
    name = parse_spelling(spelling)[0]
    found = [
        (kind, registry.entries(kind)[name]) for kind in KINDS if name in registry.entries(kind)
    ]
    if "[" in spelling:
        found = [(kind, _with_values(kind, entry, spelling, registry)) for kind, entry in found]
    if not found and ":" in name:
        found = [("optimizers", registry.entry("optimizers", name))]
    if not found:
        known = [known for kind in KINDS for known in registry.entries(kind)]
        raise unknown_name("name", name, known)
    return found


def _with_values(kind: str, entry: Entry[Any], spelling: str, registry: Registry) -> Entry[Any]:
    """Return the entry of a dataset with the values in brackets; any other entry as it is."""
    if kind != "datasets":
        return entry
    source = registry.dataset_source(spelling)
    return replace(entry, name=source.name, item=source)


def describe(kind: str, entry: Entry[Any]) -> dict[str, Any]:
    """Return the description of a registered item as plain values."""
    told: dict[str, Any] = {
        "name": entry.name,
        "kind": kind.removesuffix("s"),
        "distribution": entry.distribution,
        "version": entry.version,
    }
    item = entry.item
    if isinstance(item, Path):
        return told | {"path": str(item), "content": item.read_text(encoding="utf-8")}
    told |= {
        "summary": item.summary(),
        "description": inspect.cleandoc(item.__doc__ or "").partition("\n")[2].strip(),
        "source": item.source,
        "url": item.url,
    }
    if issubclass(item, DatasetSource):
        return told | _of_dataset(item)
    told |= {
        "variant": item.variant,
        "needs": sorted(item.needs),
        "hyperparameters": [_of_hyper(declared) for declared in item.hypers().values()],
        "expected_failures": dict(item.expected_failures),
    }
    if issubclass(item, Schedule):
        return told | {"warmup": item.warmup, "final": item.final}
    return told | (_of_optimizer(item) if kind == "optimizers" else {})


def _of_dataset(item: type[DatasetSource]) -> dict[str, Any]:
    from optbench.data.downloads import download_folder, missing_files

    missing = missing_files(item)
    told: dict[str, Any] = {
        "hyperparameters": [_of_hyper(declared) for declared in item.hypers().values()],
        "task": item.task,
        "standardized": item.standardize,
        "files": dict(item.files),
        "missing": missing,
        "folder": str(download_folder(item)) if item.files else None,
    }
    # Describing a dataset does not download it.
    return told | (dict.fromkeys(MEASURED) if missing else _measured(item))


MEASURED = ("features", "outputs", "examples", "content_hash")
"""Properties of a dataset that are known only after it is loaded."""


def _measured(item: type[DatasetSource]) -> dict[str, Any]:
    from optbench.data.splits import prepare_dataset

    data = prepare_dataset(item)
    parts = {part: len(getattr(data, f"x_{part}")) for part in ("train", "val", "test")}
    return dict(
        zip(MEASURED, (data.n_features, data.n_outputs, parts, data.content_hash), strict=True)
    )


def _of_hyper(declared: Hyper) -> dict[str, Any]:
    return {
        "name": declared.name,
        "default": declared.default,
        "meaning": declared.meaning,
        "allowed": declared.describe_range(),
        "search": list(declared.search) if declared.search else None,
        "prior": declared.prior,
        "scaled_by": declared.scaled_by,
    }


def _of_optimizer(item: Optimizer) -> dict[str, Any]:
    from optbench.engine.loops.choice import choose_loop

    loop, why = choose_loop(item)
    if issubclass(item, Rule):
        contract, state = "Rule", [*item.slots, *item.scalars]
    else:
        contract, state = "Stepper", []
    rate = rate_of(item)
    return {
        "contract": contract,
        "state": state,
        "rate": None if rate is None else rate.name,
        "loop": loop,
        "why": why,
    }


def _print(told: dict[str, Any]) -> None:
    origin = f"{told['distribution']} {told['version']}".strip()
    heading = f"{told['name']}  ({told['kind']}, from {origin})"
    echo(click.style(printable(heading), bold=True))
    if "content" in told:
        say(told["path"])
        say()
        say_lines(told["content"].strip())
        return
    for text in (told["summary"], told["description"]):
        if text:
            say()
            say_lines(text)
    say()
    for label, text in _facts(told):
        if text:
            say(f"{label + ':':<10}{text}")
    if told.get("hyperparameters"):
        rows = [
            (h["name"], _spell(h["default"]), h["allowed"], _search(h), h["meaning"])
            for h in told["hyperparameters"]
        ]
        say()
        print_table(("hyperparameter", "default", "allowed", "tuning searches", "meaning"), rows)
    for check, reason in told.get("expected_failures", {}).items():
        say(f"{check} fails on purpose: {reason}")


def _facts(told: dict[str, Any]) -> list[tuple[str, str]]:
    if "task" in told:
        return _dataset_facts(told)
    loop = f"{told['loop']}: {told['why']}" if "loop" in told else ""
    return [
        ("source", told["source"]),
        ("link", told["url"]),
        ("variant", told["variant"]),
        ("contract", told.get("contract", "")),
        ("state", ", ".join(told.get("state", []))),
        ("rate", (told["rate"] or "none: ruleset lr tunes nothing") if "rate" in told else ""),
        ("needs", ", ".join(told["needs"])),
        ("warm-up", f"{told['warmup']:.0%} of the run unless given" if told.get("warmup") else ""),
        ("final", f"{told['final']:g} of the rate unless given" if told.get("final") else ""),
        ("loop", loop),
    ]


SCALES = {
    True: "each feature, on the training part alone",
    "jointly": "all features together, on the training part alone",
    False: "no",
}


def _dataset_facts(told: dict[str, Any]) -> list[tuple[str, str]]:
    parts = ", ".join(f"{count} {part}" for part, count in (told["examples"] or {}).items())
    size = f"{told['features']} features, {told['outputs']} outputs; {parts}" if parts else ""
    where = "not all here: downloaded at first use into" if told["missing"] else "in"
    return [
        ("source", told["source"]),
        ("link", told["url"]),
        ("task", told["task"]),
        ("size", size),
        ("scaled", SCALES[told["standardized"]]),
        ("files", f"{len(told['files'])}, {where} {told['folder']}" if told["files"] else ""),
        ("hash", (told["content_hash"] or "")[:16]),
    ]


def _spell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _search(told: dict[str, Any]) -> str:
    if not told["search"]:
        return ""
    low, high = told["search"]
    span = f"{low:g} to {high:g}"
    name = told["name"]
    if told["scaled_by"]:
        name = f"{name} / (1 - {told['scaled_by']})"
    elif told["prior"] == "one-minus-log":
        name = f"1 - {name}"
    scale = "evenly" if told["prior"] == "uniform" else "log-evenly"
    return f"{name} {span}, {scale}" if name != told["name"] else f"{span}, {scale}"
