"""Finds hyperparameters that are declared in a way that cannot be meant."""

from __future__ import annotations

import inspect
import math
from typing import get_args

from optbench.contracts import Configurable, Hyper, Rule, Stepper, Value
from optbench.errors import ConfigError
from optbench.registry.declared_values import is_identifier, is_number, short_repr


def hyper_fault(item: type[Configurable]) -> str:
    """Return what is wrong with the hyperparameters of a plugin, or ''.

    Example:
        >>> from optbench import hyper
        >>> class Mine(Rule):
        ...     lr: float = hyper(0.1, "learning rate", log_range=(10, 0.001))
        >>> hyper_fault(Mine).partition("; ")[2]
        'low must be below high: write (0.001, 10)'
    """
    for name, declared in item.hypers().items():
        if not is_identifier(name):
            return f"declares a hyperparameter {short_repr(name)}, which is not a name in Python"
        if fault := _argument_fault(declared):
            return f"declares {name} = {short_repr(declared.default)}{fault}"
        try:
            declared.check(declared.default)
        except ConfigError as fault:
            return f"declares a default outside its own range: {fault}"
        if unfit := _whole_number_fault(item, declared):
            return unfit
    return _rate_fault(item)


def _argument_fault(declared: Hyper) -> str:
    """Return which argument of `hyper` is wrong and what is allowed, or ''."""
    if not isinstance(declared.default, (*get_args(Value),)):
        return ", not a number, a word, True or False"
    if declared.fault:
        return f" {declared.fault}"
    if not isinstance(declared.meaning, str):
        return f" with the meaning {short_repr(declared.meaning)}, not a text"
    if not all(isinstance(word, str) for word in declared.choices):
        return f" with choices={short_repr(declared.choices)}, not words"
    for name, bound in (("low", declared.low), ("high", declared.high)):
        if not isinstance(bound, int | float) or math.isnan(bound):
            return f" with {name}={short_repr(bound)}, not a number"
    if declared.low > declared.high:
        return f" with low={declared.low} and high={declared.high}; low must not be above high"
    return _search_fault(declared)


def _search_fault(declared: Hyper) -> str:
    """Return what is wrong with the search range, or ''."""
    search: object = declared.search
    if search is None:
        return ""
    text = f" with the search range {short_repr(search)}"
    if declared.kind not in (int, float):
        return f"{text}, which only a number can have"
    if not (isinstance(search, tuple | list) and len(search) == 2 and all(map(is_number, search))):
        return f"{text}, not two finite numbers (low, high)"
    low, high = search
    if low >= high:
        cure = f": write ({high}, {low})" if high < low else ""
        return f"{text}; low must be below high{cure}"
    if low <= 0 and declared.prior != "uniform":
        return f"{text}; both ends of a logarithmic range must be above 0"
    return ""


def _whole_number_fault(item: type[Configurable], declared: Hyper) -> str:
    """Return why a default such as 1, which allows whole numbers only, must be meant as 1.0."""
    if declared.kind is not int:
        return ""
    bounds = (declared.low, declared.high, *(declared.search or ()))
    broken = [bound for bound in bounds if math.isfinite(bound) and bound != int(bound)]
    if broken:
        reason = f"the bound {broken[0]:g}"
    elif _annotation(item, declared.name) in (float, "float"):
        reason = "the annotation float"
    else:
        return ""
    return (
        f"declares {declared.name} = {declared.default}, which allows whole numbers only, with "
        f"{reason}; write {float(declared.default)!r}"
    )


def _annotation(item: type, name: str) -> object:
    """Return the annotation of an attribute as it is written: a type or a string."""
    for base in item.__mro__:
        try:
            annotations = inspect.get_annotations(base)
        except Exception:  # from Python 3.14, names in it are looked up only here
            return None
        if name in annotations:
            return annotations[name]
    return None


def _rate_fault(item: type[Configurable]) -> str:
    rates = [declared for declared in item.hypers().values() if declared.rate]
    if len(rates) > 1:
        names = " and ".join(declared.name for declared in rates)
        return f"marks {names} as its rate (rate=True); at most one hyperparameter can be"
    if rates and not issubclass(item, Rule | Stepper):
        return f"marks {rates[0].name} as its rate (rate=True), which only an optimizer has"
    if rates and rates[0].kind is not float:
        default = short_repr(rates[0].default)
        return f"marks {rates[0].name} = {default} as its rate, whose default must be a float"
    return ""
