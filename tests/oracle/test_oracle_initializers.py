"""Every initializer draws what its formula says: moments, fan rules, orthogonality."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import optbench
from optbench.network import ACTIVATIONS
from optbench.registry import default_registry
from tests.support.packages import need

SHAPES = ((300, 200), (200, 300))
"""Wide and tall, so that a rule which takes the wrong fan is found out."""

VARIANCES: dict[str, Callable[[int, int], float]] = {
    "small-normal": lambda n_in, n_out: 0.01**2,
    "small-normal[std=0.05]": lambda n_in, n_out: 0.05**2,
    "large-normal": lambda n_in, n_out: 1.0,
    "large-normal[std=10]": lambda n_in, n_out: 100.0,
    "xavier-normal": lambda n_in, n_out: 2 / (n_in + n_out),
    "xavier-uniform": lambda n_in, n_out: 2 / (n_in + n_out),
    "he-normal": lambda n_in, n_out: 2 / n_in,
    "he-uniform": lambda n_in, n_out: 2 / n_in,
    "lecun-normal": lambda n_in, n_out: 1 / n_in,
    "lecun-uniform": lambda n_in, n_out: 1 / n_in,
    "uniform-fan-in": lambda n_in, n_out: 1 / (3 * n_in),
    "orthogonal": lambda n_in, n_out: 1 / max(n_in, n_out),
}
NOT_BY_VARIANCE = {"zeros", "constant", "lsuv"}
UNIFORM = [name for name in VARIANCES if "uniform" in name]
NORMAL = [name for name in VARIANCES if "normal" in name]


def weight(initializer: str, shape: tuple[int, int]) -> optbench.Array:
    """The first weight of a network of one layer."""
    return optbench.initialize(initializer, shape, seed=3)[0][0]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("initializer", VARIANCES)
def test_moments(initializer: str, shape: tuple[int, int]) -> None:
    """The mean is 0 and the variance is the rule's, to five standard errors."""
    drawn = weight(initializer, shape)
    variance = VARIANCES[initializer](*shape)
    assert drawn.shape == shape
    assert abs(drawn.mean()) < 5 * (variance / drawn.size) ** 0.5
    # The fourth moment of a normal is the largest among these distributions.
    assert abs(drawn.var() / variance - 1) < 5 * (2 / drawn.size) ** 0.5


@pytest.mark.parametrize("initializer", UNIFORM)
def test_uniform_draws_fill_their_interval(initializer: str) -> None:
    """A uniform draw is bounded by sqrt(3 Var) and comes close to it, at either end."""
    drawn = weight(initializer, SHAPES[0])
    a = (3 * VARIANCES[initializer](*SHAPES[0])) ** 0.5
    assert 0.999 * a < drawn.max() <= a
    assert -a <= drawn.min() < -0.999 * a
    assert abs((drawn**4).mean() / drawn.var() ** 2 - 1.8) < 0.03


@pytest.mark.parametrize("initializer", NORMAL)
def test_normal_draws_are_not_truncated(initializer: str) -> None:
    """A normal draw has the kurtosis 3 and reaches past 4 standard deviations."""
    drawn = weight(initializer, SHAPES[0]) / VARIANCES[initializer](*SHAPES[0]) ** 0.5
    assert abs((drawn**4).mean() - 3) < 5 * (96 / drawn.size) ** 0.5
    assert np.abs(drawn).max() > 4


@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize("shape", [(40, 40), (40, 17), (17, 40), (1, 5)], ids=str)
def test_orthogonal_singular_values(shape: tuple[int, int], gain: float) -> None:
    """All singular values of an orthogonal weight are the gain."""
    drawn = weight(f"orthogonal[gain={gain}]", shape)
    np.testing.assert_allclose(np.linalg.svd(drawn)[1], gain, rtol=1e-13)


def test_orthogonal_keeps_lengths_through_thirty_layers() -> None:
    """A product of thirty orthogonal weights is orthogonal itself."""
    product = np.linalg.multi_dot([w for w, _ in optbench.initialize("orthogonal", (32,) * 31)])
    np.testing.assert_allclose(np.linalg.svd(product)[1], 1, rtol=1e-12)


def test_orthogonal_does_not_prefer_a_sign() -> None:
    """Haar's distribution has trace 0 in the mean, which QR without a sign rule misses."""
    traces = [
        np.trace(optbench.initialize("orthogonal", (5, 5), seed)[0][0]) for seed in range(400)
    ]
    assert abs(np.mean(traces)) < 5 / len(traces) ** 0.5
    assert abs(np.var(traces) - 1) < 0.4


def test_zeros_and_constant() -> None:
    """These two draw nothing."""
    assert not weight("zeros", (4, 3)).any()
    assert (weight("constant[value=0.3]", (4, 3)) == 0.3).all()


def test_biases() -> None:
    """Biases start at 0, but for uniform-fan-in, which draws them like its weights."""
    for name in default_registry().entries("initializers"):
        x = np.random.default_rng(0).normal(size=(50, 100))
        for w, b in optbench.initialize(name, (100, 900, 3), x=x):
            assert b.shape == (w.shape[1],)
            assert b.any() == (name == "uniform-fan-in")
    (w, b), _ = optbench.initialize("uniform-fan-in", (100, 900, 3))
    assert np.abs(b).max() <= 0.1
    assert abs(b.var() * 300 - 1) < 0.2


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_lsuv_gives_every_layer_unit_variance(activation: str) -> None:
    """On the data it saw, each layer's output has variance 1, and its weights are orthogonal."""
    x = 3 * np.random.default_rng(1).normal(size=(200, 20)) + 1
    a = x
    for w, b in optbench.initialize("lsuv", (20, 30, 30, 4), activation=activation, x=x):
        z = a @ w + b
        assert abs(z.std() - 1) < 1e-12
        sizes = np.linalg.svd(w)[1]
        np.testing.assert_allclose(sizes, sizes[0], rtol=1e-12)
        a = ACTIVATIONS[activation][0](z)


def test_lsuv_survives_inputs_without_signal() -> None:
    """Inputs that are all alike leave the weights orthogonal and finite."""
    for w, _ in optbench.initialize("lsuv", (4, 3, 2), x=np.zeros((5, 4))):
        np.testing.assert_allclose(np.linalg.svd(w)[1], 1, rtol=1e-12)


def test_every_initializer_has_a_theory() -> None:
    """No built-in initializer ships without its moments checked."""
    entries = default_registry().entries("initializers").values()
    builtin = {e.name for e in entries if e.item.__module__.startswith("optbench_builtin")}
    assert builtin == {name.partition("[")[0] for name in VARIANCES} | NOT_BY_VARIANCE


@pytest.mark.parametrize("initializer", ["xavier-uniform", "he-uniform", "uniform-fan-in"])
def test_same_bound_as_torch(initializer: str) -> None:
    """The interval is the one that torch.nn.init draws from."""
    torch = need("torch")
    layer = torch.nn.Linear(300, 200)
    if initializer == "xavier-uniform":
        torch.nn.init.xavier_uniform_(layer.weight)
    elif initializer == "he-uniform":
        torch.nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    theirs = float(layer.weight.detach().abs().max())
    assert abs(theirs / np.abs(weight(initializer, (300, 200))).max() - 1) < 1e-3
