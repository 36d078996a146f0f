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

from optbench import Array, PluginError

jax.config.update("jax_cpu_enable_async_dispatch", False)  # type: ignore[no-untyped-call]
# In the calling thread, a step is timed with its caller and may call back into it.

LR_NAMES = ("learning_rate", "lr", "max_learning_rate")
"""Names of the argument for the learning rate."""
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
        self._factory = factory
        self._given = arguments
        self.calls_value_fn = False
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

    @property
    def has_rate(self) -> bool:
        """Whether a learning rate scales its steps, rather than limits them."""
        return self._lr_name is not None and not self._lr_name.startswith("max_")

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

    def _transformation(self, lr: Any) -> Any:
        """Return the transformation, whose own state may start from the learning rate."""
        if self._lr_name is None:
            return optax.with_extra_args_support(self._factory(**self._given))
        static = _parameters(self._factory) - {self._lr_name}
        injected = optax.inject_hyperparams(self._factory, static_args=tuple(static))
        return optax.with_extra_args_support(injected(**self._given, **{self._lr_name: lr}))

    def _init(self, flat: Any, lr: Any) -> Any:
        return self._with_lr(self._transformation(lr).init(self.split(flat)), lr)

    def _with_lr(self, state: Any, lr: Any) -> Any:
        if self._lr_name is None:
            return state
        before = state.hyperparams[self._lr_name]
        ratio = jnp.where(before == 0, 1, lr / before)
        return state._replace(
            hyperparams={**state.hyperparams, self._lr_name: lr},
            inner_state=_scale_inner_rates(state.inner_state, ratio),
        )

    def _update(self, flat: Any, grad: Any, state: Any, loss: Any, lr: Any, token: Any) -> Any:
        params, grads = self.split(flat), self.split(grad)
        updates, after = self._transformation(lr).update(
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


def _scale_inner_rates(state: Any, ratio: Any) -> Any:
    """Scale the learning rates that `optax.inject_hyperparams` keeps inside of a transformation.

    It keeps the first value, whatever the transformation is given later.
    """

    def scale(part: Any) -> Any:
        if not _is_injected(part):
            return part
        rates = {k: v * ratio for k, v in part.hyperparams.items() if k in LR_NAMES}
        return part._replace(
            hyperparams={**part.hyperparams, **rates},
            inner_state=_scale_inner_rates(part.inner_state, ratio),
        )

    return jax.tree.map(scale, state, is_leaf=_is_injected)


def _is_injected(part: Any) -> bool:
    return hasattr(part, "hyperparams") and hasattr(part, "inner_state")


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
        self._lr = lr
        self._follows = not program.has_rate
        self._started = False
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
        if lr != self._lr and self._started and not self._follows and closure is None:
            self._follows = self._check_rate(start, grad, loss, lr)
        self._started = True
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

    def _check_rate(self, start: Array, grad: Array, loss: float, lr: float) -> bool:
        """Return whether half the learning rate takes another step; False if it cannot be seen.

        Raises:
            PluginError: It does not, so that a schedule would be without an effect.
        """
        if not lr or not grad.any() or not np.isfinite(grad).all():
            return False
        with precision(self._program.dtype):
            one, other = (
                np.asarray(self._program.update(
                    start, grad, self._state, self._number(loss), self._number(rate), np.int32(0)
                )[0])
                for rate in (lr, lr / 2)
            )  # fmt: skip
        if np.array_equal(one, other) and not np.array_equal(one, start):
            raise PluginError(
                "its learning rate counts at the first step only, so that a schedule would change "
                "nothing; use schedule=constant, and warmup=0"
            )
        return not np.array_equal(one, other)

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
