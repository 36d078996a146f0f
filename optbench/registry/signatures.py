"""Reads hyperparameters from the signature of another library's optimizer, for adapters."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from optbench.contracts import Hyper, Stepper, Value, decay, hyper
from optbench.errors import ConfigError, unknown_name

LR_RANGE = (1e-5, 1e-1)
"""Search range of the learning rate, unless another is given."""
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
"""Ranges and meanings of names that mean the same in every library; the defaults are theirs."""


@dataclass(frozen=True)
class Arguments:
    """Parameters of a function that can be hyperparameters, and the way back to arguments.

    Attributes:
        hypers: Hyperparameters by name.
        parts: Names of the hyperparameters of each parameter: one, or one per element of a tuple.
        tuples: Parameters that are tuples.
        left_out: Parameters that are not hyperparameters; the function's own defaults hold.
        missing: Those of them that have no default.
    """

    hypers: Mapping[str, Hyper]
    parts: Mapping[str, tuple[str, ...]]
    tuples: frozenset[str]
    left_out: tuple[str, ...]
    missing: tuple[str, ...]

    def bind(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return keyword arguments for the function: ``lr``, and what differs from a default.

        Other arguments are not passed, so that the function uses its own defaults.

        Args:
            values: Hyperparameter values by name.
        """
        arguments: dict[str, Any] = {}
        for parameter, names in self.parts.items():
            same = all(values[name] == self.hypers[name].default for name in names)
            if same and "lr" not in names:
                continue
            chosen = tuple(values[name] for name in names)
            arguments[parameter] = chosen if parameter in self.tuples else chosen[0]
        return arguments

    def call(self, function: str, *first: str) -> str:
        """Return a call of the function as code, with each hyperparameter in braces.

        Args:
            function: Name of the function, as the code has it.
            first: Positional arguments, as code.

        Returns:
            A line for `equivalents`, such as ``torch.optim.SGD(params, lr={lr})``.
        """
        texts = list(first)
        for parameter, names in self.parts.items():
            values = ", ".join(f"{{{name}}}" for name in names)
            if parameter in self.tuples:
                values = f"({values}{',' if len(names) == 1 else ''})"
            texts.append(f"{parameter}={values}")
        return f"{function}({', '.join(texts)})"

    def values_of(self, arguments: Mapping[str, Any], where: str) -> dict[str, Value]:
        """Return the hyperparameter values that arguments of the function stand for.

        Args:
            arguments: Arguments by the name of the parameter.
            where: Name of the function, for the error message.

        Raises:
            ConfigError: An argument that is not a hyperparameter, or a value that cannot be one.
        """
        values: dict[str, Value] = {}
        for parameter, argument in arguments.items():
            if parameter in self.left_out:
                raise ConfigError(
                    f"{where}: the argument {parameter} is not a hyperparameter; pass a function "
                    "or a class of your own that sets it"
                )
            if parameter not in self.parts:
                raise unknown_name(
                    f"hyperparameter among the arguments of {where}", parameter, self.parts
                )
            names = self.parts[parameter]
            parts = tuple(argument) if parameter in self.tuples else (argument,)
            if len(parts) != len(names) or not all(isinstance(part, Value) for part in parts):
                raise ConfigError(
                    f"{where}: {parameter}={argument!r} cannot be a hyperparameter; pass a "
                    "function or a class of your own that sets it"
                )
            values |= zip(names, parts, strict=True)
        return values


def read_signature(
    function: Callable[..., Any],
    *,
    skip: Collection[str] = (),
    lr_names: tuple[str, ...] = ("lr", "learning_rate"),
    lr_range: tuple[float, float] | None = None,
    known: Mapping[str, Hyper] | None = None,
) -> Arguments:
    """Read the hyperparameters of another library's optimizer from its signature.

    Numbers, booleans and strings become hyperparameters. A tuple of numbers becomes several
    (``betas`` becomes ``beta1`` and ``beta2``). The learning rate is called ``lr`` and marked as
    the rate, so that schedules and tuning find it. A name that a Stepper uses itself, such as
    ``variant``, gets an underscore at its end. Parameters without a default, or with a default of
    another type, are left to the function.

    Args:
        function: A function or a class.
        skip: Parameters to leave out.
        lr_names: Names of the learning rate; the first one that exists is taken.
        lr_range: Search range of the learning rate; by default 1e-5 to 1e-1, or around the default.
        known: Ranges and meanings by hyperparameter, in addition to those of `KNOWN`.

    Returns:
        The hyperparameters, and `Arguments.bind` to turn values back into arguments.

    Example:
        >>> def adam(params, learning_rate, betas=(0.9, 0.999), eps=1e-8, mask=None): ...
        >>> arguments = read_signature(adam, skip=("params",))
        >>> list(arguments.hypers)
        ['lr', 'beta1', 'beta2', 'eps']
        >>> arguments.bind({"lr": 0.1, "beta1": 0.8, "beta2": 0.999, "eps": 1e-8})
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
        declared = dict(_as_hypers(key, default, hint, knowledge, where))
        clash = any(key in hypers for key in declared)
        if not declared or clash:
            left_out.append(name)
            if default is parameter.empty:
                missing.append(name)
            continue
        hypers |= declared
        parts[name] = tuple(declared)
    tuples = frozenset(name for name, p, _ in parameters if isinstance(p.default, tuple))
    return Arguments(hypers, parts, tuples, tuple(left_out), tuple(missing))


def _parameters(function: Callable[..., Any]) -> Iterator[tuple[str, inspect.Parameter, Any]]:
    target = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    try:
        hints = get_type_hints(target)
    except Exception:  # annotations with names that are not imported
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
        low=0, log_range=(low, high), rate=True,
    )  # fmt: skip
    return replace(declared, name="lr")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_hypers(
    name: str, default: Any, hint: Any, known: Mapping[str, Hyper], where: str
) -> Iterator[tuple[str, Hyper]]:
    """Yield the hyperparameters of a parameter: none, one, or one per element of a tuple."""
    if isinstance(default, tuple) and default and all(map(_is_number, default)):
        kind = float if any(isinstance(value, float) for value in default) else int
        for place, value in enumerate(default, 1):
            key = f"{name.removesuffix('s')}{place}"
            yield key, _number(key, kind(value), known, f"number {place} of {name}, {where}")
    elif isinstance(default, bool):
        yield name, Hyper(default, _meaning(name, bool, known) or where, name=name)
    elif _is_number(default) and math.isfinite(default):
        kind = float if isinstance(default, float) or _means_float(hint) else int
        yield name, _number(name, kind(default), known, where)
    elif isinstance(default, str) and default:
        meaning = _meaning(name, str, known)
        choices = _words(hint) or (known[name].choices if meaning else ())
        yield name, Hyper(default, meaning or where, choices=choices, name=name)


def _meaning(name: str, kind: type, known: Mapping[str, Hyper]) -> str:
    """Return what is known of a name that stands for a truth value or a word, or ''."""
    declared = known.get(name)
    return declared.meaning if declared is not None and declared.kind is kind else ""


def _number(name: str, value: float, known: Mapping[str, Hyper], where: str) -> Hyper:
    """Return a number with what is known of its name, if that allows its default."""
    declared = known.get(name)
    if (
        declared is None
        or declared.kind not in (int, float)
        or not declared.low <= value <= declared.high
    ):
        return Hyper(value, where, name=name)
    if declared.kind is float:
        value = float(value)  # a default of 0 does not make it a whole number
    return replace(declared, default=value, name=name)


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _means_float(hint: Any) -> bool:
    """Return whether an annotation asks for a float, so that a default of 0 becomes 0.0."""
    members = _members(hint)
    return float in members and int not in members


def _words(hint: Any) -> tuple[str, ...]:
    """Return the strings that an annotation allows; none if it allows any."""
    literals = [get_args(member) for member in _members(hint) if get_origin(member) is Literal]
    return tuple(word for literal in literals for word in literal if isinstance(word, str))
