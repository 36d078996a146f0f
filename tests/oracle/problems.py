"""Three functions of twelve variables on which optimizers are compared with their oracles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optbench import Array

N = 12
STEPS = 60
ValueAndGrad = Callable[[Array], tuple[float, Array]]


def start(shape: tuple[int, ...]) -> Array:
    """Return the starting point, away from every minimum and without equal coordinates."""
    return (1.3 * np.cos(1.0 + 0.7 * np.arange(N))).reshape(shape)


def rosenbrock() -> ValueAndGrad:
    """The Rosenbrock chain: sum over i of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2."""

    def value_and_grad(x: Array) -> tuple[float, Array]:
        flat = x.ravel()
        valley = flat[1:] - flat[:-1] ** 2
        rest = 1 - flat[:-1]
        grad = np.zeros(N)
        grad[1:] += 200 * valley
        grad[:-1] -= 400 * valley * flat[:-1] + 2 * rest
        return float((100 * valley**2 + rest**2).sum()), grad.reshape(x.shape)

    return value_and_grad


def quadratic() -> ValueAndGrad:
    """A rotated quadratic with eigenvalues from 1e-4 to 1."""
    basis, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(N, N)))
    matrix = (basis * np.logspace(-4, 0, N)) @ basis.T

    def value_and_grad(x: Array) -> tuple[float, Array]:
        grad = matrix @ x.ravel()
        return float(0.5 * x.ravel() @ grad), grad.reshape(x.shape)

    return value_and_grad


def logistic() -> ValueAndGrad:
    """Logistic loss on eight examples, drawn at each call from a fixed stream."""
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(200, N))
    labels = np.sign(inputs @ rng.normal(size=N) + rng.normal(size=200))

    def value_and_grad(x: Array) -> tuple[float, Array]:
        rows = rng.integers(200, size=8)
        signed = inputs[rows] * labels[rows, None]
        margin = signed @ x.ravel()
        grad = -(signed / (1 + np.exp(margin))[:, None]).mean(axis=0)
        return float(np.logaddexp(0, -margin).mean()), grad.reshape(x.shape)

    return value_and_grad


PROBLEMS: dict[str, Callable[[], ValueAndGrad]] = {
    "rosenbrock": rosenbrock,
    "quadratic": quadratic,
    "logistic": logistic,
}
