"""Which hyperparameters of two optimizers correspond to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optbench.contracts import Hyper, Optimizer, Value, rate_of
from optbench.errors import ConfigError
from optbench.hyperparameters import complete

SPELLINGS = (
    ("beta1", "b1", "beta_1"),
    ("beta2", "b2", "beta_2"),
    ("eps", "epsilon"),
    ("weight_decay", "wd"),
    ("momentum", "mu", "beta"),
    ("rho", "alpha", "decay"),
)
"""Names that are used for the same hyperparameter."""


@dataclass(frozen=True)
class Pair:
    """An optimizer, its reference, and the hyperparameters that they share.

    Attributes:
        item: The optimizer.
        reference: The reference.
        names: Name in the optimizer of each shared hyperparameter, by its name in the reference.
        shared: Value of each shared hyperparameter, by its name in the reference.
        fixed: Values of the other hyperparameters of the reference that are not its defaults.
        remarks: What the two do not share, in words.
    """

    item: Optimizer
    reference: Optimizer
    names: Mapping[str, str]
    shared: Mapping[str, Value]
    fixed: Mapping[str, Value]
    remarks: tuple[str, ...]

    def ours(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return these values of shared hyperparameters by their names in the optimizer."""
        return {self.names[name]: value for name, value in values.items()}

    def theirs(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return these values together with the fixed ones of the reference."""
        return {**self.fixed, **values}

    def allows(self, name: str, value: Value) -> bool:
        """Return whether both optimizers allow a value of a shared hyperparameter."""
        sides = ((self.item, self.names[name]), (self.reference, name))
        return all(_is_allowed(optimizer, own, value) for optimizer, own in sides)


def match(item: Optimizer, reference: Optimizer, values: Mapping[str, Value]) -> Pair:
    """Return the hyperparameters that two optimizers share, by name or by rate.

    Args:
        item: The optimizer.
        reference: The reference.
        values: Values of the reference other than its defaults.

    Raises:
        ConfigError: A value is not allowed in the reference.
    """
    wanted = complete(reference, values)
    ours, theirs = item.hypers(), reference.hypers()
    names = _names(item, reference)
    shared: dict[str, Value] = {}
    remarks = []
    for name, own in names.items():
        candidates = (wanted[name], ours[own].default)
        usable = [v for v in candidates if _is_allowed(item, own, v)]
        usable = [v for v in usable if _is_allowed(reference, name, v)]
        if usable:
            shared[name] = usable[0]
        if wanted[name] not in usable:
            remarks.append(f"it does not allow {spelled(own, wanted[name])}")
    for label, declared, known in (
        ("only it has", ours, set(names.values())),
        (f"only {reference.name} has", theirs, set(names)),
    ):
        lone = [n for n in declared if n not in known]
        if lone:
            value_of = wanted if declared is theirs else {n: h.default for n, h in ours.items()}
            remarks.append(f"{label} {', '.join(spelled(n, value_of[n]) for n in lone)}")
    fixed = {name: value for name, value in wanted.items() if name not in shared}
    return Pair(item, reference, names, shared, fixed, tuple(remarks))


def spelled(name: str, value: Value) -> str:
    """Return ``name=value`` with a number in six digits."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"{name}={text.lower() if isinstance(value, bool) else text}"


def _names(item: Optimizer, reference: Optimizer) -> dict[str, str]:
    """Return the name in the optimizer of each hyperparameter of the reference that it has."""
    ours, theirs = item.hypers(), reference.hypers()
    names = {name: name for name in theirs if name in ours and _alike(ours[name], theirs[name])}
    rates = rate_of(item), rate_of(reference)
    if rates[0] is not None and rates[1] is not None:
        names = {t: o for t, o in names.items() if o != rates[0].name}
        names[rates[1].name] = rates[0].name
    for name in theirs:
        group: tuple[str, ...] = next((g for g in SPELLINGS if name in g), ())
        for other in group:
            if name not in names and other in ours and other not in names.values():
                names[name] = other
    return {name: names[name] for name in theirs if name in names}


def _alike(one: Hyper, other: Hyper) -> bool:
    numbers = (int, float)
    return one.kind is other.kind or (one.kind in numbers and other.kind in numbers)


def _is_allowed(optimizer: Optimizer, name: str, value: Value) -> bool:
    try:
        complete(optimizer, {name: value})
    except ConfigError:
        return False
    return True
