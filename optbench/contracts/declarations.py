"""Hyperparameters: how a plugin declares them, and the values that it is given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from optbench.errors import ConfigError, nearest, suggest_arguments

Value = float | int | bool | str
Prior = Literal["log", "uniform", "one-minus-log"]


@dataclass(frozen=True)
class Hyper:
    """One hyperparameter: default, valid range, search space and meaning, as `hyper` declares it.

    Attributes:
        default: Value unless the user gives one; its type is the type of every value.
        meaning: One line for ``optbench show``.
        low: Smallest valid value (inclusive).
        high: Largest valid value (inclusive).
        prior: Distribution that tuning draws from; None to leave the hyperparameter at its default.
        search: Range that tuning searches.
        choices: The only strings allowed.
        scaled_by: See `hyper`.
        name: Name of the attribute that it is assigned to.
        rate: Whether it is marked as the rate of its optimizer; see `rate_of`.
        fault: Arguments of `hyper` that contradict each other, or ''. A plugin with a fault in one
            of its hyperparameters is refused by name when it is registered.

    Example:
        >>> import optbench
        >>> class Descent(optbench.Rule):
        ...     lr: float = optbench.hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1))
        >>> rate = Descent.hypers()["lr"]
        >>> rate.default, rate.search
        (0.1, (0.001, 1))
    """

    default: Value
    meaning: str = ""
    low: float = -math.inf
    high: float = math.inf
    prior: Prior | None = None
    search: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    scaled_by: str | None = None
    name: str = ""
    rate: bool = False
    fault: str = ""

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name of the attribute that it is assigned to in the body of a class."""
        if not self.name:
            object.__setattr__(self, "name", name)

    @property
    def kind(self) -> type:
        """Type of every value, which is that of the default: float, int, bool or str."""
        return type(self.default)

    def describe_range(self) -> str:
        """Return the values allowed, in words for an error message."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "a word"
        number = "a whole number" if self.kind is int else "a number"
        low = "" if self.low == -math.inf else f" >= {self.low:g}"
        high = "" if self.high == math.inf else f" <= {self.high:g}"
        return number + low + (" and" if low and high else "") + high

    def describe_search(self) -> str:
        """Return what tuning searches, in words; empty if it keeps the default.

        Example:
            >>> hyper(0.01, "learning rate", log_range=(1e-4, 0.1)).describe_search()
            '0.0001 to 0.1, log-uniformly'
        """
        if self.search is None:
            return ""
        quantity = ""
        if self.scaled_by:
            quantity = f"{self.name} / (1 - {self.scaled_by}): "
        elif self.prior == "one-minus-log":
            quantity = f"1 - {self.name}: "
        spacing = "uniformly" if self.prior == "uniform" else "log-uniformly"
        return f"{quantity}{self.search[0]:g} to {self.search[1]:g}, {spacing}"

    def check(self, value: object) -> Value:
        """Return a value in this hyperparameter's type.

        Raises:
            ConfigError: The value has the wrong type or lies outside the valid range.
        """
        text = f"{self.name}={value!s} is not allowed; {self.describe_range()}"
        if self.choices or self.kind is str:
            if not isinstance(value, str) or (self.choices and value not in self.choices):
                near = nearest(str(value), self.choices)
                raise ConfigError(f"{text}; did you mean '{near}'?" if near else text)
            return value
        problem = ConfigError(text)
        if self.kind is bool:
            if not isinstance(value, bool):
                raise problem
            return value
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise problem
        try:
            number = self.kind(value)
        except (OverflowError, ValueError):  # int(nan), float(10**400)
            raise problem from None
        if self.kind is int and (value != number or abs(number) > 2**53):  # exact in float64
            raise problem
        if not self.low <= number <= self.high or not math.isfinite(number):
            raise problem
        return number + self.kind(0)  # type: ignore[no-any-return]  # -0.0 is 0.0


@suggest_arguments
def hyper(
    default: Value,
    meaning: str = "",
    *,
    low: float = -math.inf,
    high: float = math.inf,
    log_range: tuple[float, float] | None = None,
    uniform_range: tuple[float, float] | None = None,
    one_minus_log_range: tuple[float, float] | None = None,
    choices: Sequence[str] | None = None,
    scaled_by: str | None = None,
    rate: bool = False,
) -> Any:
    """Declare a hyperparameter in the body of a Rule, a Stepper or an Initializer.

    Args:
        default: Value unless the user gives one; its type is the type of every value.
        meaning: One line for ``optbench show``.
        low: Smallest valid value (inclusive).
        high: Largest valid value (inclusive).
        log_range: Search log-uniformly between these two values.
        uniform_range: Search uniformly between these two values.
        one_minus_log_range: Search ``1 - value`` log-uniformly between these two; `decay` is a
            shorter way to declare a beta.
        choices: The only strings allowed; None for any.
        scaled_by: Name of a hyperparameter ``mu`` such as momentum: tuning then searches
            ``value / (1 - mu)``, the length of the step once the momentum has built up.
        rate: Mark the rate of an optimizer, unless it is called ``lr``: the hyperparameter that
            ruleset ``"lr"`` tunes and that schedules scale. At most one is marked.

    Returns:
        A `Hyper`; typed ``Any`` so that ``lr: float = hyper(0.1)`` satisfies a type checker.

    Example:
        >>> from optbench import Rule, hyper
        >>> class Descent(Rule):
        ...     lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))
        ...     @staticmethod
        ...     def update(theta, grad, t, h):
        ...         return (theta - h.lr * grad,)
        >>> Descent.hypers()["lr"].default
        0.1
    """
    ranges: dict[Prior, tuple[float, float] | None] = {
        "log": log_range,
        "uniform": uniform_range,
        "one-minus-log": one_minus_log_range,
    }
    given = [(prior, span) for prior, span in ranges.items() if span is not None]
    prior, span = given[0] if given else (None, None)
    fault = "with two search ranges; at most one is allowed" if len(given) > 1 else ""
    if isinstance(choices, str) or (choices is not None and not choices):
        fault = f"with choices={choices!r}; a tuple of one or more words is allowed"
    words = tuple(choices or ())
    return Hyper(default, meaning, low, high, prior, span, words, scaled_by, rate=rate, fault=fault)


BELOW_ONE = 0.999999
"""Largest value of a decay, at which an average still forgets."""


@suggest_arguments
def decay(default: float, meaning: str = "", *, span: tuple[float, float] | None = None) -> Any:
    """Declare a decay, such as a beta: a number from 0 to just below 1.

    Args:
        default: Value unless the user gives one.
        meaning: One line for ``optbench show``.
        span: Range of ``1 - value`` that tuning searches, log-uniformly; None to leave the decay
            out of the search.

    Returns:
        A `Hyper`, typed ``Any`` as that of `hyper` is.

    Example:
        >>> from optbench import Rule, decay
        >>> class Average(Rule):
        ...     beta: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
        >>> Average.hypers()["beta"].describe_range()
        'a number >= 0 and <= 0.999999'
    """
    return hyper(default, meaning, low=0, high=BELOW_ONE, one_minus_log_range=span)


class Values(Mapping[str, Value]):
    """Hyperparameter values of one configuration: ``h.lr`` or ``h["lr"]``. Immutable.

    Example:
        >>> h = Values({"lr": 0.1, "beta": 0.9})
        >>> h.lr, h["beta"]
        (0.1, 0.9)
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_values")[name]
        except KeyError:
            known = object.__getattribute__(self, "_values")
            near = nearest(name, known)
            hint = f"did you mean '{near}'?" if near else f"declared: {', '.join(known) or 'none'}"
            raise AttributeError(f"no hyperparameter '{name}' is declared; {hint}") from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("hyperparameter values cannot be changed by an optimizer")

    def __getitem__(self, name: str) -> Value:
        return self._values[name]  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __reduce__(self) -> tuple[type[Values], tuple[dict[str, Value]]]:
        return Values, (dict(self._values),)

    def __repr__(self) -> str:
        return "Values(" + ", ".join(f"{k}={v!r}" for k, v in self._values.items()) + ")"
