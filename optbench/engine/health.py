"""Layer health: statistics of activations and gradients in each layer during training.

They are measured in NumPy on a fixed part of the training set, at a few of the evaluation points.
The compiled loop does not measure them, and they do not change the numbers of the run.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from optbench.contracts import Array
from optbench.network import Network, Params, pack, unpack

ROWS = 64
"""Number of training examples on which health is measured."""
POINTS = 8
"""Number of evaluation points at which health is measured (about 0.5 ms each)."""
BOUNDED = {"tanh": 1.0, "sigmoid": 0.25}
"""Largest slope of each activation that can saturate, by name."""
FLAT = 0.05
"""Fraction of its largest slope below which a bounded activation is saturated."""
OFF = 1e-3
"""Slope below which a unit with any other activation is inactive."""
SAME = 1e-5
"""Relative difference in output below which two units of a layer are identical."""

HIDDEN_COLUMNS = (
    "mean", "variance", "saturated", "dead", "distinct", "grad_rms", "update_ratio",
)  # fmt: skip
OUTPUT_COLUMNS = ("mean", "variance", "grad_rms", "update_ratio")


def health_columns(layers: int) -> list[str]:
    """Return the names of the health columns of a network.

    Args:
        layers: Number of layers, including the output layer.

    Example:
        >>> health_columns(1)
        ['layer1.mean', 'layer1.variance', 'layer1.grad_rms', 'layer1.update_ratio', 'noise_scale']
    """
    names = [
        f"layer{layer}.{name}"
        for layer in range(1, layers + 1)
        for name in (HIDDEN_COLUMNS if layer < layers else OUTPUT_COLUMNS)
    ]
    return [*names, "noise_scale"]


def layer_health(network: Network, params: Params, x: Array, y: Array) -> dict[str, float]:
    """Return the health of every layer on a few examples.

    Args:
        network: The network.
        params: Weight (n_in, n_out) and bias (n_out,) of each layer.
        x: Inputs (n, n_features), n at least 2, in the dtype of the parameters.
        y: Labels (n,) or targets (n, n_outputs).

    Returns:
        For layer l of L, counted from 1 (the output layer has the first two and ``grad_rms``):
        ``layerl.mean`` and ``.variance`` of the activations; ``.saturated``, the fraction of
        values where the slope is nearly 0; ``.dead``, the fraction of units whose slope is nearly 0
        on every example; ``.distinct``, the number of units that compute different things;
        ``.grad_rms`` of the weight gradient. And ``noise_scale``: trace of the covariance of one
        example's gradient over the squared mean gradient, the batch size beyond which larger
        batches gain little (McCandlish et al. 2018, An Empirical Model of Large-Batch Training,
        eq. 2.9; unbiased estimates of both, infinite if the gradient is only noise).
    """
    zs, activations = network.forward(params, x)
    deltas = network.backward(params, zs, activations, y)[1]
    n = len(x)
    found: dict[str, float] = {}
    each, together = np.zeros(n), 0.0
    for layer, (a, dz) in enumerate(zip(activations, deltas, strict=False)):
        name, out = f"layer{layer + 1}", activations[layer + 1]
        grad = a.T @ dz
        size = float(np.vdot(grad, grad))
        bias = dz.sum(axis=0)
        together += size + float(np.vdot(bias, bias))
        each += (np.einsum("ij,ij->i", a, a) + 1) * np.einsum("ij,ij->i", dz, dz)
        mean = float(out.mean())
        found[f"{name}.mean"] = mean
        found[f"{name}.variance"] = float(np.vdot(out, out)) / out.size - mean * mean
        found[f"{name}.grad_rms"] = math.sqrt(size / grad.size)
        if layer < len(params) - 1:
            flat = _is_flat(network, zs[layer], out)
            found[f"{name}.saturated"] = float(np.count_nonzero(flat)) / flat.size
            found[f"{name}.dead"] = float(np.count_nonzero(flat.all(axis=0))) / flat.shape[1]
            found[f"{name}.distinct"] = float(distinct_units(*params[layer]))
    found["noise_scale"] = _noise_scale(each * n * n, together)
    return found


def _is_flat(network: Network, z: Array, a: Array) -> Array:
    if network.activation == "relu":
        return a <= 0
    if network.activation in BOUNDED:
        return network.slope(z, a) < FLAT * BOUNDED[network.activation]
    return np.abs(network.slope(z, a)) < OFF


def _noise_scale(each: Array, together: float) -> float:
    n = len(each)
    trace = (float(each.mean()) - together) * n / (n - 1)
    signal = together - trace / n
    if not math.isfinite(signal):
        return math.nan
    return max(trace, 0.0) / signal if signal > 0 else math.inf


def distinct_units(weight: Array, bias: Array) -> int:
    """Return the number of units of a layer that compute different functions.

    Units are compared by their output for one fixed random input. About one in 100,000 pairs of
    different units is mistaken for identical units.

    Example:
        >>> distinct_units(np.ones((3, 5)), np.zeros(5))
        1
    """
    answers = np.sort(_probe(len(weight), weight.dtype.name) @ weight + bias)
    scale = max(abs(float(answers[0])), abs(float(answers[-1])), 1e-300)
    return 1 + int(np.count_nonzero(answers[1:] - answers[:-1] > SAME * scale))


@functools.lru_cache(maxsize=64)
def _probe(n: int, dtype: str) -> Array:
    return np.random.default_rng(n).normal(size=n).astype(dtype)


class HealthRecorder:
    """Collects layer health along a run.

    Args:
        network: The network.
        x: Training inputs; the first `ROWS` are used.
        y: Labels or targets of the inputs.
        grid: Numbers of examples after which the run is evaluated, without 0.

    Attributes:
        columns: Names of the columns that are added to the curve.
    """

    def __init__(self, network: Network, x: Array, y: Array, grid: Sequence[int] | Array) -> None:
        self._network = network
        self.columns = tuple(health_columns(len(network.sizes) - 1))
        self._x, self._y = x[:ROWS], y[:ROWS]
        places = np.linspace(0, len(grid) - 1, min(POINTS - 1, len(grid))).round().astype(int)
        self._wanted = {int(grid[place]) for place in places}
        self._found: dict[int, dict[str, float]] = {}
        self._before: tuple[Array, int] | None = None

    def wants(self, examples: int) -> bool:
        """Return whether health is measured at this point of the grid."""
        return examples in self._wanted and len(self._x) > 1

    def before(self, params: Params, updates: int) -> None:
        """Save the parameters one update before a measured point."""
        self._before = (pack(params, "float64"), updates)

    def measure(self, row: int, params: Params, updates: int = 0) -> None:
        """Measure health for a row of the curve."""
        found = layer_health(self._network, params, self._x, self._y)
        if self._before is not None and updates > self._before[1]:
            old = unpack(self._before[0], self._network.sizes)
            for layer, ((weight, _), (was, _)) in enumerate(zip(params, old, strict=True)):
                moved = float(np.linalg.norm(weight - was)) / (updates - self._before[1])
                size = float(np.linalg.norm(was))
                found[f"layer{layer + 1}.update_ratio"] = moved / size if size else math.nan
        self._before = None
        self._found[row] = found

    def matrix(self, rows: int) -> Array:
        """Return the measurements, shape (columns, rows); NaN in rows that were not measured."""
        matrix = np.full((len(self.columns), rows), math.nan)
        for row, found in self._found.items():
            for name, value in found.items():
                matrix[self.columns.index(name), row] = value
        return matrix


def sharpness(
    network: Network, params: Params, x: Array, y: Array, *, tolerance: float = 1e-2
) -> float:
    """Return the largest eigenvalue of the Hessian of the mean loss.

    It is computed by Lanczos iteration with Hessian-vector products, each a central difference of
    two gradients. The Hessian is never stored.

    Args:
        network: The network.
        params: Parameters at which the Hessian is taken; converted to float64.
        x: Inputs (n, n_features).
        y: Labels or targets.
        tolerance: Relative accuracy.

    Returns:
        The eigenvalue; NaN if the loss or the gradient is not finite.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    x = np.asarray(x, dtype=np.float64)
    at = pack(params, "float64")

    def gradient(theta: Array) -> Array:
        return pack(network.loss_and_grad(unpack(theta, network.sizes), x, y)[1], "float64")

    if not np.isfinite(gradient(at)).all():
        return math.nan
    step = 1e-4 * max(1.0, float(np.abs(at).max()))

    def product(direction: Array) -> Array:
        length = float(np.linalg.norm(direction))
        if length == 0:
            return np.zeros_like(at)
        move = direction.ravel() * (step / length)
        return (gradient(at + move) - gradient(at - move)) * (length / (2 * step))

    operator = LinearOperator((at.size, at.size), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=at.size)
    try:
        found = eigsh(operator, k=1, which="LA", tol=tolerance, v0=start, maxiter=100)[0]
    except ArpackNoConvergence as unfinished:
        found = unfinished.eigenvalues
    return float(found[0]) if len(found) else math.nan


def last_health(curve: Mapping[str, Array]) -> dict[str, float]:
    """Return the last measured value of every health column; empty if none was recorded."""
    found = {}
    for name in curve:  # names only: the columns of a stored curve are read lazily
        if name.startswith("layer") or name == "noise_scale":
            values = curve[name]
            known = values[~np.isnan(values)]
            if len(known):
                found[name] = float(known[-1])
    return found
