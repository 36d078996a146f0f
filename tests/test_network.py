"""The reference network: its gradients are right, and it stays finite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optbench import ConfigError, Network
from optbench.contracts import Array
from optbench.network import ACTIVATIONS, LOSSES, Params, check_activation, offsets, pack, unpack

PAIRS = [(phi, loss) for phi in ACTIVATIONS for loss in LOSSES]


def problem(
    hidden: list[int], n_in: int, n_out: int, n: int, phi: str, loss: str, seed: int
) -> tuple[Network, Params, Array, Array]:
    """Return a network with random parameters and a batch for it, in float64."""
    rng = np.random.default_rng(seed)
    n_out = 1 if loss == "binary-cross-entropy" else n_out
    net = Network((n_in, *hidden, n_out), phi, loss)
    params = [
        (rng.normal(size=(a, b)) / math.sqrt(a), rng.normal(size=b) * 0.3)
        for a, b in zip(net.sizes, net.sizes[1:], strict=False)
    ]
    y = {
        "cross-entropy": rng.integers(n_out, size=n),
        "binary-cross-entropy": rng.integers(2, size=n),
        "mse": rng.normal(size=(n, n_out)),
    }[loss]
    return net, params, rng.normal(size=(n, n_in)), y


shapes = st.fixed_dictionaries(
    {
        "hidden": st.lists(st.integers(1, 5), max_size=3),
        "n_in": st.integers(1, 5),
        "n_out": st.integers(1, 4),
        "n": st.integers(1, 6),
        "seed": st.integers(0, 10**6),
    }
)


@pytest.mark.parametrize(("phi", "loss"), PAIRS)
@settings(max_examples=25, deadline=None)
@given(shape=shapes)
def test_the_gradient_is_that_of_the_loss(phi: str, loss: str, shape: dict[str, Any]) -> None:
    """Each partial derivative agrees with the central difference of the loss."""
    net, params, x, y = problem(phi=phi, loss=loss, **shape)
    value, grads = net.loss_and_grad(params, x, y)
    assert value == pytest.approx(net.evaluate(params, x, y)[0], rel=1e-12)
    theta, gradient = pack(params, "float64"), pack(grads, "float64")
    step = 1e-6
    for index in range(theta.size):
        ends, signs = [], []
        for sign in (1, -1):
            moved = theta.copy()
            moved[index] += sign * step
            layers = unpack(moved, net.sizes)
            ends.append(net.loss_and_grad(layers, x, y)[0])
            signs.append([np.sign(z) for z in net.forward(layers, x)[0][:-1]])
        if phi in ("relu", "leaky-relu"):  # no derivative at a kink that lies between the ends
            assume(all(np.array_equal(a, b) for a, b in zip(*signs, strict=True)))
        numeric = (ends[0] - ends[1]) / (2 * step)
        assert gradient[index] == pytest.approx(numeric, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("phi", "loss"), PAIRS)
@settings(max_examples=10, deadline=None)
@given(shape=shapes)
def test_float32_stays_float32_and_close_to_float64(
    phi: str, loss: str, shape: dict[str, Any]
) -> None:
    """No part of the pass is computed in double precision, and only rounding is lost."""
    net, params, x, y = problem(phi=phi, loss=loss, **shape)
    value, grads = net.loss_and_grad(params, x, y)
    params32 = [(w.astype(np.float32), b.astype(np.float32)) for w, b in params]
    value32, grads32 = net.loss_and_grad(params32, x.astype(np.float32), y)
    assert value32 == pytest.approx(value, rel=1e-4, abs=1e-5)
    for pair, pair32, layer in zip(grads, grads32, params, strict=True):
        for grad, grad32, theta in zip(pair, pair32, layer, strict=True):
            assert grad32.dtype == np.float32
            assert grad32.shape == theta.shape
            np.testing.assert_allclose(grad32, grad, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("loss", "logits", "y", "value", "dz"),
    [
        ("cross-entropy", [1e4, -1e4], 1, 2e4, [1.0, -1.0]),
        ("cross-entropy", [1e4, -1e4], 0, 0.0, [0.0, 0.0]),
        ("cross-entropy", [1e4, 1e4], 0, math.log(2), [-0.5, 0.5]),
        ("binary-cross-entropy", [1e4], 0, 1e4, [1.0]),
        ("binary-cross-entropy", [1e4], 1, 0.0, [0.0]),
        ("binary-cross-entropy", [-1e4], 1, 1e4, [-1.0]),
        ("binary-cross-entropy", [-1e4], 0, 0.0, [0.0]),
        ("mse", [1e4], 0.0, 1e8, [2e4]),
    ],
)
def test_huge_logits_give_the_exact_loss_without_a_warning(
    dtype: str, loss: str, logits: list[float], y: float, value: float, dz: list[float]
) -> None:
    """At logits of +-1e4 loss and gradient are exact; a warning would be an error."""
    net = Network((1, len(logits)), "relu", loss)
    params = [(np.array([logits], dtype=dtype), np.zeros(len(logits), dtype=dtype))]
    x = np.ones((1, 1), dtype=dtype)
    labels = np.array([y], dtype=np.int64 if loss != "mse" else dtype)
    result, ((_, grad_b),) = net.loss_and_grad(params, x, labels)
    assert result == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(grad_b, dz, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("phi", sorted(ACTIVATIONS))
def test_activations_are_finite_and_silent_far_out(phi: str, dtype: str) -> None:
    """No activation or slope overflows at +-1e4."""
    z = np.array([-1e4, -50, -1, 0, 1, 50, 1e4], dtype=dtype)
    value, slope = ACTIVATIONS[phi]
    a = value(z)
    assert np.isfinite(a).all()
    assert np.isfinite(slope(z, a)).all()
    assert a.dtype == slope(z, a).dtype == z.dtype


@pytest.mark.parametrize(
    ("phi", "z", "value", "slope"),
    [
        ("relu", -2.0, 0.0, 0.0),
        ("relu", 2.0, 2.0, 1.0),
        ("relu", 0.0, 0.0, 0.0),
        ("leaky-relu", -2.0, -0.02, 0.01),
        ("leaky-relu", 2.0, 2.0, 1.0),
        ("tanh", math.log(2), 0.6, 0.64),
        ("sigmoid", math.log(3), 0.75, 0.1875),
        ("gelu", 0.0, 0.0, 0.5),
        ("gelu", 1.0, 0.8413447460685429, 1.0833154705876864),
        ("linear", 3.0, 3.0, 1.0),
    ],
)
def test_activations_by_hand(phi: str, z: float, value: float, slope: float) -> None:
    """Known values of each activation and its slope."""
    inputs = np.array([z])
    a = ACTIVATIONS[phi][0](inputs)
    assert a[0] == pytest.approx(value, rel=1e-12)
    assert ACTIVATIONS[phi][1](inputs, a)[0] == pytest.approx(slope, rel=1e-12)


def test_a_small_network_by_hand() -> None:
    """Forward and backward pass of a 2-2-1 network, computed by hand."""
    net = Network((2, 2, 1), "relu", "mse")
    params = [
        (np.array([[1.0, -1.0], [2.0, 1.0]]), np.array([0.5, 0.0])),
        (np.array([[1.0], [3.0]]), np.array([-1.0])),
    ]
    x, y = np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([[1.0], [2.0]])
    # z1 = [[3.5, 0], [4.5, -1]], so a1 = [[3.5, 0], [4.5, 0]] and z2 = [[2.5], [3.5]];
    # errors are 1.5 and 1.5, the loss 2.25, and dL/dz2 = error * 2 / 2.
    loss, grads = net.loss_and_grad(params, x, y)
    assert loss == 2.25
    np.testing.assert_allclose(grads[1][0], [[1.5 * 3.5 + 1.5 * 4.5], [0.0]])
    np.testing.assert_allclose(grads[1][1], [3.0])
    np.testing.assert_allclose(grads[0][0], [[1.5 * 1 + 1.5 * 2, 0.0], [3.0, 0.0]])
    np.testing.assert_allclose(grads[0][1], [3.0, 0.0])
    assert net.n_params == 9


def test_cross_entropy_by_hand() -> None:
    """A softmax of (1/4, 3/4) for class 0 costs log 4."""
    net = Network((1, 2), "relu", "cross-entropy")
    params = [(np.array([[0.0, math.log(3)]]), np.zeros(2))]
    loss, ((grad_w, _),) = net.loss_and_grad(params, np.ones((1, 1)), np.array([0]))
    assert loss == pytest.approx(math.log(4), rel=1e-14)
    np.testing.assert_allclose(grad_w, [[-0.75, 0.75]])


def test_metrics() -> None:
    """Accuracy for labels, R squared for targets."""
    zero = [(np.zeros((1, 1)), np.zeros(1))]
    one = [(np.ones((1, 1)), np.zeros(1))]
    x = np.array([[-1.0], [2.0], [3.0], [-4.0]])
    binary = Network((1, 1), "relu", "binary-cross-entropy")
    assert binary.evaluate(one, x, np.array([0, 1, 0, 0]))[1] == 0.75
    regression = Network((1, 1), "relu", "mse")
    assert regression.evaluate(one, x, x)[1] == 1.0
    assert regression.evaluate(zero, x, x - x.mean())[1] == pytest.approx(0.0)
    assert math.isnan(regression.evaluate(zero, x, np.ones((4, 1)))[1])
    classes = Network((1, 2), "relu", "cross-entropy")
    params = [(np.array([[1.0, -1.0]]), np.zeros(2))]
    assert classes.evaluate(params, x, np.array([1, 0, 0, 0]))[1] == 0.75


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (((3,), "relu", "mse"), "are invalid; give two or more"),
        (((3, 0, 1), "relu", "mse"), "are invalid; give two or more"),
        (((3, 1.5, 1), "relu", "mse"), "are invalid; give two or more"),
        (((3, 1), "rleu", "mse"), "unknown activation 'rleu'; did you mean 'relu'"),
        (((3, 1), "relu", "mes"), "unknown loss 'mes'; did you mean 'mse'"),
        (((3, 2), "relu", "binary-cross-entropy"), "needs 1 output, not 2"),
    ],
)
def test_invalid_arguments_are_refused(args: tuple[object, ...], match: str) -> None:
    """The constructor checks sizes, activation and loss."""
    with pytest.raises(ConfigError, match=match):
        Network(*args)  # type: ignore[arg-type]


def test_check_activation_returns_the_name() -> None:
    """It can be used in an expression."""
    assert check_activation("gelu") == "gelu"


@given(st.lists(st.integers(1, 6), min_size=2, max_size=5))
def test_pack_and_unpack_are_inverse_and_unpack_gives_views(sizes: list[int]) -> None:
    """The flat buffer is W1, b1, ..., WL, bL, and writing to a view writes to it."""
    flat = np.arange(Network(sizes, loss="mse").n_params, dtype=np.float64)
    params = unpack(flat, sizes)
    np.testing.assert_array_equal(pack(params, "float64"), flat)
    for (weight, bias), (at_w, at_b) in zip(params, offsets(sizes), strict=True):
        assert weight.flat[0] == at_w
        assert bias[0] == at_b
    params[-1][1][-1] = -1
    assert flat[-1] == -1
