"""Finds methods of plugin classes that cannot take the arguments that optbench passes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from optbench.contracts import (
    DatasetSource,
    Hyper,
    Initializer,
    Landscape,
    ReportSection,
    Rule,
    Schedule,
    Stepper,
)
from optbench.errors import count_edits

_NOT_DATA = (Hyper, property, staticmethod, classmethod)
"""Values of a class that declare a hyperparameter or a method."""

CONTRACTS = (Rule, Stepper, Initializer, DatasetSource, Landscape, Schedule, ReportSection)


def update_fault(rule: type[Rule]) -> str:
    """Return why `update` of a Rule cannot be called, or ''.

    Args:
        rule: A Rule whose slots and scalars are valid.

    Example:
        >>> class Mine(Rule):
        ...     def update(self, theta, grad, t, h):
        ...         return (theta - h.lr * grad,)
        >>> update_fault(Mine).partition("; ")[2]
        'write @staticmethod above update(theta, grad, t, h)'
    """
    own = inspect.getattr_static(rule, "update")
    expected = ["theta", "grad", *rule.slots, *rule.scalars, "t", "h"]
    names = _parameters(own)
    is_swapped = names != expected and sorted(names) == sorted(expected)
    if _accepts(rule.update, expected) and not is_swapped:
        return ""
    above = "" if isinstance(own, staticmethod) else "@staticmethod above "
    cure = f"write {above}{_call('update', expected)}"
    if names[:2] == expected[:2] and names[-2:] == expected[-2:]:
        states = names[2:-2]
        if len(states) > len({*rule.slots, *rule.scalars}) and set(rule.scalars) <= set(states):
            slots = ", ".join(f'"{name}"' for name in states if name not in rule.scalars)
            cure += f" or declare slots = ({slots}{'' if ', ' in slots else ','})"
    return f"defines {_call('update', names)}; {cure}"


def misspelled_attribute(item: type) -> str:
    """Return which attribute of a class is nearly one that optbench reads, or ''.

    Example:
        >>> class Mine(Rule):
        ...     slot = ("v",)
        >>> misspelled_attribute(Mine)
        "declares slot, which optbench does not read; did you mean 'slots'?"
    """
    bases = [base for base in item.__mro__ if base.__module__.startswith("optbench.contracts")]
    known = {name for base in bases for name in vars(base).get("__annotations__", {})}
    own = {name: value for name, value in vars(item).items() if item not in bases}
    for name, value in own.items():
        is_data = not (name.startswith("_") or callable(value) or isinstance(value, _NOT_DATA))
        if is_data and not any(hasattr(base, name) for base in bases) and name not in known:
            near = next((each for each in sorted(known) if count_edits(name, each) == 1), None)
            if near is not None and near not in own:
                return f"declares {name}, which optbench does not read; did you mean '{near}'?"
    return ""


def method_fault(item: type) -> str:
    """Return which method of a contract has other arguments than the contract's own, or ''."""
    for base in CONTRACTS:
        if issubclass(item, base):
            for name, declared in vars(base).items():
                is_function = isinstance(declared, FunctionType | staticmethod)
                is_method = is_function and not name.startswith("_")
                if is_method and (fault := _fault_of(item, name, declared)):
                    return fault
    return ""


def _fault_of(item: type, name: str, declared: Any) -> str:
    own = inspect.getattr_static(item, name)
    if own is declared or not isinstance(own, FunctionType | staticmethod | classmethod):
        return ""
    expected = _parameters(declared)
    is_bound = expected[:1] == ["self"] and not isinstance(own, FunctionType)
    if _accepts(getattr(item, name), expected[is_bound:]):
        return ""
    return f"defines {_call(name, _parameters(own))}; optbench calls {_call(name, expected)}"


def _accepts(function: Callable[..., Any], names: Sequence[str]) -> bool:
    try:
        inspect.signature(function).bind(*names)
    except TypeError:
        return not callable(function)  # what is not callable is reported elsewhere
    except ValueError:  # a function in C may have no signature
        return True
    return True


def _parameters(function: Any) -> list[str]:
    return list(inspect.signature(getattr(function, "__func__", function)).parameters)


def _call(name: str, parameters: Sequence[str]) -> str:
    return f"{name}({', '.join(parameters)})"
