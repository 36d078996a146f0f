"""What optimizers, initializers, landscapes and schedules have in common."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy.typing as npt

from optbench.contracts.declarations import Hyper

Array = npt.NDArray[Any]
Need = Literal["closure", "layers", "total_steps", "rng", "full-batch", "data"]
NEEDS: tuple[Need, ...] = get_args(Need)

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(:[A-Za-z0-9_.:-]+)?")
"""Form of the name of a plugin; a prefix and a colon come before the names of other libraries."""


class Configurable:
    """Base of everything that is named and has hyperparameters."""

    name: ClassVar[str] = ""
    """Kebab-case and unique, e.g. ``"adam"``."""
    source: ClassVar[str] = ""
    """Paper, and the equation or algorithm in it."""
    url: ClassVar[str] = ""
    """Address of the source, if it has one."""

    @classmethod
    def hypers(cls) -> dict[str, Hyper]:
        """Return the declared hyperparameters by name, those of base classes first.

        A class is read once: what is assigned to it after that is not seen.
        """
        declared = _declared.get(cls)
        if declared is None:
            declared = _declared[cls] = _read_hypers(cls)
        return declared.copy()

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]


_declared: weakref.WeakKeyDictionary[type, dict[str, Hyper]] = weakref.WeakKeyDictionary()


def _read_hypers(cls: type) -> dict[str, Hyper]:
    declared: dict[str, Hyper] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Hyper):
                declared[name] = value if value.name == name else replace(value, name=name)
            else:
                declared.pop(name, None)
    return declared


class Plugin(Configurable):
    """Base of optimizers, initializers, landscapes and schedules: what they use and promise."""

    variant: ClassVar[str] = ""
    """Which of the published forms this is: where epsilon is added, sum or average, ..."""
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What it uses beyond its ordinary arguments; using anything else is an error."""
    expected_failures: ClassVar[Mapping[str, str]] = {}
    """Checks of ``optbench check`` that fail on purpose, each with its reason. A check that is
    listed here must fail."""
    equivalents: ClassVar[Mapping[str, str]] = {}
    """The same method in other libraries: a line of code for each, with hyperparameters in braces,
    such as ``"library.Descent(params, lr={lr})"``. Those that a line lacks must have their
    defaults. ``optbench export --best`` prints the lines with the tuned values."""
    version: ClassVar[str] = ""
    """Version of the code that it runs beside its own file, such as a library's; part of the
    content key of a run."""
    data_files: ClassVar[tuple[str, ...]] = ()
    """Files that its code reads; their contents are part of the content key of a run. A relative
    path starts at the folder of the class's own file."""

    if not TYPE_CHECKING:  # a type checker knows that the class takes no arguments

        def __new__(cls, *args, **values):
            """Refuse hyperparameters, which a class declares and does not take."""
            if values and cls.__init__ is object.__init__:
                given = ", ".join(f"{name}={value!r}" for name, value in values.items())
                raise TypeError(
                    f"{cls.__name__}() takes no arguments; write "
                    f"functools.partial({cls.__name__}, {given})"
                )
            return super().__new__(cls)


def rate_of(plugin: type[Plugin]) -> Hyper | None:
    """Return the rate of an optimizer, which ruleset ``"lr"`` tunes and schedules scale.

    Args:
        plugin: Rule or Stepper class.

    Returns:
        The hyperparameter that is declared with ``rate=True``, or else the one called ``lr``; None
        for an optimizer without a rate.

    Example:
        >>> from optbench import Rule, hyper
        >>> class Descent(Rule):
        ...     eta: float = hyper(0.1, "step size", low=0, log_range=(1e-3, 10), rate=True)
        >>> rate_of(Descent).name
        'eta'
    """
    declared = plugin.hypers()
    marked = (hyper for hyper in declared.values() if hyper.rate)
    return next(marked, declared.get("lr"))
