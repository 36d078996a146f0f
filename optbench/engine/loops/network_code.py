"""The network of a problem in machine code: its gradient, its loss, and their buffers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from optbench.contracts import Array
from optbench.engine.curve_parts import Part
from optbench.engine.kernels import course, evaluation, layers, loop, propagation
from optbench.engine.kernels.arguments import CHUNK, Data, Net, Space, empty_record
from optbench.engine.kernels.jit import compile_entry, compile_pointer
from optbench.engine.loops.buffers import LINE_BYTES, aligned_parts
from optbench.engine.problem import Problem
from optbench.network import Loss, Network, offsets


def read_only(array: Array) -> Array:
    """Return a read-only view, because Numba compiles separately for writable arrays."""
    array = array.view()
    array.setflags(write=False)
    return array


_EMPTY = {name: read_only(np.empty(0, dtype=name)) for name in ("int64", "float32", "float64")}


@functools.lru_cache(maxsize=64)
def all_rows(n: int) -> Array:
    """Return 0 .. n - 1, int32."""
    return read_only(np.arange(n, dtype=np.int32))


class CompiledNetwork:
    """The network of a problem, with the buffers of the compiled functions.

    Attributes:
        net: The network, as the compiled functions take it.
        space: The buffers.
    """

    def __init__(self, problem: Problem) -> None:
        network, self._dtype = problem.network, problem.spec.dtype
        self._squared = network.loss == "mse"
        self.net = _net(network.sizes, network.activation, network.loss)
        largest = max(len(x) for x, _ in (problem.train, problem.val, problem.test))
        self.space = _space(network, min(CHUNK, largest), self._dtype)

    def data(self, part: Part) -> Data:
        """Return inputs, labels and targets of one part, flat; unused arrays are empty."""
        x, y = part
        inputs = read_only(x.ravel())
        if self._squared:
            return Data(inputs, _EMPTY["int64"], read_only(y.ravel()))
        return Data(inputs, read_only(np.ascontiguousarray(y)), _EMPTY[self._dtype])

    def spread(self, part: Part) -> float:
        """Return the mean squared distance of the targets from their mean; 0 for classes."""
        y = part[1]
        if not self._squared:
            return 0.0
        return float(np.mean((y - y.mean(axis=0)) ** 2, dtype=np.float64))

    def loss_and_grad(self, flat: Array, grad: Array, x: Array, y: Array, rows: Array) -> float:
        """Return the mean loss over rows of x, and write its gradient into `grad` (both flat)."""
        gradient, call = gradient_code(self._dtype)
        data = self.data((x, y))
        loss: float = call(
            gradient, flat, grad, self.net, data, rows, 0, len(rows), True, True, self.space
        )
        return loss

    def evaluate(self, flat: Array, x: Array, y: Array) -> tuple[float, float]:
        """Return the mean loss, and accuracy or R squared."""
        evaluate, call = evaluation_code(self._dtype)
        data, spread = self.data((x, y)), self.spread((x, y))
        score: tuple[float, float] = call(
            evaluate, flat, self.net, data, spread, all_rows(len(x)), self.space
        )
        return score


@functools.lru_cache(maxsize=64)
def _net(sizes: tuple[int, ...], activation: str, loss: Loss) -> Net:
    starts = np.array(offsets(sizes), dtype=np.int64)
    weights, biases = (np.ascontiguousarray(column) for column in starts.T)
    codes = layers.ACTIVATION_CODE[activation], layers.LOSS_CODE[loss]
    return Net(np.array(sizes, dtype=np.int64), weights, biases, *codes)


def _space(network: Network, rows: int, dtype: str) -> Space:
    starts, lengths, one = _layout(network, rows, dtype)
    acts, zs, delta, other, spare = aligned_parts(lengths, dtype)
    return Space(acts, starts, zs, delta, other, spare, one, np.empty(CHUNK))


@functools.lru_cache(maxsize=64)
def _layout(network: Network, rows: int, dtype: str) -> tuple[Array, list[int], Array]:
    """Return `Space.a_at`, the lengths of the buffers, and a single 1."""
    line = LINE_BYTES // np.dtype(dtype).itemsize
    rows = -(-rows // line) * line  # so that the activations of each layer begin at a cache line
    sizes = np.array(network.sizes, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)[:-1] * rows
    acts, gradients = int(sizes.sum()) * rows, int(sizes.max()) * rows
    zs = acts if network.activation == "gelu" else 1
    spare = int((sizes[1:] * sizes[:-1])[1:].max(initial=1))
    return starts, [acts, zs, gradients, gradients, spare], np.ones(1, dtype)


# The types of the arguments depend on the dtype only, so one example of each serves all networks.
_EXAMPLE = Network((1, 1), "relu", "mse")
_EXAMPLE_NET = _net(_EXAMPLE.sizes, _EXAMPLE.activation, _EXAMPLE.loss)


def _examples(dtype: str) -> tuple[Any, ...]:
    """Return an example of theta, network, data, rows and buffers."""
    empty = _EMPTY[dtype]
    data = Data(empty, _EMPTY["int64"], empty)
    return np.empty(1, dtype), _EXAMPLE_NET, data, all_rows(1), _space(_EXAMPLE, 1, dtype)


@functools.cache
def evaluation_code(dtype: str) -> tuple[Any, Callable[..., Any]]:
    """Compile or load `evaluation.evaluate`.

    Returns:
        The function for other compiled functions, and a function that calls it from Python.
    """
    theta, net, data, rows, space = _examples(dtype)
    example = (theta, net, data, 0.0, rows, space)
    code = compile_pointer(evaluation.evaluate, example, (0.0, 0.0))
    return code, compile_entry(course.evaluate_once, (code, *example))


@functools.cache
def gradient_code(dtype: str) -> tuple[Any, Callable[..., Any]]:
    """Compile or load `propagation.gradient`; the result is as that of `evaluation_code`."""
    theta, net, data, rows, space = _examples(dtype)
    example = (theta, theta, net, data, rows, 0, 0, True, True, space)
    code = compile_pointer(propagation.gradient.py_func, example, 0.0)
    return code, compile_entry(course.gradient_once, (code, *example))


def course_code(dtype: str, rule: Any) -> tuple[Any, Callable[..., Any]]:
    """Compile or load `loop.advance`, and `course.course`, which calls it.

    Args:
        dtype: ``"float32"`` or ``"float64"``.
        rule: Any compiled Rule of this dtype; all have the same type.
    """
    if dtype not in _COURSES:
        theta, net, data, rows, space = _examples(dtype)
        slots, numbers = np.empty((1, 1), dtype), np.empty(1)
        rest = (
            1, theta, theta, slots, numbers, numbers, 0, 0.0, read_only(numbers), 0.0,
            net, data, rows, True, space,
        )  # fmt: skip
        advance = compile_pointer(loop.advance, (rule, 0, 0, *rest), None)
        points, record = np.empty(0, np.int64), empty_record(1, theta)
        evaluate = evaluation_code(dtype)[0]
        example = (advance, evaluate, rule, 0, 0, points, *rest, data, 0.0, data, 0.0, rows, record)
        _COURSES[dtype] = advance, compile_entry(course.course, example)
    return _COURSES[dtype]


_COURSES: dict[str, tuple[Any, Callable[..., Any]]] = {}
