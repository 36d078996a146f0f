"""The compiled loop, which trains from one evaluation to the next in a single call."""

from __future__ import annotations

import functools

import numpy as np

from optbench.contracts import Array, Rule, Values, rate_of
from optbench.engine.fusion.machine_code import compiled_rule
from optbench.engine.kernels import layers, loop
from optbench.engine.loops.rule_steps import initial_slots
from optbench.engine.problem import Problem
from optbench.errors import PluginError
from optbench.network import Params, offsets, unpack
from optbench.schedules import factors


class CompiledLoop:
    """Trains one problem with a Rule, in machine code and without the GIL.

    It has the same attributes as `SteppedLoop`.
    """

    kind = "compiled"

    def __init__(self, problem: Problem) -> None:
        if not issubclass(problem.optimizer, Rule):
            raise PluginError(f"'{problem.optimizer.name}' is no Rule and cannot be compiled")
        rule, spec = problem.optimizer, problem.spec
        self._problem = problem
        self._rule = compiled_rule(rule, spec.dtype)  # type: ignore[arg-type]  # a class is hashable
        self.flat = problem.theta0.copy()
        self._grad = np.zeros_like(self.flat)
        slots = initial_slots(rule, self.flat, Values(spec.hyper))
        self._slots = np.array(slots, dtype=spec.dtype).reshape(len(slots), len(self.flat))
        self._scalars = np.array(list(rule.scalars.values()), dtype=np.float64)
        self._h = encode_hyper(rule, Values(spec.hyper))
        rate = rate_of(rule)
        self._lr_at = list(rule.hypers()).index(rate.name) if rate is not None else -1
        self._lr = float(self._h[self._lr_at]) if self._lr_at >= 0 else 0.0
        self._factors = factors(problem.schedule, spec.control, problem.total_updates)
        self._net = CompiledNetwork(problem)
        self._order = _rows(problem.n_train) if problem.order is None else problem.order.ravel()
        self._shuffled = problem.order is not None
        self.updates = 0

    @property
    def examples(self) -> int:
        """Number of per-example gradients computed so far."""
        epochs, rest = divmod(self.updates, self._problem.updates_per_epoch)
        return epochs * self._problem.n_train + rest * self._problem.spec.batch_size

    @property
    def grad_evals(self) -> int:
        """Number of gradient evaluations so far; one per update."""
        return self.updates

    def advance(self, examples: int) -> None:
        """Train until at least this many per-example gradients have been computed."""
        epochs, rest = divmod(examples, self._problem.n_train)
        stop = epochs * self._problem.updates_per_epoch + -(-rest // self._problem.spec.batch_size)
        stop = min(stop, self._problem.total_updates)
        net = self._net
        loop.advance(
            self._rule, self.updates, stop, self._problem.spec.batch_size,
            self.flat, self._grad, self._slots, self._scalars,
            self._h, self._lr_at, self._lr, self._factors, self._problem.spec.control.clip_norm,
            net.net, net.data(self._problem.train), self._order, self._shuffled, net.space,
        )  # fmt: skip
        self.updates = stop

    def evaluation_point(self) -> Params:
        """Return the parameters, as weight and bias of each layer."""
        return unpack(self.flat, self._problem.network.sizes)

    def evaluation_buffer(self) -> Array:
        """Return the parameters, flat; the next update writes into them."""
        return self.flat

    def evaluate(self, x: Array, y: Array, flat: Array | None = None) -> tuple[float, float]:
        """Return mean loss and metric at these flat parameters, or at the current ones."""
        return self._net.evaluate(self.flat if flat is None else flat, x, y)


class CompiledNetwork:
    """The network of a problem, with the work buffers of the compiled functions."""

    def __init__(self, problem: Problem) -> None:
        network, dtype = problem.network, problem.spec.dtype
        sizes = np.array(network.sizes, dtype=np.int64)
        starts = np.array(offsets(network.sizes), dtype=np.int64)
        parts = (problem.train, problem.val, problem.test)
        rows = min(loop.CHUNK, max(len(x) for x, _ in parts))
        a_at = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)[:-1] * rows
        weights, biases = (np.ascontiguousarray(column) for column in starts.T)
        self._squared = network.loss == "mse"
        self.net = loop.Net(
            sizes,
            weights,
            biases,
            layers.ACTIVATION_CODE[network.activation],
            layers.LOSS_CODE[network.loss],
        )
        acts = np.empty(int(sizes.sum()) * rows, dtype=dtype)
        wide = int(sizes.max()) * rows
        largest = int((sizes[1:] * sizes[:-1])[1:].max(initial=1))
        zs = np.empty_like(acts) if network.activation == "gelu" else np.empty(1, dtype)
        delta, other = np.empty(wide, dtype), np.empty(wide, dtype)
        spare, one = np.empty(largest, dtype), np.ones(1, dtype)
        self.space = loop.Space(acts, a_at, zs, delta, other, spare, one)

    def data(self, part: tuple[Array, Array]) -> loop.Data:
        """Return inputs, labels and targets of one part, flat; unused arrays are empty."""
        x, y = part
        if self._squared:
            return loop.Data(x.ravel(), _EMPTY["int64"], y.ravel())
        return loop.Data(x.ravel(), y, _EMPTY[x.dtype.name])

    def loss_and_grad(self, flat: Array, grad: Array, x: Array, y: Array, rows: Array) -> float:
        """Return the mean loss over rows of x, and write its gradient into `grad` (both flat)."""
        data = self.data((x, y))
        loss = loop.gradient(flat, grad, self.net, data, rows, 0, len(rows), True, True, self.space)
        return float(loss)

    def evaluate(self, flat: Array, x: Array, y: Array) -> tuple[float, float]:
        """Return the mean loss, and accuracy or R squared."""
        data = self.data((x, y))
        loss, correct = loop.evaluate(flat, self.net, data, _rows(len(x)), self.space)
        if not self._squared:
            return loss, correct
        spread = float(np.mean((y - y.mean(axis=0)) ** 2, dtype=np.float64))
        return loss, 1 - loss / spread if spread > 0 else float("nan")


def _read_only(array: Array) -> Array:
    """Return a read-only array, because Numba compiles separately for writable arrays."""
    array.setflags(write=False)
    return array


_EMPTY = {name: _read_only(np.empty(0, dtype=name)) for name in ("int64", "float32", "float64")}


@functools.lru_cache(maxsize=64)
def _rows(n: int) -> Array:
    return _read_only(np.arange(n, dtype=np.int32))


def encode_hyper(rule: type[Rule], values: Values) -> Array:
    """Return hyperparameter values as float64, in declared order; a text is its choice's index."""
    encoded = []
    for name, declared in rule.hypers().items():
        value = values[name]
        encoded.append(declared.choices.index(value) if isinstance(value, str) else float(value))
    return np.array(encoded, dtype=np.float64)
