"""A gradient transformation compiled for given shapes, and its state in one run."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib

from optbench import Array

jax.config.update("jax_cpu_enable_async_dispatch", False)  # type: ignore[no-untyped-call]
# In the calling thread, a step is timed with its caller and may call back into it.

Shapes = tuple[tuple[int, ...], ...]
Host = Callable[[Array], tuple[float, Array]]
"""Flat parameters -> loss and flat gradient, evaluated by the harness."""

_HOSTS: dict[int, Host] = {}
_TOKENS = itertools.count(1)


def precision(dtype: str) -> Any:
    """Return a context in which JAX uses float64, if the run does."""
    return jax.enable_x64(dtype == "float64")


class Program:
    """One transformation for one list of shapes: compiled once, shared by all runs.

    The parameters go in and out as one flat array, because passing an array between NumPy and JAX
    costs more than the arithmetic of a small network.

    Args:
        factory: Returns the transformation.
        arguments: Its arguments except the learning rate.
        lr_name: Its parameter for the learning rate, which changes from step to step.
        shapes: Shapes of the parameters.
        dtype: Dtype of the parameters.
    """

    def __init__(
        self,
        factory: Callable[..., Any],
        arguments: dict[str, Any],
        lr_name: str | None,
        shapes: Shapes,
        dtype: str,
    ) -> None:
        self.shapes = shapes
        self.dtype = dtype
        self._lr_name = lr_name
        self.calls_value_fn = False
        if lr_name is None:
            transformation = factory(**arguments)
        else:
            static = _parameters(factory) - {lr_name}
            injected = optax.inject_hyperparams(factory, static_args=tuple(static))
            transformation = injected(**arguments, **{lr_name: 1.0})
        self._transformation = optax.with_extra_args_support(transformation)
        size = sum(math.prod(shape) for shape in shapes)
        struct: Any = jax.ShapeDtypeStruct
        self._flat = struct((size,), dtype)
        self._scalar = struct((), dtype)
        self._token = struct((), np.int32)
        with precision(dtype):
            self._state = jax.eval_shape(self._init, self._flat, self._scalar)
            self._arguments = (
                self._flat, self._flat, self._state, self._scalar, self._scalar, self._token,
            )  # fmt: skip
            jax.eval_shape(self._update, *self._arguments)

    @functools.cached_property
    def init(self) -> Callable[..., Any]:
        """Compiled: (flat parameters, lr) -> state."""
        return jax.jit(self._init).lower(self._flat, self._scalar).compile()

    @functools.cached_property
    def update(self) -> Callable[..., Any]:
        """Compiled: (flat parameters, flat gradient, state, loss, lr, token) -> flat, state."""
        return jax.jit(self._update).lower(*self._arguments).compile()

    def split(self, flat: Any) -> list[Any]:
        """Return views of a flat array in the shapes of the parameters."""
        arrays, offset = [], 0
        for shape in self.shapes:
            size = math.prod(shape)
            arrays.append(flat[offset : offset + size].reshape(shape))
            offset += size
        return arrays

    def _init(self, flat: Any, lr: Any) -> Any:
        return self._with_lr(self._transformation.init(self.split(flat)), lr)

    def _with_lr(self, state: Any, lr: Any) -> Any:
        if self._lr_name is None:
            return state
        return state._replace(hyperparams={**state.hyperparams, self._lr_name: lr})

    def _update(self, flat: Any, grad: Any, state: Any, loss: Any, lr: Any, token: Any) -> Any:
        params, grads = self.split(flat), self.split(grad)
        updates, after = self._transformation.update(
            grads,
            self._with_lr(state, lr),
            params,
            value=loss,
            grad=grads,
            value_fn=self._value_fn(token),
        )
        new = optax.apply_updates(params, updates)
        return jnp.concatenate([leaf.ravel() for leaf in new]).astype(self.dtype), after

    def _value_fn(self, token: Any) -> Callable[[Any], Any]:
        """Return the loss as a function of the parameters, differentiable once, for line searches.

        The harness evaluates it.
        """

        def ask(params: Any) -> tuple[Any, Any]:
            self.calls_value_fn = True
            flat = jnp.concatenate([leaf.ravel() for leaf in params])
            shapes = jax.eval_shape(_to_bits, self._scalar), jax.eval_shape(_to_bits, self._flat)
            answer = jax.pure_callback(
                functools.partial(_evaluate, self.dtype), shapes, _to_bits(flat), token
            )
            loss, grad = (jax.lax.bitcast_convert_type(bits, self.dtype) for bits in answer)
            return loss, grad

        @jax.custom_vjp
        def value_fn(params: Any) -> Any:
            return ask(params)[0]

        def forward(params: Any) -> tuple[Any, Any]:
            value, grad = ask(params)
            return value, self.split(grad)

        def backward(grads: Any, cotangent: Any) -> tuple[Any]:
            return ([g * cotangent for g in grads],)

        value_fn.defvjp(forward, backward)
        return value_fn


def _parameters(factory: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(factory).parameters)


def _to_bits(x: Any) -> Any:
    """Return the bits as 32-bit integers, since the thread of JAX's callbacks rounds a float64."""
    return jax.lax.bitcast_convert_type(x, np.uint32)


def _evaluate(dtype: str, bits: Any, token: Any) -> tuple[Array, Array]:
    flat = np.ascontiguousarray(bits).view(dtype).ravel()
    loss, grad = _HOSTS[int(token)](flat)
    value = np.array([loss], dtype).view(np.uint32)
    many = np.ascontiguousarray(grad, dtype).view(np.uint32)
    return (value, many.reshape(-1, 2)) if dtype == "float64" else (value[0], many)


class Session:
    """The state of one run.

    Args:
        program: The compiled transformation.
        params: Arrays to train, changed in place.
        lr: Learning rate, or 0 if there is none.
    """

    def __init__(self, program: Program, params: Sequence[Array], lr: float) -> None:
        self._program = program
        self._number = np.dtype(program.dtype).type
        with precision(program.dtype):
            self._state = program.init(_flat(params), self._number(lr))
            program.update  # noqa: B018  (compiled here, before steps are timed)

    def step(
        self,
        params: list[Array],
        grads: list[Array],
        loss: float,
        lr: float,
        closure: Callable[[], float] | None,
    ) -> None:
        """Take one step; transformations with a line search call `closure`."""
        program, start, grad = self._program, _flat(params), _flat(grads)
        token = next(_TOKENS) % 2**31 if closure else 0

        def evaluate(flat: Array) -> tuple[float, Array]:
            if np.array_equal(flat, start):  # the harness has evaluated it already
                return loss, grad
            assert closure is not None
            self._scatter(flat, params)
            return closure(), _flat(grads)

        if closure:
            _HOSTS[token] = evaluate
        try:
            with precision(program.dtype):
                flat, self._state = program.update(
                    start, grad, self._state, self._number(loss), self._number(lr),
                    np.int32(token),
                )  # fmt: skip
                self._scatter(np.asarray(flat), params)
        finally:
            _HOSTS.pop(token, None)

    def _scatter(self, flat: Array, params: list[Array]) -> None:
        for theta, value in zip(params, self._program.split(flat), strict=True):
            theta[...] = value

    def evaluation_point(self, params: list[Array]) -> list[Array] | None:
        """Return where a schedule-free method is evaluated; None for all others."""
        inner = getattr(self._state, "inner_state", self._state)
        if not isinstance(inner, optax.contrib.ScheduleFreeState):
            return None
        with precision(self._program.dtype):
            point = optax.contrib.schedule_free_eval_params(inner, [p.copy() for p in params])
            return [np.array(leaf, dtype=self._program.dtype) for leaf in point]


def _flat(arrays: Sequence[Array]) -> Array:
    """Return a new copy at every call, since JAX may read its arguments later."""
    return np.concatenate([array.ravel() for array in arrays])
