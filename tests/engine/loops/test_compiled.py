"""The compiled loop gives what the NumPy loop gives, for whatever is registered."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from optbench import Array, Rule, StepContext, Stepper, Values, hyper
from optbench.engine.loops.choice import choose_loop, make_loop
from optbench.engine.loops.network_code import CompiledNetwork
from optbench.engine.problem import Problem
from optbench.engine.training import train_problem
from optbench.network import ACTIVATIONS, Network, pack, unpack
from optbench.records import StepControl
from optbench.registry import default_registry
from tests.records.factories import make_run_spec

RULES = sorted(
    name
    for name, entry in default_registry().entries("optimizers").items()
    if choose_loop(entry.item)[0] == "compiled"
)
OUTPUTS = {"cross-entropy": 3, "binary-cross-entropy": 1, "mse": 2}
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
N = 22


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array


def tiny_problem(
    optimizer: Any,
    activation: str = "tanh",
    loss: str = "cross-entropy",
    regime: str = "mini-batch",
    dtype: str = "float64",
    *,
    sizes: tuple[int, ...] = (6, 5, 4),
    n: int = N,
    batch_size: int = 8,
    epochs: int = 2,
    control: StepControl | None = None,
    hyper_values: dict[str, Any] | None = None,
) -> Problem:
    """A problem of a few examples with everything decided by one fixed stream."""
    rng = np.random.default_rng(7)
    outputs = OUTPUTS[loss]
    network = Network((*sizes, outputs), activation, loss)
    params = [
        (rng.normal(0, 0.5, (a, b)), rng.normal(0, 0.1, b))
        for a, b in itertools.pairwise(network.sizes)
    ]

    def part(count: int) -> tuple[Array, Array]:
        x = _frozen(rng.normal(size=(count, sizes[0])).astype(dtype))
        if loss == "mse":
            return x, _frozen(rng.normal(size=(count, outputs)).astype(dtype))
        return x, _frozen(rng.integers(0, max(outputs, 2), count))

    train, val, test = part(n), part(7), part(5)
    values = {name: declared.default for name, declared in optimizer.hypers().items()}
    size = {"batch": n, "sgd": 1, "mini-batch": batch_size}[regime]
    order = np.array([rng.permutation(n) for _ in range(epochs)], dtype=np.int32)
    return Problem(
        spec=make_run_spec(
            optimizer.name, hyper={**values, **(hyper_values or {})},
            hidden=tuple(sizes[1:]), activation=activation, regime=regime, batch_size=size,
            epochs=epochs, dtype=dtype, grid_points=4, control=control or StepControl(),
        ),
        optimizer=optimizer, network=network, theta0=pack(params, dtype),
        train=train, val=val, test=test,
        order=None if regime == "batch" else _frozen(order),
        updates_per_epoch=1 if regime == "batch" else -(-n // size),
        schedule=default_registry().schedule((control or StepControl()).schedule),
    )  # fmt: skip


def assert_same(problem: Problem, tolerance: float) -> None:
    compiled = train_problem(problem, "compiled")
    reference = train_problem(problem, "reference")
    assert (compiled.loop, compiled.status) == ("compiled", reference.status)
    spec = problem.spec
    for column in set(reference.curve) - {"seconds"}:
        np.testing.assert_allclose(
            compiled.curve[column], reference.curve[column], rtol=tolerance, atol=tolerance,
            err_msg=f"{spec.optimizer} {spec.activation} {problem.network.loss} {spec.regime}",
        )  # fmt: skip
    assert compiled.params is not None
    assert reference.params is not None
    for ours, theirs in zip(compiled.params, reference.params, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            # By norm: a rule that divides a gradient by its own size turns the last bit of a
            # gradient that is 0 but for rounding into a difference in one weight.
            assert np.linalg.norm(a - b) <= 10 * tolerance * max(float(np.linalg.norm(b)), 1.0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", RULES)
def test_compiled_is_the_reference(name: str, dtype: str) -> None:
    """Every registered Rule x activation x loss x regime: whole runs agree."""
    optimizer = default_registry().optimizer(name)
    for activation, loss, regime in itertools.product(
        ACTIVATIONS, OUTPUTS, ("batch", "mini-batch", "sgd")
    ):
        assert_same(tiny_problem(optimizer, activation, loss, regime, dtype), TOLERANCE[dtype])


@pytest.mark.parametrize(
    "sizes", [(3,), (1, 1), (70, 33, 17, 9), (5, 40, 3, 64, 2), (300, 130, 141)]
)
@pytest.mark.parametrize("n", [10, 300])
def test_any_depth_and_width(sizes: tuple[int, ...], n: int) -> None:
    """Widths around a vector and up to packed panels, linear models, more rows than one chunk."""
    optimizer = default_registry().optimizer(RULES[0])
    for regime, loss in itertools.product(("batch", "mini-batch", "sgd"), OUTPUTS):
        problem = tiny_problem(
            optimizer, "tanh", loss, regime, sizes=sizes, n=n, batch_size=150, epochs=1
        )
        assert_same(problem, 1e-11)


@pytest.mark.parametrize(
    "control",
    [
        StepControl(schedule="cosine"),
        StepControl(schedule="one-cycle", final=0.1),
        StepControl(schedule="linear-warmup"),
        StepControl(clip_norm=0.05),
    ],
)
def test_schedules_and_clipping(control: StepControl) -> None:
    """What optbench does around a step is the same in both loops."""
    for name in RULES[:3]:
        assert_same(tiny_problem(default_registry().optimizer(name), control=control), 1e-12)


def test_the_loops_differ_where_they_should() -> None:
    """The comparison above can fail: another learning rate gives other numbers."""
    optimizer = default_registry().optimizer(RULES[0])
    one = train_problem(tiny_problem(optimizer), "compiled")
    other = train_problem(tiny_problem(optimizer, hyper_values={"lr": 0.02}), "reference")
    assert not np.allclose(one.curve["train_loss"], other.curve["train_loss"], rtol=1e-9)


class TwoLooks(Stepper):
    """Steps along the mean of the gradients here and a step ahead (Heun's method)."""

    name = "two-looks"
    needs = frozenset({"closure"})
    lr: float = hyper(0.1, low=0)

    def init(self, params: list[Array], context: StepContext) -> None:
        return None

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        before, first = [p.copy() for p in params], [g.copy() for g in grads]
        for p, g in zip(params, first, strict=True):
            np.subtract(p, context.h.lr * g, out=p)
        context.closure()
        for p, p0, g0, g1 in zip(params, before, first, grads, strict=True):
            p[...] = p0 - context.h.lr * (g0 + g1) / 2


@pytest.mark.parametrize("regime", ["batch", "mini-batch", "sgd"])
def test_steppers_train_on_the_compiled_gradient(regime: str) -> None:
    """A Stepper over the compiled gradient gives what it gives over NumPy's; closures count."""
    problem = tiny_problem(TwoLooks, regime=regime)
    fast, slow = train_problem(problem, "stepped"), train_problem(problem, "reference")
    assert choose_loop(TwoLooks)[0] == "stepped"
    assert fast.grad_evals == slow.grad_evals == 2 * fast.final("updates")
    assert fast.final("examples") >= 2 * N
    for column in ("val_loss", "examples", "updates"):
        np.testing.assert_allclose(fast.curve[column], slow.curve[column], rtol=1e-12)


def test_a_tiny_loss_keeps_its_digits() -> None:
    """A binary cross-entropy far below the rounding of 1 is neither 0 nor rounded."""
    problem = tiny_problem(default_registry().optimizer(RULES[0]), loss="binary-cross-entropy")
    flat = np.zeros_like(problem.theta0)
    flat[-1] = 60.0
    x, y = problem.val[0], np.ones(len(problem.val[0]), np.int64)
    loss, metric = make_loop(problem, "compiled").evaluate(x, y, flat)
    assert loss == pytest.approx(np.exp(-60.0), rel=1e-12)
    assert metric == 1.0


@pytest.mark.parametrize("size", [1e4, -1e4, np.inf, np.nan])
def test_extreme_logits(size: float) -> None:
    """A loss at logits of +-1e4 is finite and right; NaN and infinity are seen, not hidden."""
    optimizer = default_registry().optimizer(RULES[0])
    for loss, activation in itertools.product(OUTPUTS, ("relu", "linear")):
        problem = tiny_problem(optimizer, activation, loss)
        problem.theta0[-OUTPUTS[loss]] = size
        x, y = problem.val
        got = make_loop(problem, "compiled").evaluate(x, y)
        with np.errstate(all="ignore"):
            expected = make_loop(problem, "reference").evaluate(x, y)
        if np.isfinite(size):
            np.testing.assert_allclose(got, expected, rtol=1e-12)
        else:
            assert not np.isfinite(got[0])


@pytest.mark.parametrize("loss", OUTPUTS)
def test_the_compiled_gradient(loss: str) -> None:
    """The gradient that Steppers get equals NumPy's, with its loss, for every activation."""
    for activation in ACTIVATIONS:
        problem = tiny_problem(default_registry().optimizer(RULES[0]), activation, loss)
        x, y = problem.train
        rows = np.array([3, 1, 20, 7], dtype=np.int32)
        params = unpack(problem.theta0, problem.network.sizes)
        expected, grads = problem.network.loss_and_grad(params, x[rows], y[rows])
        got = np.empty_like(problem.theta0)
        value = CompiledNetwork(problem).loss_and_grad(problem.theta0, got, x, y, rows)
        assert value == pytest.approx(expected, rel=1e-13)
        np.testing.assert_allclose(got, pack(grads, "float64"), rtol=1e-11, atol=1e-15)


class Peculiar(Rule):
    """Everything that fusing knows, in one formula that means nothing."""

    name = "peculiar"
    lr: float = hyper(0.01, low=0)
    beta: float = hyper(0.9)
    power: int = hyper(2)
    form: str = hyper("b", choices=("a", "b"))
    flag: bool = hyper(True)
    slots = ("m", "v")
    scalars = {"product": 1.0}  # noqa: RUF012

    @staticmethod
    def update(
        theta: Array, grad: Array, m: Array, v: Array, product: Any, t: float, h: Values
    ) -> tuple[Array, ...]:
        product *= h.beta
        early = t < 3 and not h.flag
        rate = h.lr if h.form == "b" else 2 * h.lr
        rate = max(rate, 1e-3) / np.sqrt(1 + t) / (1 - product)
        m = h.beta * m + (1 - h.beta) * grad
        v, old = np.maximum(v, np.square(grad)), v
        sign = np.sign(m) if early else np.where((m > 0) & ~(grad < 0), 1.0, -m)
        step = np.clip(sign * np.abs(m) ** 0.5 + grad**3, -0.5, 0.5) + 0.1 * (old == 0)
        step += -np.exp(-(m**h.power)) / (v + 1e-8) ** 0.25 / 1e3
        return theta - rate * step, m, v, product


class ClosedForm(Rule):
    """A Rule outside of the subset: it reduces over the layer."""

    name = "reducing"
    lr: float = hyper(0.01, low=0)

    @staticmethod
    def update(theta: Array, grad: Array, t: float, h: Values) -> tuple[Array, ...]:
        return (theta - h.lr * grad / np.linalg.norm(grad),)


@pytest.mark.parametrize("values", [{}, {"form": "a", "flag": False}, {"power": 3}])
def test_everything_that_fusing_knows(values: dict[str, Any]) -> None:
    """Text and boolean hyperparameters, scalar state, tuples, masks, powers: the same numbers."""
    loop, reason = choose_loop(Peculiar)
    assert loop == "compiled", reason
    for regime in ("batch", "sgd"):
        assert_same(tiny_problem(Peculiar, regime=regime, hyper_values=values), 1e-12)


def test_what_cannot_be_fused_says_why_and_trains() -> None:
    """Outside of the subset the stepped loop trains, and the reason names the place."""
    loop, reason = choose_loop(ClosedForm)
    assert loop == "stepped"
    assert "np.linalg.norm()" in reason
    result = train_problem(tiny_problem(ClosedForm))
    assert (result.loop, result.status) == ("stepped", "ok")
