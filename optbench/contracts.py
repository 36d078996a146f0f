"""What a plugin implements: optimizers (Rule, Stepper), initializers, datasets, landscapes.

Everything here is plain Python and NumPy. A plugin author reads this file and is done; that is why
it is longer than others.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from optbench.errors import ConfigError, PluginError, nearest

Array = npt.NDArray[Any]
Value = float | int | bool | str
Prior = Literal["log", "uniform", "one-minus-log"]
Task = Literal["multiclass", "binary", "regression"]
Need = Literal["closure", "layers", "total_steps", "rng", "full-batch", "data"]
NEEDS: tuple[Need, ...] = get_args(Need)

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(:[A-Za-z0-9_.:-]+)?")


@dataclass(frozen=True)
class Hyper:
    """One hyperparameter: default, valid range, search space and meaning. Made by `hyper`."""

    default: Value
    meaning: str = ""
    low: float = -math.inf
    high: float = math.inf
    prior: Prior | None = None
    search: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    scaled_by: str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.search is not None and not self.search[0] < self.search[1]:
            raise PluginError(f"the search range {self.search} is empty: low must be below high")
        if self.prior in ("log", "one-minus-log") and self.search and self.search[0] <= 0:
            raise PluginError(f"a logarithmic search range must be above 0, not {self.search}")

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name of the attribute that it is assigned to in the body of a class."""
        if not self.name:
            object.__setattr__(self, "name", name)

    @property
    def kind(self) -> type:
        """The type of every value: float, int, bool or str, as the default has it."""
        return type(self.default)

    def describe_range(self) -> str:
        """The values allowed, in words for an error message."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "a word"
        what = "a whole number" if self.kind is int else "a number"
        low = "" if self.low == -math.inf else f" >= {self.low:g}"
        high = "" if self.high == math.inf else f" <= {self.high:g}"
        return what + low + (" and" if low and high else "") + high

    def check(self, value: object) -> Value:
        """Return `value` as this hyperparameter's type.

        Raises:
            ConfigError: the value has the wrong type or lies outside the valid range.
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
        if self.kind is int and (value != number or abs(number) > 2**53):  # float64 counts so far
            raise problem
        if not self.low <= number <= self.high or not math.isfinite(number):
            raise problem
        return number + self.kind(0)  # type: ignore[no-any-return]  # -0.0 is 0.0


def hyper(
    default: Value,
    meaning: str = "",
    *,
    low: float = -math.inf,
    high: float = math.inf,
    log_range: tuple[float, float] | None = None,
    uniform_range: tuple[float, float] | None = None,
    one_minus_log_range: tuple[float, float] | None = None,
    choices: Sequence[str] = (),
    scaled_by: str | None = None,
) -> Any:
    """Declare a hyperparameter in the body of a Rule, a Stepper or an Initializer.

    Args:
        default: the value when nobody says otherwise; its type is the hyperparameter's type.
        meaning: one line for ``optbench show``.
        low: smallest valid value (inclusive).
        high: largest valid value (inclusive).
        log_range: search log-uniformly between these two values.
        uniform_range: search uniformly between these two values.
        one_minus_log_range: search ``1 - value`` log-uniformly between these two (for betas).
        choices: the only strings allowed.
        scaled_by: the name of a momentum-like hyperparameter ``mu``: what is searched is then
            ``value / (1 - mu)``, the length of the step once the momentum has built up.

    Returns:
        A `Hyper`; typed ``Any`` so that ``lr: float = hyper(0.1)`` satisfies a type checker.

    Example:
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
    if len(given) > 1:
        raise PluginError("a hyperparameter has one search range at most")
    prior, span = given[0] if given else (None, None)
    return Hyper(default, meaning, low, high, prior, span, tuple(choices), scaled_by)


BELOW_ONE = 0.999999
"""Largest value of a decay, at which an average still forgets."""


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
        >>> class Average(Rule):
        ...     beta: float = decay(0.9, "decay of the mean", span=(0.01, 0.5))
        >>> Average.hypers()["beta"].describe_range()
        'a number >= 0 and <= 0.999999'
    """
    return hyper(default, meaning, low=0, high=BELOW_ONE, one_minus_log_range=span)


class Values(Mapping[str, Value]):
    """The hyperparameter values of one configuration: ``h.lr`` or ``h["lr"]``. Immutable."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        object.__setattr__(self, "_values", dict(values))

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_values")[name]
        except KeyError:
            raise AttributeError(f"no hyperparameter '{name}' is declared") from None

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


class Plugin:
    """What optimizers and initializers share: a name, a source, hyperparameters."""

    name: ClassVar[str] = ""
    """Kebab-case and unique, e.g. ``"adam"``."""
    source: ClassVar[str] = ""
    """The paper, and the equation or algorithm in it."""
    url: ClassVar[str] = ""
    """Address of the source, if it has one."""
    variant: ClassVar[str] = ""
    """Which of the published forms this is: where epsilon stands, sum or average, ..."""
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What it uses beyond its ordinary arguments; anything else is refused at use."""
    expected_failures: ClassVar[Mapping[str, str]] = {}
    """Checks of ``optbench check`` that fail on purpose, each with its reason. Strict."""
    version: ClassVar[str] = ""
    """Which code it runs beside its own file, such as a library's version; part of a run's key."""

    @classmethod
    def hypers(cls) -> dict[str, Hyper]:
        """The declared hyperparameters by name, base classes first."""
        found: dict[str, Hyper] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Hyper):
                    found[name] = value if value.name == name else replace(value, name=name)
                else:
                    found.pop(name, None)
        return found

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]


class Rule(Plugin):
    """An optimizer that is its textbook formula, elementwise and pure.

    The body of `update` runs as it stands on NumPy arrays (the reference), and is compiled to one
    fused loop. For that it keeps to assignments, arithmetic, comparisons, ``a if scalar else b``
    and NumPy's elementwise functions (``np.sqrt``, ``np.where`` and so on); a body outside of this
    still trains, in the slower stepped loop, and ``optbench show`` says why.

    Example:
        >>> class Momentum(Rule):
        ...     '''Momentum as an average of gradients.'''
        ...     name = "my-momentum"
        ...     lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))
        ...     beta: float = hyper(0.9, "decay of the average", low=0, high=1)
        ...     slots = ("v",)
        ...     @staticmethod
        ...     def update(theta, grad, v, t, h):
        ...         v = h.beta * v + (1 - h.beta) * grad
        ...         return theta - h.lr * v, v
    """

    slots: ClassVar[tuple[str, ...]] = ()
    """Names of the state arrays, each shaped and typed like theta, zero at the start."""
    scalars: ClassVar[Mapping[str, float]] = {}
    """Names of the scalar states, with their value before the first step (float64)."""

    update: ClassVar[Callable[..., tuple[Any, ...]]]
    """Static: ``update(theta, grad, *slots, *scalars, t, h) -> (theta, *slots, *scalars)``.

    ``theta``, ``grad`` and the slots are arrays of one shape and dtype; ``t`` is 1 at the first
    step; ``h`` holds the hyperparameter values (float64).
    """

    @staticmethod
    def init(theta: Array, h: Values) -> tuple[Array, ...] | None:
        """The slots before the first step, where they are not zero; None means zeros."""
        return None


@dataclass
class StepContext:
    """What a Stepper may use in `init` and `step`. What it has not declared in `needs` is refused.

    Attributes:
        t: number of this step, 1 at the first (0 in `init`).
        h: hyperparameter values of this step (a schedule has been applied to ``h.lr``).
        loss: loss of the batch at the parameters that `step` was given; NaN in `init`.
    """

    t: int
    h: Values
    declared: frozenset[Need]
    loss: float = math.nan
    _closure: Callable[[], float] | None = None
    _total_steps: int | None = None
    _rng: np.random.Generator | None = None
    _layers: tuple[tuple[int, int], ...] | None = None
    used: set[Need] = field(default_factory=set)

    def _use(self, need: Need) -> None:
        if need not in self.declared:
            raise PluginError(f"the optimizer uses '{need}' without declaring it in `needs`")
        self.used.add(need)

    @property
    def closure(self) -> Callable[[], float]:
        """Evaluates loss and gradient anew at the current parameters (need ``"closure"``).

        The gradient is written into the ``grads`` arrays that `step` was given; the loss is
        returned. Every call counts as a gradient evaluation.
        """
        self._use("closure")
        if self._closure is None:
            raise PluginError("a closure exists in `step` only, not in `init`")
        return self._closure

    @property
    def total_steps(self) -> int:
        """How many updates the whole run has (need ``"total_steps"``)."""
        self._use("total_steps")
        if self._total_steps is None:
            raise PluginError("the total number of steps is not known here")
        return self._total_steps

    @property
    def rng(self) -> np.random.Generator:
        """The optimizer's own random stream, fixed by the seed (need ``"rng"``)."""
        self._use("rng")
        if self._rng is None:
            raise PluginError("no random stream exists here")
        return self._rng

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Pairs of indices into ``params``: weight and bias of each layer (need ``"layers"``).

        Empty when the parameters are not those of a network (`optbench.trajectory`).
        """
        self._use("layers")
        return self._layers or ()


class Stepper(Plugin, ABC):
    """An optimizer that sees whole layers, keeps any state, or needs more than one gradient.

    One instance may serve several runs: keep everything in the state that `init` returns.
    ``params`` are views into the network's buffer in the order W1, b1, ..., WL, bL; a weight has
    shape (n_in, n_out), a bias (n_out,).

    ``needs`` may hold ``"closure"``, ``"layers"``, ``"total_steps"``, ``"rng"``, and
    ``"full-batch"`` for an optimizer that is only defined on the full gradient.
    """

    @abstractmethod
    def init(self, params: list[Array], context: StepContext) -> Any:
        """The state before the first step."""

    @abstractmethod
    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> Any:
        """Update every array of `params` in place; return the new state (None keeps the old).

        `grads` are read only unless the closure writes them.
        """

    def eval_params(
        self, params: list[Array], state: Any, context: StepContext
    ) -> list[Array] | None:
        """The point at which the network is evaluated, where that is not the point trained at.

        Schedule-free methods need it. None means `params`. Must not change `params`.
        """
        return None


Optimizer = type[Rule] | type[Stepper]


@dataclass(frozen=True)
class InitContext:
    """The network and, for initializers that declare ``needs = {"data"}``, a batch of its inputs.

    Attributes:
        sizes: width of the input, of each hidden layer and of the output.
        activation: name of the hidden activation.
        activate: the activation itself, elementwise.
        x: inputs, shape (n, sizes[0]), float64; None unless declared.
    """

    sizes: tuple[int, ...]
    activation: str
    activate: Callable[[Array], Array]
    x: Array | None = None


class Initializer(Plugin):
    """Chooses theta = {W1, b1, ..., WL, bL} before training. Biases start at zero.

    Override `weight` (one layer at a time), or `initialize` to see the whole network.
    """

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        """One weight matrix, shape (n_in, n_out), float64."""
        raise PluginError(f"initializer '{self.name}' defines neither `weight` nor `initialize`")

    def initialize(
        self, rng: np.random.Generator, context: InitContext, h: Values
    ) -> list[tuple[Array, Array]]:
        """Weight (n_in, n_out) and bias (n_out,) of every layer."""
        pairs = zip(context.sizes, context.sizes[1:], strict=False)
        return [(self.weight(rng, a, b, h), np.zeros(b)) for a, b in pairs]


class Landscape(Plugin, ABC):
    """A function of two variables that optimizers are followed over, for the eye.

    Hyperparameters work as in optimizers. Set:

    ``span``: what is drawn, ``((x_low, x_high), (y_low, y_high))``;
    ``start``: where optimizers begin, inside the span;
    ``minima``: the points that are sought; empty when the function has no lowest point.
    """

    span: ClassVar[tuple[tuple[float, float], tuple[float, float]]]
    start: ClassVar[tuple[float, float]]
    minima: ClassVar[tuple[tuple[float, float], ...]] = ()

    @abstractmethod
    def value(self, points: Array, h: Values) -> Array:
        """The function at points of shape (..., 2), float64; shape (...)."""

    @abstractmethod
    def grad(self, point: Array, h: Values, rng: np.random.Generator) -> Array:
        """The gradient at a point of shape (2,); noise, where there is any, comes from `rng`."""


class Schedule(Plugin, ABC):
    """A learning-rate schedule: the factor on ``lr`` over the run.

    It combines with any optimizer that has an ``lr``: ``adam[lr=0.1,schedule=my-schedule]``. Before
    it comes a linear warm-up, if the user or the schedule asks for one.

    Example:
        >>> class Root(Schedule):
        ...     '''The square root of the rest of the run.'''
        ...     name = "root"
        ...     source = "own work"
        ...     variant = "ends at `final`"
        ...     @staticmethod
        ...     def factor(s, final):
        ...         return final + (1 - final) * np.sqrt(1 - s)
        >>> Root.factor(np.array([0.0, 0.75]), 0.0).tolist()
        [1.0, 0.5]
    """

    warmup: ClassVar[float] = 0.0
    """Fraction of the run over which the learning rate rises, unless the user gives one."""

    @staticmethod
    @abstractmethod
    def factor(s: Array, final: float) -> Array:
        """Return the factor on the learning rate at each update.

        Args:
            s: Fraction of the updates after the warm-up that come before each update, shape (n,),
                float64, in [0, 1), rising.
            final: Factor at the end that the user asks for, in [0, 1].

        Returns:
            Shape (n,), finite and at least 0; each element depends only on its own `s`.
        """


@dataclass(frozen=True)
class Dataset:
    """A dataset as the networks meet it: split, standardised, and fixed by its hash.

    Attributes:
        x_train, x_val, x_test: inputs, shape (n, n_features), float64, standardised on the
            training part alone.
        y_train, y_val, y_test: class labels, shape (n,), int64 (multiclass and binary), or
            targets, shape (n, n_outputs), float64, standardised (regression).
        task: ``"multiclass"``, ``"binary"`` or ``"regression"``; decides output layer and loss.
        n_outputs: units of the output layer.
        content_hash: sha256 over all of the above.
    """

    name: str
    task: Task
    x_train: Array
    y_train: Array
    x_val: Array
    y_val: Array
    x_test: Array
    y_test: Array
    n_outputs: int
    content_hash: str
    summary: str = ""
    source: str = ""

    @property
    def n_features(self) -> int:
        """Width of the input layer."""
        return int(self.x_train.shape[1])


class DatasetSource(ABC):
    """Where a dataset comes from. optbench splits, standardises and hashes what `load` returns."""

    name: ClassVar[str] = ""
    task: ClassVar[Task]
    source: ClassVar[str] = ""
    url: ClassVar[str] = ""
    """Address of the source, if it has one."""
    standardize: ClassVar[bool | Literal["jointly"]] = True
    """True gives each feature mean 0 and variance 1; ``"jointly"`` all features together, for
    pixels, where one that is hardly ever lit would become huge; False leaves them, where zeros mean
    absence and must stay zeros (sparse inputs)."""
    cached: ClassVar[bool] = False
    """True where `load` depends on nothing but its own source: its arrays are then kept on disk.

    Never for a file that may change: the copy would not notice."""
    files: ClassVar[Mapping[str, str]] = {}
    """Files to be downloaded, each with its sha256; `load` has them from `optbench.fetch_files`."""
    mirrors: ClassVar[tuple[str, ...]] = ()
    """Addresses of folders that have the files, tried in this order."""

    @abstractmethod
    def load(self) -> tuple[Array, Array] | tuple[Array, Array, Array, Array]:
        """Inputs (n, n_features) and labels (n,) or targets; or train x, y and test x, y.

        The same values at every call. With two arrays the split is 60 / 20 / 20; with four, the
        validation part (a fifth) comes out of the training part.
        """

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]
