"""Finds out how an optimizer class has to be used, by using it on a small problem."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import traceback
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

import numpy as np
import torch

from optbench import Array, PluginError
from optbench_torch.session import Recipe, Session, random_states

STEPS = 12
SHAPES = ((4, 3), (3,), (3, 5), (5,))
WEIGHTS = frozenset({0, 2})
TOTAL_STEPS = 100

Make = Callable[[Any, Any], torch.optim.Optimizer]
"""(parameters, arguments beside the hyperparameters) -> optimizer, with its defaults."""

REASONS = (
    (("create_graph", "grad_fn", "does not require grad"),
     "it differentiates a second time through PyTorch's graph, which the harness does not build"),
    (("Tensor.__contains__",), "it needs groups of parameters with flags of its own"),
    (("dense gradients",), "it takes only sparse gradients"),
    (("Boolean value of Tensor",),
     "a tensor stands where one True or False is needed; use torch.where instead of `if`"),
    (("compile", "inductor", "dynamo"), "it compiles itself, and that fails on this machine"),
)  # fmt: skip
"""Parts of an error message, and what they mean."""


def probe(make: Make, fused: bool, lr: float | None = None) -> Recipe:
    """Return the first recipe that the class works with.

    Args:
        make: Makes the optimizer.
        fused: Whether its constructor offers ``fused``, the fast implementation of PyTorch's own.
        lr: Default of its learning rate; None if it has none.

    Raises:
        PluginError: None works; the message is that of the recipe that came furthest.
    """
    furthest, reason = -2, Exception()
    for recipe in _candidates(fused):
        trial = _Trial(make, recipe, lr)
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # it is no run whose output is wanted
                return trial.run()
        except Exception as problem:
            if trial.steps > furthest:
                furthest, reason = trial.steps, problem
    raise PluginError(explain(reason)) from reason


def _candidates(fused: bool) -> Iterator[Recipe]:
    if fused:
        yield Recipe(extra=(("fused", True),))
    for dtypes in (Recipe().dtypes, ("float32",)):
        for evaluates in (False, True):
            for strided in (True, False):
                for groups in ("all", "use-muon", "matrices"):
                    yield Recipe(groups, strided, evaluates, dtypes=dtypes)


class _Trial:
    """A few steps with a recipe; `steps` counts them, -1 before the optimizer is made."""

    def __init__(self, make: Make, recipe: Recipe, lr: float | None) -> None:
        self._make = make
        self._lr = lr
        self._recipe = recipe
        self.steps = -1

    def run(self) -> Recipe:
        """Take the steps, and return the recipe with what was observed."""
        before = random_states()
        params, halfway = self._train(None)
        if any((p == 1).all() for p in params):
            raise PluginError("it does not change the parameters")
        draws = _differ(before, random_states())
        if draws or self._lr is None:
            return dataclasses.replace(self._recipe, draws=draws)
        slowed, _ = self._train(self._lr / 2)
        has_stopped = all(map(np.array_equal, params, halfway))
        same = all(map(np.array_equal, params, slowed)) and not has_stopped
        return dataclasses.replace(self._recipe, draws=False, follows_rate=not same)

    def _train(self, later_lr: float | None) -> tuple[list[Array], list[Array]]:
        """Return the parameters at the end and halfway; then, the learning rate changes."""
        recipe, dtype = self._recipe, self._recipe.dtypes[0]
        params, grads = ([np.ones(s, dtype) for s in SHAPES] for _ in range(2))

        def make(groups: Any) -> torch.optim.Optimizer:
            return self._make(groups, dict(recipe.extra))

        optimizer = Session(make, params, WEIGHTS, recipe, self._lr)
        halfway = params
        with np.errstate(all="ignore"):
            for self.steps in range(STEPS):
                loss = _quadratic(params, grads)
                evaluate = functools.partial(_quadratic, params, grads)
                lr = None
                if self.steps == STEPS // 2:
                    lr, halfway = later_lr, [p.copy() for p in params]
                optimizer.step(grads, loss, lr, evaluate if recipe.evaluates else None)
            optimizer.evaluation_point()
        return params, halfway


def _quadratic(params: list[Array], grads: list[Array]) -> float:
    for grad, x in zip(grads, params, strict=True):
        grad[...] = np.linspace(0.2, 1, x.size).reshape(x.shape) * (x + 1)
    return sum(float((g * (x + 1)).sum()) / 2 for g, x in zip(grads, params, strict=True))


def _differ(a: tuple[Any, Any, Any], b: tuple[Any, Any, Any]) -> bool:
    same_numpy = all(np.array_equal(x, y) for x, y in zip(a[2], b[2], strict=True))
    return not (torch.equal(a[0], b[0]) and a[1] == b[1] and same_numpy)


def explain(problem: Exception) -> str:
    """Return in one line why an optimizer cannot work."""
    text = " ".join(str(problem).split())
    if isinstance(problem, PluginError):
        return text
    where = _place(problem)
    for words, reason in REASONS:
        if any(word in text for word in words):
            return f"{reason} ({text[:120]}{where and ', '}{where})"
    told = type(problem).__name__ + (f": {text[:200]}" if text else "")
    return told + (f" ({where})" if where else "")


def _place(problem: Exception) -> str:
    """Return file and line of the innermost frame outside of PyTorch and optbench, or ''."""
    place = ""
    for frame, line in traceback.walk_tb(problem.__traceback__):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in ("torch", "optbench", __package__):
            place = f"{PurePath(frame.f_code.co_filename).name}:{line}"
    return place
