"""How signals and gradients pass through deep networks, by initializer and activation."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import optbench
from optbench import Array

WIDTH = 256


@functools.cache
def variances(initializer: str, seeds: int = 6) -> Array:
    """Return the mean square of the pre-activations of 30 ReLU layers, averaged over seeds."""
    sizes = (WIDTH,) * 31
    network = optbench.Network(sizes, "relu", "mse")
    squares = []
    for seed in range(seeds):
        params = optbench.initialize(initializer, sizes, seed=seed)
        x = np.random.default_rng(seed).normal(size=(64, WIDTH))
        squares.append([float((z * z).mean()) for z in network.forward(params, x)[0]])
    return np.mean(squares, axis=0)


@pytest.mark.parametrize("depth", [5, 10, 30])
def test_he_keeps_the_variance_through_relu_layers(depth: int) -> None:
    """The variance after 5 to 30 layers is that of the first, up to chance.

    Source: He et al. 2015, Delving Deep into Rectifiers, section 2.2 and figure 3.
    """
    by_layer = variances("he-normal")[:depth]
    assert 0.6 < by_layer[-1] / by_layer[0] < 1.5
    assert (by_layer[-1] / by_layer[0]) ** (1 / (depth - 1)) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("depth", [5, 10, 30])
def test_glorot_halves_the_variance_in_each_relu_layer(depth: int) -> None:
    """ReLU discards half of the signal, which a variance of 1/n does not make up for.

    Source: He et al. 2015, Delving Deep into Rectifiers, section 2.2 ("Xavier").
    """
    by_layer = variances("xavier-normal")[:depth]
    assert (by_layer[-1] / by_layer[0]) ** (1 / (depth - 1)) == pytest.approx(0.5, abs=0.03)


def gradient_variances(initializer: str, depth: int) -> Array:
    """Return the variance of the gradient that reaches each hidden tanh layer.

    The gradient with respect to a bias, for one example, is the gradient with respect to z.
    """
    sizes = (WIDTH,) * (depth + 1) + (1,)
    network = optbench.Network(sizes, "tanh", "mse")
    params = optbench.initialize(initializer, sizes, activation="tanh")
    rng = np.random.default_rng(0)
    by_example = []
    for _ in range(20):
        x = rng.normal(size=(1, WIDTH))
        grads = network.loss_and_grad(params, x, np.ones((1, 1)))[1]
        by_example.append([float(np.var(bias)) for _, bias in grads[:-1]])
    return np.mean(by_example, axis=0)


def test_uniform_fan_in_lets_less_than_a_third_of_the_gradient_through() -> None:
    """With U(+-1/sqrt n) the gradient's variance falls faster than 3^-L on the way back.

    Source: Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural
    networks, eq. 15.
    """
    depth = 10
    by_layer = gradient_variances("uniform-fan-in", depth)
    assert by_layer[0] / by_layer[-1] < 3.0 ** -(depth - 1)


def test_glorot_lets_most_of_the_gradient_through() -> None:
    """With the normalized initialization, the same network keeps more than a hundredth.

    Source: Glorot & Bengio 2010, eq. 16 and figure 7.
    """
    by_layer = gradient_variances("xavier-uniform", 10)
    assert 0.01 < by_layer[0] / by_layer[-1] < 1


def gradient_ratio(initializer: str, activation: str) -> float:
    """Return the RMS of the weight gradient of the last of five layers over that of the first."""
    sizes = (64, 64, 64, 64, 64, 10)
    network = optbench.Network(sizes, activation, "cross-entropy")
    ratios = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        params = optbench.initialize(initializer, sizes, seed=seed, activation=activation)
        x, y = rng.normal(size=(256, 64)), rng.integers(0, 10, 256)
        gradients = [
            float(np.sqrt((weight**2).mean()))
            for weight, _ in network.loss_and_grad(params, x, y)[1]
        ]
        ratios.append(gradients[-1] / gradients[0])
    return float(np.median(ratios))


def test_sigmoid_layers_starve_the_first_layer_of_gradient() -> None:
    """Behind four sigmoid layers the gradient is thousands of times smaller; with tanh, twice.

    Source: Glorot & Bengio 2010, sections 3.1 and 4.2; Hochreiter 1991 for the cause.
    """
    assert 1000 < gradient_ratio("uniform-fan-in", "sigmoid") < 20_000
    assert 1000 < gradient_ratio("xavier-normal", "sigmoid") < 20_000
    assert 1 < gradient_ratio("xavier-normal", "tanh") < 3


def test_thirty_orthogonal_layers_rotate_without_stretching() -> None:
    """All singular values of the product of 30 orthogonal layers are 1, those of normal ones not.

    Source: Saxe, McClelland & Ganguli 2014, Exact solutions to the nonlinear dynamics of learning
    in deep linear neural networks, section 3.
    """

    def singular_values(initializer: str) -> Array:
        sizes = (64,) * 31
        params = optbench.initialize(initializer, sizes, activation="linear")
        network = optbench.Network(sizes, "linear", "mse")
        return np.linalg.svd(network.logits(params, np.eye(64)), compute_uv=False)

    np.testing.assert_allclose(singular_values("orthogonal"), 1, rtol=1e-10)
    normal = singular_values("lecun-normal")
    assert normal[0] / normal[-1] > 1e6
