"""Propagation of signals and gradients through an untrained network, and a verdict on it."""

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

UNCHANGED = (0.3, 3.0)
"""Range of the variance in any layer, relative to the first, within which it counts as
preserved."""
STEADY = 2.0
"""Largest ratio of one layer's factor to the mean factor, up to which the mean describes each
layer."""
SHOWN = 4000
"""Maximum number of activations per layer stored for its histogram."""
FLAT_WEIGHT = 3.0
"""Weight of the saturated or dead share in `Signals.distance`."""
SATURATED, DEAD = 0.4, 0.4
"""Shares of a layer above which the verdict reports it, before training."""

PASSES = "signal and gradient pass through all layers about unchanged"
"""Verdict on a network without problems."""
ONE_LAYER = "with one hidden layer, signal and gradient have no depth over which to fade or grow"
NO_LAYER = "without hidden layers, the inputs reach the output in one step"
HARMLESS = (PASSES, ONE_LAYER, NO_LAYER)
"""Verdicts that name no problem."""


@dataclass(frozen=True)
class Signals:
    """Measurements from one forward and one backward pass.

    Attributes:
        initializer: Initializer in the form ``name[key=value,...]``, or another label.
        activation: Activation of the hidden layers.
        forward: Mean square of the pre-activations z of each hidden layer.
        backward: Mean square of the gradient with respect to z of each hidden layer.
        health: `optbench.engine.health.layer_health` of the network.
        samples: Activations of each hidden layer, at most `SHOWN` values per layer.
        gains: Gain of each layer, including the output layer: mean square of the weights times the
            mean of fan-in and fan-out, so that both directions have equal weight.
        outputs: Outputs z of the last layer, at most `SHOWN` values.
        output_signal: Mean square of these outputs, over all examples.
        output_gradient: Mean square of the gradient with respect to them.
    """

    initializer: str
    activation: str
    forward: Array
    backward: Array
    health: dict[str, float]
    samples: list[Array]
    gains: Array
    outputs: Array
    output_signal: float
    output_gradient: float

    @property
    def forward_factor(self) -> float:
        """Mean factor by which a layer multiplies the variance of the signal.

        The mean is geometric; NaN for a single hidden layer.
        """
        return _factor(self.forward)

    @property
    def backward_factor(self) -> float:
        """Mean factor by which a layer multiplies the variance of the gradient, backwards."""
        return _factor(self.backward[::-1])

    @property
    def distance(self) -> float:
        """Deviation of both factors from 1, in powers of e, plus a penalty for `flat`.

        Infinite if a factor is zero or not finite, or all units of a layer are identical.
        """
        factors = np.array([self.forward_factor, self.backward_factor])
        if alike(self) or not (np.isfinite(factors) & (factors > 0)).all():
            return math.inf
        return float(np.abs(np.log(factors)).sum()) + FLAT_WEIGHT * self.flat

    @property
    def flat(self) -> float:
        """Largest saturated (bounded activations) or dead (others) share of a hidden layer."""
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
    """Measure a forward and a backward pass of one batch through an untrained network.

    Random inputs and targets replace `x` and `y` unless both are given.

    Args:
        initializer: Initializer in the form ``name[key=value,...]``.
        sizes: Widths of the input, the hidden layers and the output.
        activation: Activation of the hidden layers.
        x: Inputs, the training part of a dataset. Initializers that need data receive all of it.
            The batch is the first `optbench.engine.health.ROWS` rows, on which layer health is
            recorded as well. If None, `ROWS` standard normal inputs.
        y: Labels or targets. If None, standard normal targets with the loss ``"mse"``.
        loss: Loss of the network.
        seed: Seed of the initial weights and the random inputs.
        registry: Registry of the initializers; the default registry if None.

    Returns:
        The measurements.

    Raises:
        ConfigError: If a name is unknown or a value is out of range.
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
    """Measure the signals of a network with the given parameters, trained or untrained."""
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
            outputs=_some(zs[-1]),
            output_signal=float((zs[-1] * zs[-1]).mean()),
            output_gradient=float((deltas[-1] * deltas[-1]).mean()),
        )


def gains_of(params: Params) -> Array:
    """Return the gain of each layer, as in `Signals.gains`."""
    return np.array([float((w * w).mean()) * sum(w.shape) / 2 for w, _ in params])


def _some(values: Array) -> Array:
    flat = values.ravel()
    return flat[:: max(flat.size // SHOWN, 1)][:SHOWN]


def _factor(values: Array) -> float:
    if len(values) < 2 or not values[0] > 0:
        return math.nan
    return float((values[-1] / values[0]) ** (1 / (len(values) - 1)))


def alike(signals: Signals) -> bool:
    """Return whether all units of a hidden layer with several units compute the same value."""
    counts = [v for k, v in signals.health.items() if k.endswith(".distinct")]
    widths = [len(s) for s in signals.samples]
    return any(count == 1 and width > 1 for count, width in zip(counts, widths, strict=True))


def verdict(signals: Signals) -> str:
    """Summarize the measurements in one or two sentences.

    Signal and gradient are judged over the whole depth of the network, not per layer: a factor of
    0.9 per layer looks harmless, but leaves 0.5 % after 50 layers.
    """
    if not len(signals.forward):
        return NO_LAYER
    kind = "saturated" if signals.activation in BOUNDED else "dead"
    problems = []
    if alike(signals):
        problems.append(
            "all units of a layer compute the same values, and training keeps them equal"
        )
    else:
        problems += _passage("signal", signals.forward)
        problems += _passage("gradient", signals.backward[::-1])
        if signals.flat > (SATURATED if kind == "saturated" else DEAD):
            problems.append(f"up to {signals.flat:.0%} of a layer is {kind}")
    if not problems:
        return PASSES if len(signals.forward) > 1 else ONE_LAYER
    return "; ".join(problems)


def _passage(what: str, variances: Array) -> list[str]:
    """Describe how a variance changes from the first of these layers to the last.

    Args:
        what: ``"signal"``, or ``"gradient"``, the layers of which are in reverse order.
        variances: Variance in each layer, in the order in which signal or gradient passes them.
    """
    if len(variances) < 2:
        return []
    if not variances[0] > 0 or not variances[-1] > 0:
        return [f"no {what} passes"]
    relative = variances / variances[0]
    place = int(np.argmax(np.abs(np.log(np.maximum(relative, 1e-300)))))
    total = float(relative[place])
    if UNCHANGED[0] <= total <= UNCHANGED[1]:
        return []
    steps = relative[1 : place + 1] / relative[:place]
    factor = total ** (1 / place)
    is_steady = bool((np.maximum(steps / factor, factor / steps) <= STEADY).all())
    layers = range(1, len(variances) + 1)[:: 1 if what == "signal" else -1]
    where = f"from layer {layers[0]} to layer {layers[place]}"
    if total < 1 and is_steady:
        halves = " (it halves)" if 0.45 < factor < 0.55 else ""
        return [
            f"each layer leaves the {what} {factor:.2g} of its variance{halves}: "
            f"{total:.2g} of it is left {where}"
        ]
    if total < 1:
        return [f"the {what} fades: {total:.2g} of its variance is left {where}"]
    if is_steady:
        return [
            f"each layer multiplies the variance of the {what} by {_times(factor)}: "
            f"{_times(total)} times {where}"
        ]
    return [f"the {what} grows: its variance becomes {_times(total)} times as large {where}"]


def _times(factor: float) -> str:
    """Return a factor above 1 in two digits or more: ``1.04``, ``4.1``, ``220``, ``3.9e+73``."""
    return f"{factor:.2f}" if factor < 2 else f"{float(f'{factor:.2g}'):g}"
