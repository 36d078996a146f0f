"""Writes docs/adapters.md: which optimizers of other libraries run, and how they do.

    python docs/adapters.py [PACKAGE ...]

Needs optbench-torch, optbench-optax, and the packages to survey. One workload of the suite `quick`
(digits, 32-32 relu, mini-batch of 32) over 5 epochs; for each optimizer its default learning rate
and two over its search range, the best validation loss counts.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import math
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import optbench
from optbench.registry import default_registry

PACKAGES = ("torch.optim", "optax", "pytorch_optimizer", "schedulefree", "heavyball")
WORKLOAD: dict[str, Any] = {"dataset": "digits", "epochs": 5, "grid_points": 10}
LIMIT = 1.0
"""Seconds that one optimizer may take; no further learning rate is tried after them."""


def names(package: str) -> Iterator[str]:
    """The optimizers of a package, each once."""
    if package in ("torch.optim", "optax"):
        prefix = package.partition(".")[0] + ":"
        listed = default_registry().listed("optimizers")
        yield from (name for name in listed if name.startswith(prefix))
        return
    import torch

    seen: set[type] = set()
    for name, item in sorted(vars(importlib.import_module(package)).items()):
        if not (inspect.isclass(item) and issubclass(item, torch.optim.Optimizer)):
            continue
        if item not in seen and not item.__module__.startswith("torch.") and name == item.__name__:
            seen.add(item)
            yield f"torch:{package}.{name}"


def rates(item: type[optbench.Stepper]) -> list[float | None]:
    """The learning rates to try: the default, and two over the search range."""
    lr = item.hypers().get("lr")
    if lr is None or lr.search is None:
        return [None]
    low, high = lr.search
    inner = np.geomspace(low, high, 4)[1:-1]
    return [None, *(float(f"{rate:.3g}") for rate in inner)]


def measure(name: str) -> tuple[str, ...]:
    """A row of the table: optimizer, validation loss, accuracy, learning rate, cost, remarks."""
    item: Any = default_registry().optimizer(name)
    regime = "batch" if "full-batch" in item.needs else "mini-batch"
    epochs = 20 if regime == "batch" else WORKLOAD["epochs"]
    best, start, status, reason = None, time.perf_counter(), "", ""
    for lr in rates(item):
        hyper = {} if lr is None else {"lr": lr}
        try:
            result = optbench.train(
                name, regime=regime, hyper=hyper, **{**WORKLOAD, "epochs": epochs}
            )
        except optbench.OptbenchError as problem:
            status, reason = "fails", str(problem)
            break
        if result.status == "ok" and (best is None or loss(result) < loss(best)):
            best = result
        status = status or str(result.status)
        if time.perf_counter() - start > LIMIT:
            break
    if best is None:
        return (name, status, "", "", "", reason.partition(": ")[2][:120])
    cost = best.seconds / best.curve["updates"][-1] * 1e6
    rate = best.spec.hyper.get("lr")
    return (
        name,
        f"{loss(best):.3f}",
        f"{best.final('val_metric'):.3f}",
        "" if rate is None else f"{rate:g}",
        f"{cost:.0f}",
        ", ".join(remarks(item)),
    )


def loss(result: optbench.RunResult) -> float:
    """Final validation loss, infinite where there is none."""
    value = result.final("val_loss")
    return value if math.isfinite(value) else math.inf


def remarks(item: Any) -> list[str]:
    """What is out of the ordinary in the way an optimizer is used."""
    words = {"closure": "evaluates anew", "rng": "draws random numbers", "full-batch": "full batch"}
    found = [text for need, text in words.items() if need in item.needs]
    recipe = getattr(item, "_recipe", None)
    if recipe is not None:
        found += {"use-muon": ["use_muon groups"], "matrices": ["matrices alone"]}.get(
            recipe.groups, []
        )
        found += [] if recipe.strided else ["on copies"]
        found += [] if "float64" in recipe.dtypes else ["float32 alone"]
    return found


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def survey(package: str) -> str:
    """The section of one package."""
    distribution = package.partition(".")[0]
    rows, refused = [], []
    for name in names(package):
        print(name, file=sys.stderr)
        try:
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows.append(measure(name))
        except optbench.OptbenchError as problem:
            reason = str(problem).removeprefix(name).removeprefix(" cannot be run: ")
            refused.append((f"`{name}`", reason[:160].strip()))
    head = ("optimizer", "validation loss", "accuracy", "lr", "µs an update", "remarks")
    rows = [(f"`{row[0]}`", *row[1:]) for row in rows]
    text = f"## {package} {version(distribution)}: {len(rows)} run"
    text += f", {len(refused)} cannot\n\n" + table(head, rows)
    if refused:
        text += "\n\n" + table(("cannot run", "why"), refused)
    return text


INTRODUCTION = """# Optimizers of other libraries

`torch:adamw` and `optax:adam` take an optimizer of PyTorch or optax as it is; `torch:package.Class`
and `optax:module:function` take any other. How that works, and what cannot, is told in the READMEs
of [optbench-torch](../plugins/optbench-torch/README.md) and
[optbench-optax](../plugins/optbench-optax/README.md).

A class in a file of the current folder, `Mom` in `myopt.py`, is not installed, so Python has to be
told where it is: `PYTHONPATH=. optbench run -o torch:myopt.Mom`.

This page is written by `python docs/adapters.py`. One workload of the suite `quick` (digits, 32-32
relu, mini-batch of 32, float32), 5 epochs (full-batch methods: 20), one seed; the best of three
learning rates (the default, two over the search range) by validation loss. It shows that they
run and are sane; it is no ranking. The cost of an update holds the network's gradient as well.
"""


def main(packages: list[str]) -> None:
    """Survey the packages and write the page."""
    sections = [INTRODUCTION, *(survey(package) for package in packages or PACKAGES)]
    page = Path(__file__).with_suffix(".md")
    page.write_text("\n".join(f"{section}\n" for section in sections), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
