"""Hyperparameters read from the signature of another library's optimizer, for adapters."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from optbench.contracts import Hyper, Stepper, Value, decay, hyper

LR_RANGE = (1e-5, 1e-1)
KNOWN: dict[str, Hyper] = {
    "eps": hyper(0.0, "keeps a denominator from 0", low=0, log_range=(1e-10, 1)),
    "weight_decay": hyper(0.0, "weight decay", low=0, log_range=(1e-5, 0.1)),
    "momentum": decay(0.0, "decay of the momentum", span=(1e-3, 0.5)),
    **{
        name: decay(0.0, meaning, span=span)
        for names, meaning, span in (
            (("b1", "beta1"), "decay of the mean of gradients", (0.01, 0.5)),
            (("b2", "beta2"), "decay of the mean of squares", (1e-4, 0.1)),
        )
        for name in names
    },
}
"""What is known of a name that every library gives the same meaning; defaults are theirs."""


@dataclass(frozen=True)
class Arguments:
    """The parameters of a function that can be hyperparameters, and the way back to arguments.

    Attributes:
        hypers: hyperparameters by name.
        parts: for each parameter its hyperparameters: one, or for a tuple one for each place.
        tuples: the parameters that are tuples.
        left_out: parameters that are no hyperparameters; the function's own defaults hold.
        missing: those of them that have no default.
    """

    hypers: Mapping[str, Hyper]
    parts: Mapping[str, tuple[str, ...]]
    tuples: frozenset[str]
    left_out: tuple[str, ...]
    missing: tuple[str, ...]

    def bind(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Keyword arguments for the function: ``lr`` always, else what differs from a default.

        What keeps its default is not passed, so that the function sees what it wrote down itself.
        """
        arguments: dict[str, Any] = {}
        for parameter, names in self.parts.items():
            same = all(values[name] == self.hypers[name].default for name in names)
            if same and "lr" not in names:
                continue
            given = tuple(values[name] for name in names)
            arguments[parameter] = given if parameter in self.tuples else given[0]
        return arguments


def read_signature(
    function: Callable[..., Any],
    *,
    skip: Collection[str] = (),
    lr_names: tuple[str, ...] = ("lr", "learning_rate"),
    lr_range: tuple[float, float] | None = None,
    known: Mapping[str, Hyper] | None = None,
) -> Arguments:
    """Read the hyperparameters of another library's optimizer from its signature.

    Numbers, truth values and words become hyperparameters, tuples of numbers several (``betas``
    becomes ``beta1`` and ``beta2``), and the learning rate is called ``lr`` so that schedules and
    tuning find it. A name that a Stepper uses itself, such as ``variant``, gets an underscore
    behind it. Parameters without a default, or whose default is of another kind, are left to
    the function.

    Args:
        function: a function or a class.
        skip: parameters to leave out.
        lr_names: the parameter that is the learning rate; the first that exists.
        lr_range: where to search it; by default 1e-5 to 1e-1, or around the default.
        known: ranges and meanings by hyperparameter, over those of `KNOWN`.

    Example:
        >>> def adam(params, learning_rate, betas=(0.9, 0.999), eps=1e-8, mask=None): ...
        >>> found = read_signature(adam, skip=("params",))
        >>> list(found.hypers)
        ['lr', 'beta1', 'beta2', 'eps']
        >>> found.bind({"lr": 0.1, "beta1": 0.8, "beta2": 0.999, "eps": 1e-8})
        {'learning_rate': 0.1, 'betas': (0.8, 0.999)}
    """
    knowledge = {**KNOWN, **(known or {})}
    hypers: dict[str, Hyper] = {}
    parts: dict[str, tuple[str, ...]] = {}
    left_out, missing = [], []
    where = f"argument of {getattr(function, '__name__', 'the function')}"
    parameters = [
        (name, parameter, hint)
        for name, parameter, hint in _parameters(function)
        if name not in skip
    ]
    lr = next((n for n in lr_names if n in {name for name, _, _ in parameters}), None)
    for name, parameter, hint in parameters:
        default = parameter.default
        if name == lr:
            hypers["lr"] = _learning_rate(default, lr_range, name)
            parts[name] = ("lr",)
            continue
        key = f"{name}_" if hasattr(Stepper, name) else name
        found = dict(_as_hypers(key, default, hint, knowledge, where))
        clash = any(key in hypers for key in found)
        if not found or clash:
            left_out.append(name)
            if default is parameter.empty:
                missing.append(name)
            continue
        hypers |= found
        parts[name] = tuple(found)
    tuples = frozenset(name for name, p, _ in parameters if isinstance(p.default, tuple))
    return Arguments(hypers, parts, tuples, tuple(left_out), tuple(missing))


def _parameters(function: Callable[..., Any]) -> Iterator[tuple[str, inspect.Parameter, Any]]:
    target = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    try:
        hints = get_type_hints(target)
    except Exception:  # annotations that need what is not imported
        hints = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            yield name, parameter, hints.get(name, parameter.annotation)


def _learning_rate(default: Any, span: tuple[float, float] | None, name: str) -> Hyper:
    numeric = _is_number(default) and math.isfinite(default) and default >= 0
    value = float(default) if numeric else 1e-3
    low, high = span or LR_RANGE
    if not low <= value <= high:
        value = value or low
        low, high = (min(low, value), max(high, value)) if span else (value / 100, value * 10)
    declared: Hyper = hyper(
        value, "learning rate" + ("" if numeric else "; the library has no default"),
        low=0, log_range=(low, high),
    )  # fmt: skip
    return replace(declared, name="lr")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_hypers(
    name: str, default: Any, hint: Any, known: Mapping[str, Hyper], where: str
) -> Iterator[tuple[str, Hyper]]:
    """The hyperparameters that a parameter becomes: none, one, or one for each place of a tuple."""
    if isinstance(default, tuple) and default and all(map(_is_number, default)):
        kind = float if any(isinstance(value, float) for value in default) else int
        for place, value in enumerate(default, 1):
            key = f"{name.removesuffix('s')}{place}"
            yield key, _number(key, kind(value), known, f"number {place} of {name}, {where}")
    elif isinstance(default, bool):
        yield name, Hyper(default, where, name=name)
    elif _is_number(default) and math.isfinite(default):
        kind = float if isinstance(default, float) or _means_float(hint) else int
        yield name, _number(name, kind(default), known, where)
    elif isinstance(default, str) and default:
        yield name, Hyper(default, where, choices=_words(hint), name=name)


def _number(name: str, value: float, known: Mapping[str, Hyper], where: str) -> Hyper:
    """A number with what is known of its name, as far as that agrees with its default."""
    declared = known.get(name)
    if declared is None or not declared.low <= value <= declared.high:
        return Hyper(value, where, name=name)
    return replace(declared, default=value, name=name)


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _means_float(hint: Any) -> bool:
    """Whether an annotation asks for a float, so that a default of 0 is 0.0."""
    members = _members(hint)
    return float in members and int not in members


def _words(hint: Any) -> tuple[str, ...]:
    """The words that an annotation allows; none if it allows any."""
    literals = [get_args(member) for member in _members(hint) if get_origin(member) is Literal]
    return tuple(word for literal in literals for word in literal if isinstance(word, str))
