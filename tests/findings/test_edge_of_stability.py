"""Full-batch descent raises the sharpness until it reaches 2 / lr."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import optbench
from optbench import Array

SIZES = (8, 64, 64, 1)


def split(flat: Array) -> list[tuple[Array, Array]]:
    """Return weight and bias of each layer in a flat buffer."""
    layers, start = [], 0
    for n_in, n_out in itertools.pairwise(SIZES):
        weight, bias = flat[start : start + n_in * n_out], flat[start + n_in * n_out :][:n_out]
        layers.append((weight.reshape(n_in, n_out), bias))
        start += (n_in + 1) * n_out
    return layers


def join(layers: list[tuple[Array, Array]]) -> Array:
    """Return the flat buffer of the layers."""
    return np.concatenate([part.ravel() for pair in layers for part in pair])


class Task:
    """The squared error of an 8-64-64-1 tanh network on 100 points."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(100, 8))
        self.y = np.sin(self.x @ rng.normal(size=(8, 1)))
        self.network = optbench.Network(SIZES, "tanh", "mse")

    def __call__(self, flat: Array) -> tuple[float, Array]:
        loss, grads = self.network.loss_and_grad(split(flat), self.x, self.y)
        return loss, join(grads)

    def sharpness(self, flat: Array) -> float:
        """Return the largest eigenvalue of the Hessian, by power iteration."""
        direction = np.random.default_rng(1).normal(size=flat.shape)
        value = 0.0
        for _ in range(40):
            direction = direction / np.linalg.norm(direction)
            product = (self(flat + 1e-4 * direction)[1] - self(flat - 1e-4 * direction)[1]) / 2e-4
            value = float(direction @ product)
            direction = product
        return value


def test_sharpness_rises_to_two_over_the_learning_rate_and_stays() -> None:
    """It starts below 2 / lr and ends within a tenth of it, while the loss still falls.

    Source: Cohen et al. 2021, Gradient Descent on Neural Networks Typically Occurs at the Edge of
    Stability, figure 1.
    """
    task, lr = Task(), 0.1
    start = join(optbench.initialize("xavier-normal", SIZES, seed=0))
    path = optbench.trajectory("sgd", task, start, 2000, lr=lr)
    late = [task.sharpness(path[step]) for step in (1000, 1400, 2000)]
    assert task.sharpness(path[0]) < 0.7 * 2 / lr
    assert np.median(late) == pytest.approx(2 / lr, rel=0.1)
    assert task(path[2000])[0] < 0.5 * task(path[1000])[0]


def test_a_small_rate_stays_far_from_the_edge() -> None:
    """With a fifth of the learning rate, the same number of steps ends far below the edge.

    Source: Cohen et al. 2021, figure 1.
    """
    task, lr = Task(), 0.02
    start = join(optbench.initialize("xavier-normal", SIZES, seed=0))
    path = optbench.trajectory("sgd", task, start, 2000, lr=lr)
    assert task.sharpness(path[-1]) < 0.5 * 2 / lr
