"""How signals and gradients travel through a fresh network, and what to say of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optbench.contracts import Array
from optbench.data.streams import stream
from optbench.engine.health import BOUNDED, ROWS, layer_health
from optbench.engine.initialization import draw_params
from optbench.network import Loss, Network, Params, check_activation
from optbench.registry import Registry

KEPT = (0.7, 1.4)
"""A layer keeps the variance when it changes it by a factor between these."""
KEPT_IN_ALL = (0.3, 3.0)
"""... and so does a shallow network between these, whatever a layer does."""
SHOWN = 4000
"""Values of a layer that are kept for its histogram."""
FLAT_WEIGHT = 3.0
"""How much a saturated or dead layer counts against an initializer, beside the logs of factors."""
SATURATED, DEAD = 0.4, 0.4
"""Shares from which on the verdict speaks of it, before any training."""

PASSES = "signal and gradient pass through all layers about unchanged"
"""The verdict on a network that has nothing wrong."""


@dataclass(frozen=True)
class Signals:
    """What one forward and one backward pass show, before training.

    Attributes:
        initializer: its spelling.
        activation: of the hidden layers.
        forward: mean square of the pre-activations z of each hidden layer.
        backward: mean square of the gradient with respect to z of each hidden layer.
        health: `optbench.engine.health.layer_health` of the network.
        samples: activations of each hidden layer, at most `SHOWN`.
        gains: of every layer, the output's too: mean square of the weights times the mean of the
            widths that they join, so that the ways forth and back count alike.
    """

    initializer: str
    activation: str
    forward: Array
    backward: Array
    health: dict[str, float]
    samples: list[Array]
    gains: Array

    @property
    def forward_factor(self) -> float:
        """By how much a layer multiplies the signal's variance, the geometric mean; NaN for one."""
        return _factor(self.forward)

    @property
    def backward_factor(self) -> float:
        """By how much a layer multiplies the gradient's variance on its way back."""
        return _factor(self.backward[::-1])

    @property
    def distance(self) -> float:
        """How far both factors are from 1, in powers of e; infinite for a dead or alike network."""
        factors = np.array([self.forward_factor, self.backward_factor])
        if alike(self) or not (np.isfinite(factors) & (factors > 0)).all():
            return math.inf
        return float(np.abs(np.log(factors)).sum()) + FLAT_WEIGHT * self.flat

    @property
    def flat(self) -> float:
        """The largest saturated (bounded activations) or dead (others) share of a hidden layer."""
        kind = "saturated" if self.activation in BOUNDED else "dead"
        shares = [v for k, v in self.health.items() if k.endswith(f".{kind}")]
        return max(shares, default=0.0)


def measure_signals(
    initializer: str,
    sizes: Sequence[int],
    activation: str,
    x: Array | None = None,
    y: Array | None = None,
    *,
    loss: Loss = "mse",
    seed: int = 0,
    registry: Registry | None = None,
) -> Signals:
    """Send a batch through a fresh network, forth and back.

    Args:
        initializer: its spelling.
        sizes: width of input, hidden layers and output.
        activation: of the hidden layers.
        x: inputs, the training part of a dataset: initializers that ask see it as in training, and
            the first `optbench.engine.health.ROWS` are sent through, those that layer health is
            recorded on; so many standard normal ones if None.
        y: labels or targets; standard normal targets if None (then the loss is ``"mse"``).
        loss: of the network.
        seed: of the initial weights and the made-up inputs.
        registry: where the initializer is looked up; the one of the process if None.

    Raises:
        ConfigError: an unknown name or a value out of range.
    """
    rng = stream("signals", seed)
    if x is None or y is None:
        x, y, loss = rng.normal(size=(ROWS, sizes[0])), rng.normal(size=(ROWS, sizes[-1])), "mse"
    network = Network(sizes, check_activation(activation), loss)
    params = draw_params(
        initializer, sizes, seed=seed, activation=activation, x=x, registry=registry
    )
    return signals_of(initializer, network, params, x[:ROWS], y[:ROWS])


def signals_of(label: str, network: Network, params: Params, x: Array, y: Array) -> Signals:
    """The signals of a network with these parameters, fresh or trained."""
    with np.errstate(all="ignore"):
        zs, activations = network.forward(params, x)
        deltas = network.backward(params, zs, activations, y)[1]
        return Signals(
            initializer=label,
            activation=network.activation,
            forward=np.array([float((z * z).mean()) for z in zs[:-1]]),
            backward=np.array([float((d * d).mean()) for d in deltas[:-1]]),
            health=layer_health(network, params, x, y),
            samples=[_some(a) for a in activations[1:-1]],
            gains=gains_of(params),
        )


def gains_of(params: Params) -> Array:
    """`Signals.gains` of these parameters."""
    return np.array([float((w * w).mean()) * sum(w.shape) / 2 for w, _ in params])


def _some(values: Array) -> Array:
    flat = values.ravel()
    return flat[:: max(flat.size // SHOWN, 1)][:SHOWN]


def _factor(values: Array) -> float:
    if len(values) < 2 or not values[0] > 0:
        return math.nan
    return float((values[-1] / values[0]) ** (1 / (len(values) - 1)))


def alike(found: Signals) -> bool:
    """Whether some hidden layer of more than one unit computes one thing only."""
    counts = [v for k, v in found.health.items() if k.endswith(".distinct")]
    widths = [len(s) for s in found.samples]
    return any(count == 1 and width > 1 for count, width in zip(counts, widths, strict=True))


def verdict(found: Signals) -> str:
    """What the signals say, in a sentence or two."""
    kind = "saturated" if found.activation in BOUNDED else "dead"
    said = []
    if alike(found):
        said.append("all units of a layer compute the same, and will learn the same")
    else:
        said += _travel("signal", "its variance", found.forward_factor, len(found.forward))
        said += _travel(
            "gradient", "its variance on the way back", found.backward_factor, len(found.backward)
        )
        if found.flat > (SATURATED if kind == "saturated" else DEAD):
            said.append(f"up to {found.flat:.0%} of a layer is {kind}")
    if not said:
        return PASSES
    return "; ".join(said)


def _travel(what: str, measure: str, factor: float, layers: int) -> list[str]:
    if math.isnan(factor) or KEPT[0] <= factor <= KEPT[1]:
        return []
    total = factor ** (layers - 1)
    if factor <= 0:
        return [f"no {what} passes"]
    if KEPT_IN_ALL[0] <= total <= KEPT_IN_ALL[1]:
        return []
    if factor < 1:
        halves = " (it halves)" if 0.45 < factor < 0.55 else ""
        return [
            f"each layer leaves the {what} {factor:.2g} of {measure}{halves}: "
            f"{total:.2g} of it is left after {layers} layers"
        ]
    return [
        f"each layer multiplies the {what}, {measure}, by {factor:.2g}: "
        f"{total:.2g} times after {layers} layers"
    ]
