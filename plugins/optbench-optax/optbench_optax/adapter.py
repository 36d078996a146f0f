"""Makes a Stepper class of a function that returns a gradient transformation."""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any, ClassVar

import jax

from optbench import Array, PluginError, StepContext, Stepper, Value, Values, read_signature
from optbench_optax.finding import Factory, find_factory, name_of, version_of
from optbench_optax.meanings import COMMON, OWN
from optbench_optax.names import KNOWN, PREFIX, Known
from optbench_optax.program import LR_NAMES, Program, Session, Shapes

TECHNICAL = frozenset({"verbose", "print_win_rate_every_n_steps", "seed", "key"})
"""Arguments that do not belong to the method; a key comes from the random stream of the run."""
PROBE: Shapes = ((4, 3), (3,))
"""Shapes on which a transformation is tried before its first use."""


class OptaxStepper(Stepper):
    """Base of the Steppers that `adapt` makes, each of which runs one gradient transformation."""

    _wrapped: ClassVar[Factory]
    _arguments: ClassVar[Any]
    _lr_name: ClassVar[str | None]

    def init(self, params: list[Array], context: StepContext) -> Session:
        shapes = tuple(p.shape for p in params)
        key = int(context.rng.integers(2**31)) if "rng" in self.needs else None
        try:
            program = _program(type(self), _frozen(context.h), shapes, params[0].dtype.name, key)
            return Session(program, params, float(context.h.get("lr", 0.0)))
        except Exception as cause:
            raise PluginError(f"{self.name}: {explain(cause)}") from cause

    def step(
        self, params: list[Array], grads: list[Array], state: Session, context: StepContext
    ) -> None:
        closure = context.closure if "closure" in self.needs else None
        lr = float(context.h.get("lr", 0.0))
        try:
            state.step(params, grads, context.loss, lr, closure)
        except Exception as cause:
            raise PluginError(f"{self.name}: {explain(cause)}") from cause

    def eval_params(
        self, params: list[Array], state: Session, context: StepContext
    ) -> list[Array] | None:
        return state.evaluation_point(params)


def _frozen(values: Values) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in values.items() if name != "lr")


@functools.lru_cache(maxsize=128)
def _program(
    cls: type[OptaxStepper],
    values: tuple[tuple[str, Any], ...],
    shapes: Shapes,
    dtype: str,
    key: int | None,
) -> Program:
    """Return the compiled transformation; all learning rates and runs share it."""
    given = cls._arguments.bind({**dict(values), "lr": 1.0})
    given.pop(cls._lr_name, None)
    if key is not None:
        given["key"] = key
    return Program(cls._wrapped, given, cls._lr_name, shapes, dtype)


@functools.cache
def adapt(name: str) -> type[OptaxStepper]:
    """Return the Stepper class for ``optax:adam``, ``optax:module:function`` and so on.

    Raises:
        ConfigError: There is no such function.
        PluginError: Its transformation cannot be run on given gradients; the message says why.
    """
    return _make_stepper(name, find_factory(name))


def adapt_function(
    factory: Factory, arguments: Mapping[str, Any]
) -> tuple[type[OptaxStepper], dict[str, Value]]:
    """Return the Stepper class for a function, and the values of fixed arguments.

    Raises:
        ConfigError: An argument is not a hyperparameter.
        PluginError: Its transformation cannot be run on given gradients; the message says why.
    """
    stepper = _make_stepper(name_of(factory), factory)
    return stepper, stepper._arguments.values_of(arguments, factory.__name__)


@functools.cache
def _make_stepper(name: str, factory: Factory) -> type[OptaxStepper]:
    plain = getattr(factory, "func", factory)  # optax.nadam is a partial of optax.adam
    package, own_name = plain.__module__.partition(".")[0], name.rpartition(".")[2]
    own_name = own_name.rpartition(":")[2]
    where = f"{plain.__module__}.{own_name}"
    known = KNOWN.get(name.removeprefix(PREFIX)) or Known(f"{own_name} of {package}", lr_range=None)
    meanings = {**COMMON, **OWN.get(name.removeprefix(PREFIX), {})}
    arguments = read_signature(
        factory, skip=TECHNICAL, lr_names=LR_NAMES, lr_range=known.lr_range, known=meanings
    )
    if arguments.missing:
        lacking = ", ".join(arguments.missing)
        raise PluginError(f"{name} has arguments without a default: {lacking}")
    hypers = dict(arguments.hypers)
    if known.lr is not None and "lr" in hypers:
        hypers["lr"] = replace(hypers["lr"], default=known.lr)
    version = version_of(plain)
    make: Any = type  # mypy does not know the attributes of a class that is made like this
    cls: type[OptaxStepper] = make(
        own_name,
        (OptaxStepper,),
        {
            "__doc__": f"{known.summary}.\n\nThe function {where}, unchanged.",
            "__module__": __name__,
            "name": name,
            "source": f"{where} of {version}",
            "variant": f"as in {package}",
            "version": version,
            "expected_failures": known.expected_failures,
            "equivalents": {"optax": arguments.call(_path(name))},
            "_wrapped": staticmethod(factory),
            "_arguments": arguments,
            "_lr_name": next((p for p, names in arguments.parts.items() if "lr" in names), None),
            **hypers,
        },
    )
    cls.needs = _needs(cls, "key" in _signature(factory), known)
    return cls


def _path(name: str) -> str:
    """Return the dotted name of a function as code has it."""
    target = name.removeprefix(PREFIX)
    return target.replace(":", ".") if ":" in target else f"optax.{target}"


def _signature(factory: Factory) -> set[str]:
    return set(inspect.signature(factory).parameters)


def _needs(cls: type[OptaxStepper], random: bool, known: Known) -> frozenset[Any]:
    """Return what the transformation needs, which is found by tracing it.

    Raises:
        PluginError: It cannot be traced with what the harness offers.
    """
    defaults = Values({key: declared.default for key, declared in cls.hypers().items()})
    try:
        program = _program(cls, _frozen(defaults), PROBE, "float32", 0 if random else None)
    except Exception as cause:
        raise PluginError(f"{cls.name} cannot be run: {explain(cause)}") from cause
    conditions = {
        "rng": random,
        "closure": program.calls_value_fn,
        "full-batch": known.full_batch,
    }
    return frozenset(need for need, holds in conditions.items() if holds)


def explain(problem: Exception) -> str:
    """Return in one line why a transformation cannot work."""
    text = " ".join(str(problem).split())[:200]
    if isinstance(problem, AttributeError) and "'init'" in text:
        return "it does not return a gradient transformation"
    if isinstance(problem, PluginError):
        return text
    if isinstance(problem, jax.errors.TracerBoolConversionError) or "truth value of an a" in text:
        text = "an array stands where one True or False is needed; use jnp.where instead of `if`"
    where = _place(problem)
    return f"{type(problem).__name__}: {text}" + (f" ({where})" if where else "")


def _place(problem: Exception) -> str:
    """Return file and line of the innermost frame outside of the libraries, or ''."""
    place = ""
    for frame, line in traceback.walk_tb(problem.__traceback__):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in ("jax", "jaxlib", "optax", "optbench", "contextlib", __package__):
            place = f"{PurePath(frame.f_code.co_filename).name}:{line}"
    return place
