"""Compares the steps of an optimizer with those of another one: ``optbench check --like``.

The contract kit cannot see a wrong factor in a formula that still trains. A reference can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from optbench.conformance.driving import other_values
from optbench.conformance.likeness_hints import find_hint
from optbench.conformance.likeness_paths import CASES, STEPS, find_parting, walked_path
from optbench.conformance.likeness_settings import Pair, match, spelled
from optbench.conformance.runner import Outcome
from optbench.contracts import Optimizer, Value
from optbench.errors import describe_error
from optbench.hyperparameters import parse_spelling
from optbench.registry import Registry, default_registry
from optbench.support.text import count


@dataclass(frozen=True)
class _Setting:
    """Values of the shared hyperparameters, and what distinguishes them in words."""

    text: str
    values: Mapping[str, Value]


def compare_steps(
    item: Optimizer,
    reference: Optimizer | str,
    values: Mapping[str, Value] | None = None,
    registry: Registry | None = None,
) -> Iterator[Outcome]:
    """Compare the paths of two optimizers in float64, and yield the outcomes.

    They walk on several small problems, with the defaults of the reference and then with another
    value for one hyperparameter after the other.

    Args:
        item: The optimizer to check.
        reference: The one whose steps it should take: a class, or a spelling such as
            ``"adam[debias=false]"``.
        values: Hyperparameters of the reference other than its defaults; they are not varied.
        registry: Registry in which names are looked up, and whose optimizers are tried if the steps
            differ; the default one if None.
    """
    if isinstance(reference, str):
        spelled_name, in_brackets = parse_spelling(reference)
        reference = (registry or default_registry()).optimizer(spelled_name)
        values = {**in_brackets, **(values or {})}
    pair = match(item, reference, values or {})
    check, name = f"like_{reference.name}", getattr(item, "name", "") or item.__name__
    if pair.remarks:
        promise = f"It has the hyperparameters of {reference.name}"
        detail = f"compared with {reference.name}: {'; '.join(pair.remarks)}"
        yield Outcome(name, check, promise, "caution", detail)
    promise = f"It takes the steps of {reference.name}"
    same: list[str] = []
    for setting in _settings(pair, values or {}):
        where = f"{promise} with {setting.text}"
        try:
            detail = _difference(pair, setting.values)
            if detail:
                hint = _unused(pair, setting.values) or find_hint(
                    pair, setting.values, registry or default_registry()
                )
                detail += f"; {hint}" if hint else ""
        except Exception as problem:
            detail = describe_error(problem, item)
        if detail:
            yield Outcome(name, check, where, "failed", detail)
            if not same:
                return
        else:
            same.append(setting.text)
    number = count(len(same), "setting")
    yield Outcome(
        name, check, f"{promise} on {len(CASES)} problems, {STEPS} updates, {number}", "passed"
    )


def _settings(pair: Pair, given: Mapping[str, Value]) -> Iterator[_Setting]:
    """Yield the shared values as they are, and then with one of them changed."""
    shown = ", ".join(spelled(name, value) for name, value in pair.shared.items())
    yield _Setting(shown or "no hyperparameters", pair.shared)
    declared = pair.reference.hypers()
    for name in pair.shared:
        if name in given:
            continue
        for value in other_values(declared[name]):
            if pair.allows(name, value):
                yield _Setting(spelled(name, value), {**pair.shared, name: value})
                break


def _unused(pair: Pair, values: Mapping[str, Value]) -> str:
    """Return which changed hyperparameter leaves the steps as they are; empty if none does."""
    changed = [name for name, value in values.items() if value != pair.shared[name]]
    same = bool(changed) and all(
        np.array_equal(
            walked_path(pair.item, case, pair.ours(values)),
            walked_path(pair.item, case, pair.ours(pair.shared)),
            equal_nan=True,
        )
        for case in CASES
    )
    return f"{pair.names[changed[0]]} seems to have no effect" if same else ""


def _difference(pair: Pair, values: Mapping[str, Value]) -> str:
    """Return where the paths part, on the problem where they part most; empty if they do not."""
    largest, text = -1.0, ""
    for case in CASES:
        parting = find_parting(
            walked_path(pair.item, case, pair.ours(values)),
            walked_path(pair.reference, case, pair.theirs(values)),
        )
        if parting is not None and parting.size > largest:
            largest, text = parting.size, f"on {case.name}, {parting.text}"
    return text
