"""Workloads that are drawn from a declared distribution, each by a hash of seed and number."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from optbench.contracts import Value
from optbench.errors import ConfigError
from optbench.records import Regime, spell
from optbench.suites.document_checks import convert_document
from optbench.suites.workload_choice import WorkloadChoice

MOST_WORKLOADS = 10_000
"""Largest number of workloads of a suite."""
DEEPEST = 1000
"""Largest number of hidden layers that is drawn."""
DIGITS = 3
"""Significant digits of a drawn number that is not whole."""


class Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A distribution of numbers between two limits: whole numbers if both limits are.

    Attributes:
        low: Smallest number.
        high: Largest number.
        log: Whether the logarithm is uniform, and not the number itself.
    """

    low: int | float
    high: int | float
    log: bool = False


Choice = tuple[Value, ...] | Range | Value
"""What a value is drawn from: a list of equally likely values, a range, or one value."""


class DatasetFamily(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dataset whose hyperparameters are drawn.

    Attributes:
        name: Name of the dataset.
        weight: How often it is drawn, relative to the others.
        values: What the values of its hyperparameters are drawn from; others have their defaults.
    """

    name: str
    weight: float = 1.0
    values: dict[str, Choice] = {}


class Draw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A distribution of workloads, and how many are drawn from it.

    Each quantity of workload i is a function of the seed, i and its own name. So the first
    workloads of a larger draw are those of a smaller one.

    Attributes:
        datasets: Families of datasets.
        epochs: Passes over the training part, for each regime.
        workloads: Number of workloads.
        seed: Seed of the draw.
        depth: Number of hidden layers.
        width: Units of each hidden layer.
        activation: Activation of the hidden layers.
        initializer: Initializer, values in brackets allowed.
        regime: How many examples an update uses.
        batch_size: Examples per update in ``"mini-batch"``.
    """

    datasets: tuple[DatasetFamily, ...]
    epochs: dict[Regime, Choice]
    workloads: Annotated[int, msgspec.Meta(ge=1, le=MOST_WORKLOADS)] = 100
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    depth: Choice = 2
    width: Choice = 32
    activation: Choice = "relu"
    initializer: Choice = "he-normal"
    regime: Choice = ("batch", "mini-batch", "sgd")
    batch_size: Choice = 32


def draw_workloads(draw: Draw, where: str) -> Iterator[WorkloadChoice]:
    """Yield the workloads of a draw, one after the other.

    Args:
        draw: The distribution.
        where: What an error message begins with.

    Raises:
        ConfigError: A distribution is empty, or a drawn value is not allowed.
    """
    if not draw.datasets:
        raise ConfigError(f"{where}: draw.datasets is empty; nothing would be trained")
    for number in range(draw.workloads):
        try:
            fields = _draw_fields(draw, number)
        except ConfigError as problem:
            raise ConfigError(f"{where}: {problem}") from None
        yield convert_document(fields, WorkloadChoice, f"{where}: drawn workload {number}")


def _draw_fields(draw: Draw, number: int) -> dict[str, Any]:
    def pick(name: str, choice: Choice) -> Value:
        return _value_at(choice, _uniform(draw.seed, number, name), f"draw.{name}")

    family = _family_at(draw.datasets, _uniform(draw.seed, number, "dataset"))
    values = {name: pick(f"{family.name}.{name}", c) for name, c in family.values.items()}
    fields = {
        name: pick(name, getattr(draw, name))
        for name in ("activation", "initializer", "regime", "batch_size")
    }
    depth, regime = pick("depth", draw.depth), fields["regime"]
    if isinstance(depth, bool) or not isinstance(depth, int) or not 0 <= depth <= DEEPEST:
        raise ConfigError(f"draw.depth has {depth}; a whole number from 0 to {DEEPEST:,}")
    if regime not in draw.epochs:
        raise ConfigError(f"draw.epochs has no number for regime '{regime}'")
    return {
        **fields,
        "dataset": spell(family.name, values),
        "hidden": [pick("width", draw.width)] * depth,
        "epochs": pick(f"epochs.{regime}", draw.epochs[regime]),
    }


def _uniform(seed: int, number: int, name: str) -> float:
    """Return a number in [0, 1) that is the same on every machine."""
    digest = hashlib.sha256(f"{seed}/{number}/{name}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _family_at(families: tuple[DatasetFamily, ...], u: float) -> DatasetFamily:
    """Return the family at the quantile u of the weights."""
    for index, family in enumerate(families):
        if not 0 < family.weight < math.inf:
            raise ConfigError(f"draw.datasets[{index}].weight is {family.weight:g}; a number > 0")
    rest = u * sum(family.weight for family in families)
    for family in families:
        rest -= family.weight
        if rest < 0:
            return family
    return families[-1]


def _value_at(choice: Choice, u: float, where: str) -> Value:
    """Return the value at the quantile u."""
    if isinstance(choice, tuple):
        if not choice:
            raise ConfigError(f"{where} is empty; list at least one value")
        return choice[int(u * len(choice))]
    if not isinstance(choice, Range):
        return choice
    low, high = choice.low, choice.high
    is_finite = math.isfinite(low) and math.isfinite(high)
    if not (is_finite and low <= high and (low > 0 or not choice.log)):
        limits = "0 < low <= high" if choice.log else "low <= high"
        raise ConfigError(f"{where} is from {low} to {high}; {limits}, both finite")
    if isinstance(low, int) and isinstance(high, int):
        end = high + 1
        number = low * (end / low) ** u if choice.log else low + u * (end - low)
        return min(int(number), high)
    number = low * (high / low) ** u if choice.log else low + u * (high - low)
    return float(f"{number:.{DIGITS}g}")
