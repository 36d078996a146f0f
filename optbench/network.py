"""The L-layer fully connected network in NumPy, the reference for the compiled one.

Layer l computes z = a W + b and a' = phi(z); theta = {W1, b1, ..., WL, bL}. A weight has shape
(n_in, n_out), a bias (n_out,), a batch of inputs (n, n_in). The output layer is linear in z; the
loss applies softmax or sigmoid itself, so that it is finite for any logits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from optbench.contracts import Array, Task
from optbench.errors import ConfigError, unknown_name

Loss = Literal["cross-entropy", "binary-cross-entropy", "mse"]
Params = list[tuple[Array, Array]]

LOSSES: tuple[Loss, ...] = ("cross-entropy", "binary-cross-entropy", "mse")
LOSS_OF_TASK: dict[Task, Loss] = {
    "multiclass": "cross-entropy",
    "binary": "binary-cross-entropy",
    "regression": "mse",
}
LEAK = 0.01
"""Slope of leaky-relu below zero."""


def _sigmoid(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e)).astype(z.dtype, copy=False)


def _normal_cdf(z: Array) -> Array:
    from scipy.special import erf

    return np.asarray(0.5 * (1 + erf(z * z.dtype.type(0.5**0.5))), dtype=z.dtype)


def _gelu_slope(z: Array, a: Array) -> Array:
    return np.asarray(
        _normal_cdf(z) + z * np.exp(-0.5 * z * z) * (2 * np.pi) ** -0.5, dtype=z.dtype
    )


Activation = tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]

ACTIVATIONS: dict[str, Activation] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0).astype(z.dtype)),
    "tanh": (np.tanh, lambda z, a: 1 - a * a),
    "sigmoid": (_sigmoid, lambda z, a: a * (1 - a)),
    "leaky-relu": (
        lambda z: np.where(z > 0, z, z * z.dtype.type(LEAK)),
        lambda z, a: np.where(z > 0, z.dtype.type(1), z.dtype.type(LEAK)),
    ),
    "gelu": (lambda z: z * _normal_cdf(z), _gelu_slope),
    "linear": (lambda z: z, lambda z, a: np.ones_like(z)),
}
"""Name -> hidden activation phi(z), and its derivative phi'(z) given z and a = phi(z)."""


def check_activation(name: str) -> str:
    """Return the name of an activation.

    Raises:
        ConfigError: The activation is unknown; the message has the nearest one.
    """
    if name not in ACTIVATIONS:
        raise unknown_name("activation", name, ACTIVATIONS)
    return name


def _softmax_cross_entropy(z: Array, y: Array) -> tuple[float, Array]:
    shifted = z - z.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    total = exps.sum(axis=1, keepdims=True)
    rows = np.arange(len(z))
    loss = (np.log(total[:, 0]) - shifted[rows, y]).mean()
    dz = exps / total
    dz[rows, y] -= 1
    return float(loss), dz / z.dtype.type(len(z))


def _sigmoid_cross_entropy(z: Array, y: Array) -> tuple[float, Array]:
    target = np.asarray(y, dtype=z.dtype).reshape(z.shape)
    loss = (np.maximum(z, 0) - z * target + np.log1p(np.exp(-np.abs(z)))).mean()
    return float(loss), (_sigmoid(z) - target) / z.dtype.type(z.size)


def _squared_error(z: Array, y: Array) -> tuple[float, Array]:
    error = z - np.asarray(y, dtype=z.dtype).reshape(z.shape)
    return float((error * error).mean()), error * z.dtype.type(2 / error.size)


_LOSS: dict[Loss, Callable[[Array, Array], tuple[float, Array]]] = {
    "cross-entropy": _softmax_cross_entropy,
    "binary-cross-entropy": _sigmoid_cross_entropy,
    "mse": _squared_error,
}


class Network:
    """An L-layer network with one hidden activation and one loss.

    Args:
        sizes: Widths of the input, of each hidden layer and of the output, each at least 1.
        activation: relu, tanh, sigmoid, leaky-relu, gelu or linear.
        loss: ``"cross-entropy"`` (softmax inside, labels (n,) of int), ``"binary-cross-entropy"``
            (sigmoid inside, labels 0 or 1) or ``"mse"`` (mean over examples and outputs of the
            squared error).

    Raises:
        ConfigError: The activation or the loss is unknown, or the sizes are invalid.

    Example:
        >>> net = Network((2, 3, 1), "tanh", "mse")
        >>> params = [(np.zeros((2, 3)), np.zeros(3)), (np.zeros((3, 1)), np.zeros(1))]
        >>> net.loss_and_grad(params, np.ones((4, 2)), np.ones((4, 1)))[0]
        1.0
    """

    def __init__(self, sizes: Sequence[int], activation: str = "relu", loss: str = "cross-entropy"):
        if len(sizes) < 2 or any(int(n) != n or n < 1 for n in sizes):
            raise ConfigError(f"sizes {tuple(sizes)} are invalid; give two or more widths >= 1")
        if loss not in LOSSES:
            raise unknown_name("loss", loss, LOSSES)
        if loss == "binary-cross-entropy" and sizes[-1] != 1:
            raise ConfigError(f"binary-cross-entropy needs 1 output, not {sizes[-1]}")
        self.sizes = tuple(int(n) for n in sizes)
        self.activation = check_activation(activation)
        self.loss: Loss = loss
        self._phi, self._slope = ACTIVATIONS[activation]

    @property
    def n_params(self) -> int:
        """Number of parameters."""
        return sum((a + 1) * b for a, b in pairwise(self.sizes))

    def forward(self, params: Params, x: Array) -> tuple[list[Array], list[Array]]:
        """Return pre-activations z and activations a of every layer; the last a are the logits."""
        zs: list[Array] = []
        activations = [x]
        for layer, (weight, bias) in enumerate(params):
            z = activations[-1] @ weight + bias
            zs.append(z)
            activations.append(z if layer == len(params) - 1 else self._phi(z))
        return zs, activations

    def logits(self, params: Params, x: Array) -> Array:
        """Return the output of the last layer before softmax or sigmoid, shape (n, n_outputs)."""
        return self.forward(params, x)[1][-1]

    def loss_and_grad(self, params: Params, x: Array, y: Array) -> tuple[float, Params]:
        """Return the mean loss over the batch and its gradient.

        Args:
            params: Weight (n_in, n_out) and bias (n_out,) of each layer.
            x: Inputs, shape (n, sizes[0]), in the dtype of the parameters.
            y: Labels (n,) or targets (n, sizes[-1]).

        Returns:
            The loss, and the gradient in the layout of `params`.
        """
        zs, activations = self.forward(params, x)
        loss, deltas = self.backward(params, zs, activations, y)
        grads = [(a.T @ dz, dz.sum(axis=0)) for a, dz in zip(activations, deltas, strict=False)]
        return loss, grads

    def backward(
        self, params: Params, zs: list[Array], activations: list[Array], y: Array
    ) -> tuple[float, list[Array]]:
        """Return the mean loss and its derivative by the pre-activations of each layer, (n, n_out).

        Args:
            params: Weight and bias of each layer.
            zs: Pre-activations of every layer, from `forward`.
            activations: Activations of every layer, from `forward`.
            y: Labels (n,) or targets (n, sizes[-1]).
        """
        loss, dz = _LOSS[self.loss](activations[-1], y)
        deltas = [dz]
        for layer in range(len(params) - 1, 0, -1):
            da = dz @ params[layer][0].T
            dz = da * self._slope(zs[layer - 1], activations[layer])
            deltas.append(dz)
        return loss, deltas[::-1]

    def slope(self, z: Array, a: Array) -> Array:
        """Return the derivative of the hidden activation a = phi(z), elementwise."""
        return self._slope(z, a)

    def evaluate(self, params: Params, x: Array, y: Array) -> tuple[float, float]:
        """Return the mean loss, and accuracy (classification) or R squared (regression)."""
        z = self.logits(params, x)
        loss = _LOSS[self.loss](z, y)[0]
        if self.loss == "cross-entropy":
            return loss, float((z.argmax(axis=1) == y).mean())
        if self.loss == "binary-cross-entropy":
            return loss, float(((z[:, 0] > 0) == np.asarray(y).reshape(-1)).mean())
        target = np.asarray(y, dtype=z.dtype).reshape(z.shape)
        spread = float(((target - target.mean(axis=0)) ** 2).mean())
        return loss, 1 - loss / spread if spread > 0 else float("nan")


def offsets(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return where weight and bias of each layer begin in the flat buffer W1, b1, ..., WL, bL."""
    starts = []
    start = 0
    for n_in, n_out in pairwise(sizes):
        starts.append((start, start + n_in * n_out))
        start += (n_in + 1) * n_out
    return starts


def pack(params: Params, dtype: str) -> Array:
    """Return a flat copy of the parameters."""
    return np.concatenate([part.ravel() for pair in params for part in pair]).astype(dtype)


def unpack(flat: Array, sizes: Sequence[int]) -> Params:
    """Return views of a flat buffer as weight and bias of each layer."""
    views = []
    for (w, b), n_in, n_out in zip(offsets(sizes), sizes, sizes[1:], strict=False):
        views.append((flat[w:b].reshape(n_in, n_out), flat[b : b + n_out]))
    return views
