"""Writes docs/adapters.md: which optimizers of other libraries run, and how well.

    python docs/adapters.py [PACKAGE ...]

Needs optbench-torch, optbench-optax, and the packages to survey. One workload
(digits, 32-32 relu, mini-batch of 32) over 5 epochs; for each optimizer its default learning rate
and two over its search range, the one with the best validation loss is shown.
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
"""Seconds after which no further learning rate of an optimizer is tried."""


def names(package: str) -> Iterator[str]:
    """Yield the names of a package's optimizers, each once."""
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
    """Return the learning rates to try: None for the default, and two over the search range."""
    lr = item.hypers().get("lr")
    if lr is None or lr.search is None:
        return [None]
    low, high = lr.search
    inner = np.geomspace(low, high, 4)[1:-1]
    return [None, *(float(f"{rate:.3g}") for rate in inner)]


def measure(name: str) -> tuple[str, ...]:
    """Return a row of the table: name, validation loss, accuracy, learning rate, cost, remarks."""
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
    """Return the final validation loss, infinite if there is none."""
    value = result.final("val_loss")
    return value if math.isfinite(value) else math.inf


def remarks(item: Any) -> list[str]:
    """Return what is unusual about how an optimizer is used."""
    words = {
        "closure": "evaluates again",
        "rng": "draws random numbers",
        "full-batch": "full batch",
    }
    texts = [text for need, text in words.items() if need in item.needs]
    recipe = getattr(item, "_recipe", None)
    if recipe is not None:
        texts += {"use-muon": ["use_muon groups"], "matrices": ["only matrices"]}.get(
            recipe.groups, []
        )
        texts += [] if recipe.strided else ["on copies"]
        texts += [] if "float64" in recipe.dtypes else ["only float32"]
    return texts


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows as a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def survey(package: str) -> str:
    """Return the section of one package."""
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

`torch:adamw` and `optax:adam` name optimizers of PyTorch and optax; `torch:package.Class` and
`optax:module:function` name any other. The READMEs in
`plugins/optbench-torch` and `plugins/optbench-optax` say how they are run, and which cannot be.

A class in a file of the current folder, such as `Mom` in `myopt.py`, is not installed, so tell
Python where to look: `PYTHONPATH=. optbench run -o torch:myopt.Mom`.

`python docs/adapters.py` writes this page. It trains on one workload (digits,
32-32 relu, mini-batch of 32, float32) for 5 epochs (full-batch methods: 20) with one seed, and
shows the best of three learning rates (the default, two over the search range) by validation loss.
It shows that the optimizers run and are sane; it is not a ranking. The cost of an update includes
the gradient of the network.
"""


def main(packages: list[str]) -> None:
    """Survey the packages and write the page."""
    sections = [INTRODUCTION, *(survey(package) for package in packages or PACKAGES)]
    page = Path(__file__).with_suffix(".md")
    page.write_text("\n".join(f"{section}\n" for section in sections), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
