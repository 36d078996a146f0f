"""Makes a Stepper class of a PyTorch optimizer class."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch

from optbench import Array, PluginError, StepContext, Stepper, Value, Values, read_signature
from optbench_torch.finding import find_class, name_of, version_of
from optbench_torch.names import ALIASES, BUILTIN, PREFIX, Known, lr_range_of
from optbench_torch.probing import TOTAL_STEPS, explain, probe
from optbench_torch.session import Recipe, Session

TECHNICAL = frozenset({
    "params", "foreach", "fused", "capturable", "differentiable", "maximize", "compile", "verbose",
})  # fmt: skip
"""Arguments that choose an implementation rather than a method, and ``maximize``."""
TOTALS = ("num_iterations", "total_steps", "num_training_steps", "total_iterations")
"""Arguments for the number of updates in the run."""
WRAPPED_OBJECTS = ("model", "optimizer", "base_optimizer")
"""Arguments for a network or another optimizer, which a class cannot be given."""
GROUPS = {
    "all": "all parameters in one group",
    "use-muon": "matrices in a group with use_muon, biases in a group without, as its authors do",
    "matrices": "only matrices; biases go to torch.optim.AdamW with the same lr and decay",
}
"""How parameters are grouped, in words."""


class TorchStepper(Stepper):
    """Base of the Steppers that `adapt` makes, each of which runs one PyTorch optimizer class."""

    _wrapped: ClassVar[type[torch.optim.Optimizer]]
    _arguments: ClassVar[Any]
    _recipe: ClassVar[Recipe]
    _totals: ClassVar[tuple[str, ...]]

    def init(self, params: list[Array], context: StepContext) -> Session:
        weights = frozenset(weight for weight, _ in context.layers)
        extra = dict(self._recipe.extra) | dict.fromkeys(
            self._totals, context.total_steps if self._totals else 0
        )
        seed = int(context.rng.integers(2**31)) if self._recipe.draws else 0
        make = functools.partial(self._make, context.h, extra)
        try:
            return Session(make, params, weights, self._recipe, _lr(context.h), seed)
        except Exception as cause:
            raise PluginError(f"{self.name}: {explain(cause)}") from cause

    @classmethod
    def _make(cls, values: Mapping[str, Any], extra: Mapping[str, Any], params: Any) -> Any:
        return cls._wrapped(params, **cls._arguments.bind(values), **extra)

    def step(
        self, params: list[Array], grads: list[Array], state: Session, context: StepContext
    ) -> None:
        evaluate = context.closure if self._recipe.evaluates else None
        try:
            state.step(
                grads,
                context.loss,
                _lr(context.h),
                evaluate,
            )
        except Exception as cause:
            if all(np.isfinite(grad).all() for grad in grads):
                raise PluginError(f"{self.name}: {explain(cause)}") from cause
            for theta in params:  # it has diverged, and raised because of NaN
                theta[...] = np.nan

    def eval_params(
        self, params: list[Array], state: Session, context: StepContext
    ) -> list[Array] | None:
        try:
            return state.evaluation_point()
        except Exception as cause:
            raise PluginError(f"{self.name}: {explain(cause)}") from cause


def _lr(values: Values) -> float | None:
    return float(values.lr) if "lr" in values else None


@functools.cache
def adapt(name: str) -> type[TorchStepper]:
    """Return the Stepper class for ``torch:adamw``, ``torch:pytorch_optimizer.Lion`` and so on.

    Raises:
        ConfigError: There is no such class.
        PluginError: The class cannot be run on given gradients; the message says why.
    """
    return _make_stepper(name, find_class(name))  # type: ignore[arg-type]  # it is hashable


def adapt_class(
    cls: type[torch.optim.Optimizer], arguments: Mapping[str, Any]
) -> tuple[type[TorchStepper], dict[str, Value]]:
    """Return the Stepper class for a PyTorch class, and the values of fixed arguments.

    Raises:
        ConfigError: An argument is not a hyperparameter.
        PluginError: The class cannot be run on given gradients; the message says why.
    """
    stepper = _make_stepper(name_of(cls), cls)  # type: ignore[arg-type]
    return stepper, stepper._arguments.values_of(arguments, cls.__name__)


@functools.cache
def _make_stepper(name: str, cls: type[torch.optim.Optimizer]) -> type[TorchStepper]:
    known = _known(name, cls)
    arguments = read_signature(cls, skip=TECHNICAL, lr_range=known.lr_range, known=known.hypers)
    totals = tuple(set(arguments.missing) & set(TOTALS))
    recipe = _probe(name, cls, arguments, totals)
    hypers = dict(arguments.hypers)
    if known.cls == "SGD":
        hypers["lr"] = replace(hypers["lr"], scaled_by="momentum")
    conditions = {
        "layers": True,
        "closure": recipe.evaluates,
        "rng": recipe.draws,
        "total_steps": bool(totals),
        "full-batch": known.full_batch,
    }
    version, where = version_of(cls), f"{cls.__module__}.{cls.__qualname__}"
    return type(
        cls.__name__,
        (TorchStepper,),
        {
            "__doc__": f"{known.summary}.\n\nThe class {where}, unchanged.",
            "__module__": __name__,
            "name": name,
            "source": f"{where} of {version}",
            "variant": f"as in {cls.__module__.partition('.')[0]}; {GROUPS[recipe.groups]}",
            "needs": frozenset(need for need, holds in conditions.items() if holds),
            "version": version,
            "expected_failures": known.expected_failures,
            "equivalents": _line(name, known, arguments, recipe, totals),
            "_wrapped": cls,
            "_arguments": arguments,
            "_recipe": recipe,
            "_totals": totals,
            **hypers,
        },
    )


def _line(
    name: str, known: Known, arguments: Any, recipe: Recipe, totals: tuple[str, ...]
) -> dict[str, str]:
    """Return the line that makes the optimizer in PyTorch; none if it needs more than that."""
    if totals or recipe.groups != "all":
        return {}
    own = known in BUILTIN.values()
    where = f"torch.optim.{known.cls}" if own else name.removeprefix(PREFIX).replace(":", ".")
    return {"torch": arguments.call(where, "params")}


def _known(name: str, cls: type) -> Known:
    alias = ALIASES.get(cls.__name__) if cls.__module__.startswith("torch.optim") else None
    if alias:
        return BUILTIN[alias]
    package = cls.__module__.partition(".")[0]
    return Known(cls.__name__, f"{cls.__name__} of {package}", lr_range_of(cls.__name__))


def _probe(name: str, cls: type, arguments: Any, totals: tuple[str, ...]) -> Recipe:
    """Return how to use the class.

    Raises:
        PluginError: It cannot be used; the message says why.
    """
    wrapped = next((each for each in WRAPPED_OBJECTS if each in arguments.missing), None)
    lacking = [each for each in arguments.missing if each not in totals]
    if wrapped == "model":
        raise PluginError(f"{name} takes a whole torch.nn.Module ({wrapped}), not parameters")
    if wrapped:
        raise PluginError(f"{name} is a wrapper around another optimizer ({wrapped})")
    if lacking:
        raise PluginError(f"{name} has arguments without a default: {', '.join(lacking)}")
    defaults = Values({key: declared.default for key, declared in arguments.hypers.items()})

    def make(params: Any, extra: dict[str, Any]) -> torch.optim.Optimizer:
        given = arguments.bind(defaults) | extra | dict.fromkeys(totals, TOTAL_STEPS)
        return cls(params, **given)  # type: ignore[no-any-return]

    try:
        fused = "fused" in inspect.signature(cls).parameters
        recipe = probe(make, fused, _lr(defaults))
    except PluginError as cause:
        raise PluginError(f"{name} cannot be run: {cause}") from cause.__cause__
    own = cls.__module__.startswith("torch.optim")
    return replace(recipe, loss=recipe.evaluates or not own)
