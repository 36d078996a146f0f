"""The compiled loop, which trains and evaluates a run in a single call."""

from __future__ import annotations

import numpy as np

from optbench.contracts import Array, Rule, Values, rate_of
from optbench.engine.fusion.machine_code import compiled_rule
from optbench.engine.kernels.arguments import Record, empty_record
from optbench.engine.loops.buffers import aligned_rows
from optbench.engine.loops.network_code import (
    CompiledNetwork,
    all_rows,
    course_code,
    evaluation_code,
    read_only,
)
from optbench.engine.loops.rule_steps import initial_slots
from optbench.engine.problem import Problem
from optbench.errors import PluginError
from optbench.network import Params, unpack
from optbench.schedules import factors

_NO_POINTS = np.empty(0, np.int64)


class CompiledLoop:
    """Trains one problem with a Rule, in machine code and without the GIL.

    It has the same attributes as `SteppedLoop`.
    """

    kind = "compiled"

    def __init__(self, problem: Problem) -> None:
        if not issubclass(problem.optimizer, Rule):
            raise PluginError(f"'{problem.optimizer.name}' is not a Rule, so it cannot be compiled")
        rule, spec = problem.optimizer, problem.spec
        self._problem = problem
        self._rule = compiled_rule(rule, spec.dtype)  # type: ignore[arg-type]  # a class is hashable
        size, n_slots = len(problem.theta0), len(rule.slots)
        state = aligned_rows(2 + n_slots, size, spec.dtype)
        self.flat, self._grad, self._slots = state[0, :size], state[1, :size], state[2:]
        self.flat[:] = problem.theta0
        for k, slot in enumerate(initial_slots(rule, self.flat, Values(spec.hyper))):
            self._slots[k, :size] = slot
        self._scalars = np.array(list(rule.scalars.values()), dtype=np.float64)
        self._h = encode_hyper(rule, Values(spec.hyper))
        rate = rate_of(rule)
        self._lr_at = list(rule.hypers()).index(rate.name) if rate is not None else -1
        self._lr = float(self._h[self._lr_at]) if self._lr_at >= 0 else 0.0
        self._factors = read_only(factors(problem.schedule, spec.control, problem.total_updates))
        self._net = CompiledNetwork(problem)
        self._shuffled = problem.order is not None
        order = all_rows(problem.n_train) if problem.order is None else problem.order.ravel()
        self._order = read_only(order)
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

    def advance(self, examples: int, record: Record | None = None) -> None:
        """Train until at least this many per-example gradients have been computed.

        Args:
            examples: The number.
            record: Receives the seconds that it takes.
        """
        stop = int(self._stops(np.array([examples]))[0])
        self._train(stop, _NO_POINTS, record or empty_record(0, self.flat))

    def measure(self, grid: Array, record: Record) -> None:
        """Train, and evaluate after each of these numbers of examples.

        One that is not beyond the last evaluation is left out.

        Args:
            grid: Numbers of examples, ascending.
            record: Receives the measurements. When it says that the run has diverged, the run ends.
        """
        self._train(0, self._stops(grid), record)

    def _stops(self, examples: Array) -> Array:
        """Return the number of updates after which each number of examples has been seen."""
        problem = self._problem
        epochs, rest = np.divmod(examples, problem.n_train)
        stops = epochs * problem.updates_per_epoch + -(-rest // problem.spec.batch_size)
        limited: Array = np.minimum(stops, problem.total_updates)
        return limited

    def _train(self, until: int, stops: Array, record: Record) -> None:
        problem, net, dtype = self._problem, self._net, self._problem.spec.dtype
        train, val = problem.curve_train, problem.curve_val
        advance, course = course_code(dtype, self._rule)
        self.updates = course(
            advance, evaluation_code(dtype)[0], self._rule, self.updates, until, stops,
            problem.spec.batch_size, self.flat, self._grad, self._slots, self._scalars,
            self._h, self._lr_at, self._lr, self._factors, problem.spec.control.clip_norm,
            net.net, net.data(problem.train), self._order, self._shuffled, net.space,
            net.data(train), net.spread(train), net.data(val), net.spread(val),
            all_rows(max(len(train[0]), len(val[0]))), record,
        )  # fmt: skip

    def evaluation_point(self) -> Params:
        """Return the parameters, as weight and bias of each layer."""
        return unpack(self.flat, self._problem.network.sizes)

    def evaluation_buffer(self) -> Array:
        """Return the parameters, flat; the next update writes into them."""
        return self.flat

    def evaluate(self, x: Array, y: Array, flat: Array | None = None) -> tuple[float, float]:
        """Return mean loss and metric at these flat parameters, or at the current ones."""
        return self._net.evaluate(self.flat if flat is None else flat, x, y)


def encode_hyper(rule: type[Rule], values: Values) -> Array:
    """Return hyperparameter values as float64, in declared order; a text is its choice's index."""
    encoded = []
    for name, declared in rule.hypers().items():
        value = values[name]
        encoded.append(declared.choices.index(value) if isinstance(value, str) else float(value))
    return np.array(encoded, dtype=np.float64)
