"""``optbench show``."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from optbench.cli.options import (
    add_target,
    json_option,
    plugin_options,
    registered,
    target_option,
)
from optbench.cli.output import echo, print_json, print_table, say, say_lines, say_prose
from optbench.contracts import DatasetSource, Hyper, Optimizer, Rule, Schedule, rate_of
from optbench.errors import unknown_name
from optbench.hyperparameters import parse_spelling
from optbench.registry import Registry
from optbench.registry.dataset_values import is_file_name
from optbench.registry.entries import Entry
from optbench.registry.kinds import KINDS
from optbench.support.text import count, printable


@click.command("show")
@click.argument("name", shell_complete=registered(*KINDS), callback=add_target)
@target_option
@json_option
@plugin_options
def command(name: str, as_json: bool) -> None:
    """Explain NAME: an optimizer, initializer, dataset, schedule or suite, or a file of data.

    Shows the formula, the paper and the variant implemented here, and each hyperparameter with its
    default, the allowed values and the range that tuning searches.

    \b
    Examples:
      optbench show adam
      optbench show digits
      optbench show adam --json
      optbench show houses.csv --target price
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
        PluginError: Two items have it.
    """
    name = parse_spelling(spelling)[0]
    if is_file_name(name) and (":" not in name or Path(name).is_file()):  # no torch:module.Class
        source = registry.dataset_source(spelling)
        return [("datasets", Entry(source.name, source, "a file", ""))]
    found = [(kind, registry.entry(kind, name)) for kind in registry.kinds_of(name, KINDS)]
    if "[" in spelling:
        found = [(kind, _with_values(kind, entry, spelling, registry)) for kind, entry in found]
    if not found and ":" in name:
        found = [("optimizers", registry.entry("optimizers", name))]
    if not found:
        known = [known for kind in KINDS for known in registry.entries(kind)]
        raise unknown_name("name", name, known, listing="optbench list")
    return found


def _with_values(kind: str, entry: Entry[Any], spelling: str, registry: Registry) -> Entry[Any]:
    """Return the entry of a dataset with the values in brackets; any other entry as it is."""
    if kind != "datasets":
        return entry
    source = registry.dataset_source(spelling)
    return replace(entry, name=source.name, item=source)


def describe(kind: str, entry: Entry[Any]) -> dict[str, Any]:
    """Return the description of a registered item as plain values."""
    described: dict[str, Any] = {
        "name": entry.name,
        "kind": kind.removesuffix("s"),
        "distribution": entry.distribution,
        "version": entry.version,
    }
    item = entry.item
    if isinstance(item, Path):
        return described | {"path": str(item), "content": item.read_text(encoding="utf-8")}
    described |= {
        "summary": item.summary(),
        "description": inspect.cleandoc(item.__doc__ or "").partition("\n")[2].strip(),
        "source": item.source,
        "url": item.url,
    }
    if issubclass(item, DatasetSource):
        return described | _of_dataset(item)
    described |= {
        "variant": item.variant,
        "needs": sorted(item.needs),
        "hyperparameters": [_of_hyper(declared) for declared in item.hypers().values()],
        "expected_failures": dict(item.expected_failures),
    }
    if issubclass(item, Schedule):
        return described | {"warmup": item.warmup, "final": item.final}
    return described | (_of_optimizer(item) if kind == "optimizers" else {})


def _of_dataset(item: type[DatasetSource]) -> dict[str, Any]:
    from optbench.data.downloads import download_folder, missing_files

    missing = missing_files(item)
    described: dict[str, Any] = {
        "hyperparameters": [_of_hyper(declared) for declared in item.hypers().values()],
        "task": item.task,
        "standardized": item.standardize,
        "notes": list(item.notes),
        "files": dict(item.files),
        "missing": missing,
        "folder": str(download_folder(item)) if item.files else None,
    }
    # Describing a dataset does not download it.
    return described | (dict.fromkeys(MEASURED) if missing else _measured(item))


MEASURED = ("features", "outputs", "examples", "content_hash", "cautions", "base_rate")
"""Properties of a dataset that are known only after it is loaded."""


def _measured(item: type[DatasetSource]) -> dict[str, Any]:
    from optbench.data.base_rates import base_rate
    from optbench.data.dataset_cautions import find_cautions
    from optbench.data.splits import prepare_dataset

    data = prepare_dataset(item)
    parts = {part: len(getattr(data, f"x_{part}")) for part in ("train", "val", "test")}
    cautions = [
        {"kind": kind, "text": text, "expected": item.expected_cautions.get(kind, "")}
        for kind, text in find_cautions(item).items()
    ]
    rate = base_rate(item)
    values = (data.n_features, data.n_outputs, parts, data.content_hash, cautions, rate)
    return dict(zip(MEASURED, values, strict=True))


def _of_hyper(declared: Hyper) -> dict[str, Any]:
    return {
        "name": declared.name,
        "default": declared.default,
        "meaning": declared.meaning,
        "allowed": declared.describe_range(),
        "search": list(declared.search) if declared.search else None,
        "prior": declared.prior,
        "scaled_by": declared.scaled_by,
        "tuning": declared.describe_search(),
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


def _print(described: dict[str, Any]) -> None:
    origin = f"{described['distribution']} {described['version']}".strip()
    heading = f"{described['name']}  ({described['kind']}, from {origin})"
    echo(click.style(printable(heading), bold=True))
    if "content" in described:
        say(described["path"])
        say()
        say_lines(described["content"].strip())
        return
    say()
    say_prose(described["summary"])
    for text in (described["description"], "\n".join(described.get("notes", ()))):
        if text:
            say()
            say_lines(text)
    say()
    for label, text in _facts(described):
        if text:
            say_prose(f"{label + ':':<10}{text}", indent=10)
    if described.get("hyperparameters"):
        rows = [
            (h["name"], _spell(h["default"]), h["allowed"], h["tuning"], h["meaning"])
            for h in described["hyperparameters"]
        ]
        say()
        print_table(("hyperparameter", "default", "allowed", "tuning searches", "meaning"), rows)
    for check, reason in described.get("expected_failures", {}).items():
        say_prose(f"{check} fails on purpose: {reason}")


def _facts(described: dict[str, Any]) -> list[tuple[str, str]]:
    if "task" in described:
        return _dataset_facts(described)
    loop = f"{described['loop']}: {described['why']}" if "loop" in described else ""
    return [
        ("source", described["source"]),
        ("link", described["url"]),
        ("variant", described["variant"]),
        ("contract", described.get("contract", "")),
        ("state", ", ".join(described.get("state", []))),
        (
            "rate",
            (described["rate"] or "none: ruleset lr tunes nothing") if "rate" in described else "",
        ),
        ("needs", ", ".join(described["needs"])),
        (
            "warm-up",
            f"{described['warmup']:.0%} of the run unless given" if described.get("warmup") else "",
        ),
        (
            "final",
            f"{described['final']:g} of the rate unless given" if described.get("final") else "",
        ),
        ("loop", loop),
    ]


SCALES = {
    True: "each feature, on the training part alone",
    "jointly": "all features together, on the training part alone",
    False: "no",
}


def _dataset_facts(described: dict[str, Any]) -> list[tuple[str, str]]:
    parts = ", ".join(f"{rows} {part}" for part, rows in (described["examples"] or {}).items())
    size = ""
    if parts:
        columns = count(described["features"], "feature")
        size = f"{columns}, {count(described['outputs'], 'output')}; {parts}"
    rate = described["base_rate"]
    base = "" if rate is None else f"always guessing the largest class has accuracy {rate:.2f}"
    where = "missing files are downloaded at first use into" if described["missing"] else "in"
    return [
        ("source", described["source"]),
        ("link", described["url"]),
        ("task", described["task"]),
        ("size", size),
        ("base", base),
        ("scaled", SCALES[described["standardized"]]),
        (
            "files",
            f"{len(described['files'])}, {where} {described['folder']}"
            if described["files"]
            else "",
        ),
        ("hash", (described["content_hash"] or "")[:16]),
        *(("caution", _caution(caution)) for caution in described["cautions"] or ()),
    ]


def _caution(described: dict[str, str]) -> str:
    return (
        f"{described['text']} (expected: {described['expected']})"
        if described["expected"]
        else described["text"]
    )


def _spell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"
