"""Independent implementations behind one interface: the path from a start, given all rates."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from optbench import Array
from tests.oracle.problems import ValueAndGrad
from tests.support.packages import need


class Oracle(Protocol):
    """An independent implementation of an optimizer."""

    package: str

    def path(self, f: ValueAndGrad, x0: Array, rates: Array, h: SimpleNamespace) -> Array:
        """Return every point of the path, x0 first: shape (len(rates) + 1, *x0.shape)."""


class Torch:
    """An optimizer class with the interface of torch: ``make(package, [parameter], h)``."""

    def __init__(self, make: Callable[..., Any], package: str = "torch", averaged: bool = False):
        self.make = make
        self.package = package
        self.averaged = averaged
        """Whether it has ``train()`` and ``eval()``; the path then has the points of ``eval()``."""

    def path(self, f: ValueAndGrad, x0: Array, rates: Array, h: SimpleNamespace) -> Array:
        torch, package = need("torch"), need(self.package)
        usual = torch.get_default_dtype()
        # Otherwise torch keeps scalar state, such as the product of momenta of NAdam, in float32.
        torch.set_default_dtype(torch.float64)
        try:
            return self._path(torch, package, f, x0, rates, h)
        finally:
            torch.set_default_dtype(usual)

    def _path(
        self, torch: Any, package: Any, f: ValueAndGrad, x0: Array, rates: Array, h: SimpleNamespace
    ) -> Array:
        x = torch.tensor(x0, requires_grad=True)
        optimizer = self.make(package, [x], h)

        def closure() -> float:
            value, grad = f(x.detach().numpy().copy())
            x.grad = torch.tensor(grad)
            return value

        points = [x0]
        for rate in rates:
            for group in optimizer.param_groups:
                group["lr"] = float(rate)
            if self.averaged:
                optimizer.train()
            optimizer.step(closure)
            if self.averaged:
                optimizer.eval()
            points.append(x.detach().numpy().copy())
        return np.array(points)


def same_state(state: Any, h: SimpleNamespace) -> Any:
    """Return the initial state of optax unchanged."""
    return state


def at_params(params: Any, state: Any) -> Any:
    """Return the parameters themselves."""
    return params


class Optax:
    """A gradient transformation: ``make(optax, rate, h)``; `rate` maps a step to its rate."""

    package = "optax"

    def __init__(
        self,
        make: Callable[..., Any],
        initial: Callable[[Any, SimpleNamespace], Any] = same_state,
        evaluated: Callable[[Any, Any], Any] = at_params,
    ):
        self.make = make
        self.initial = initial
        self.evaluated = evaluated
        self._compiled: dict[tuple[Any, ...], Any] = {}

    def _step(self, h: SimpleNamespace, shape: tuple[int, ...]) -> Any:
        """Compile one step; hyperparameters are constants, rates an argument."""
        jax, optax = need("jax"), need("optax")
        key = (*sorted(vars(h).items()), shape)
        if key not in self._compiled:

            def step(grad: Any, state: Any, params: Any, rates: Any) -> tuple[Any, Any]:
                transformation = self.make(optax, lambda count: rates[count], h)
                updates, state = transformation.update(grad, state, params)
                return optax.apply_updates(params, updates), state

            self._compiled[key] = jax.jit(step)
        return self._compiled[key]

    def path(self, f: ValueAndGrad, x0: Array, rates: Array, h: SimpleNamespace) -> Array:
        optax = need("optax")
        jax = need("jax")
        with jax.enable_x64(True):
            table = jax.numpy.asarray(rates)
            x = jax.numpy.asarray(x0)
            state = self.initial(self.make(optax, lambda count: table[count], h).init(x), h)
            step = self._step(h, x0.shape)
            points = [x0]
            for _ in rates:
                x, state = step(jax.numpy.asarray(f(np.array(x))[1]), state, x, table)
                points.append(np.array(self.evaluated(x, state)))
        return np.array(points)


class OptaxSophia:
    """Sophia of optax with the diagonal of optbench: signs times a difference of two gradients."""

    package = "optax"

    def path(self, f: ValueAndGrad, x0: Array, rates: Array, h: SimpleNamespace) -> Array:
        jax, optax = need("jax"), need("optax")
        rng = np.random.default_rng(0)  # the stream of `trajectory`
        given_diagonal = optax.GradientTransformationExtraArgs(
            lambda params: optax.EmptyState(),
            lambda updates, state, params=None, *, diagonal: (diagonal, state),
        )
        with jax.enable_x64(True):
            table = jax.numpy.asarray(rates)
            transformation = optax.contrib.sophia(
                lambda count: table[count],
                *(h.beta1, h.beta2, h.eps, h.weight_decay),
                gamma=h.gamma,
                update_interval=h.every,
                hessian_diagonal_fn=given_diagonal,
            )
            update = jax.jit(transformation.update)
            x = jax.numpy.asarray(x0)
            state = transformation.init(x)
            points = [x0]
            for t in range(len(rates)):
                here = np.array(x)
                grad = f(here.copy())[1]
                diagonal = np.zeros_like(here)
                if t % h.every == 0:
                    signs = 2.0 * rng.integers(2, size=here.shape) - 1
                    r = h.radius * (1 + np.abs(here).max())
                    diagonal = signs * (f(here + r * signs)[1] - grad) / r
                updates, state = update(grad, state, x, diagonal=diagonal)
                x = optax.apply_updates(x, updates)
                points.append(np.array(x))
        return np.array(points)
