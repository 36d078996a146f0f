"""Choice of an initializer for a network, based on measurements of all registered initializers.

Each initializer is measured over several draws on the given network, so that a lucky draw cannot
win. Candidates are the initializers that carry signal and gradient through all layers. In a shallow
network, these differ mostly in how they scale the input, an effect that disappears after a few
layers. The candidates are therefore ranked by the behavior of the same weights in an infinitely
wide and deep network, where every layer multiplies the variance of the gradient by the same factor.
This factor is 1 at the edge between order and chaos.

Source: Schoenholz et al. 2017, Deep Information Propagation, section 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from optbench.contracts import Array
from optbench.data.streams import stream
from optbench.engine.health import BOUNDED, ROWS
from optbench.engine.initialization import draw_params
from optbench.hyperparameters import parse_spelling
from optbench.inspection.signals import SATURATED, Signals, alike, gains_of, measure_signals
from optbench.network import ACTIVATIONS, Loss
from optbench.registry import Registry, default_registry
from optbench.support.text import join_names, plural

DRAWS = 5
"""Number of networks drawn to measure an initializer."""
WEIGHTS, MOST_DRAWS = 10_000, 200
"""Number of weights over which the gain of a layer is averaged, and the maximum number of draws."""
ARRIVES, ARRIVES_PER_LAYER = 20.0, 4.0
"""Largest factor by which all layers together may change the variance of signal or gradient: the
first number, plus the second for each layer. It grows in proportion to the depth, as the variance
of tanh does at the edge between order and chaos, and not exponentially."""
EQUAL = 0.05
"""Relative difference between the factors per layer, below which initializers are equally good."""
WORST_LAYER = 0.25
"""Tolerance on the worst layer, in powers of e; equally good initializers within it of the smallest
deviation rank first."""
LAYERS = 1000
"""Number of layers used to approximate the infinite-depth limit."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(64)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Choice:
    """Ranking of initializers for a network.

    Attributes:
        ranked: Mean signals of each initializer, best first.
        best: Names of the best initializer and of those that are equally good; empty if no
            initializer is suitable.
    """

    ranked: list[Signals]
    best: tuple[str, ...]

    def __str__(self) -> str:
        if not self.best:
            return (
                f"none of {len(self.ranked)} initializers carries signal and gradient through "
                f"all layers (over {DRAWS} draws); another activation or fewer layers may"
            )
        first, *others = self.best
        text = f"best: {first} (over {DRAWS} draws)"
        if not others:
            return text
        verb = plural(len(others), "is", "are")
        return f"{text}; {join_names(others, len(others))} {verb} as good"


def choose(
    initializers: Sequence[str],
    sizes: Sequence[int],
    activation: str,
    x: Array | None = None,
    y: Array | None = None,
    *,
    loss: Loss = "mse",
    seed: int = 0,
    registry: Registry | None = None,
) -> Choice:
    """Measure initializers on a network and rank them.

    Initializers that do not need data rank before those that do.

    Args:
        initializers: Initializers in the form ``name[key=value,...]``; all registered
            initializers if empty.
        sizes: Widths of the input, the hidden layers and the output.
        activation: Activation of the hidden layers.
        x: Inputs, as for `measure_signals`.
        y: Labels or targets, as for `measure_signals`.
        loss: Loss of the network.
        seed: Seed of the first draw; later draws use consecutive seeds.
        registry: Registry of the initializers; the default registry if None.

    Returns:
        The ranking.
    """
    registry = registry or default_registry()
    names = list(dict.fromkeys(initializers)) or list(registry.entries("initializers"))
    tried = []
    for name in names:
        draws = [
            measure_signals(
                name, sizes, activation, x, y, loss=loss, seed=seed + draw, registry=registry
            )
            for draw in range(DRAWS)
        ]
        gains = _gains(name, sizes, activation, x, seed, registry)
        tried.append(replace(mean_of(draws), gains=gains))
    return _ordered(tried, registry)


def _gains(
    name: str,
    sizes: Sequence[int],
    activation: str,
    x: Array | None,
    seed: int,
    registry: Registry,
) -> Array:
    """Return the gains averaged over draws of the weights; small networks need more draws."""
    if x is None:
        x = stream("signals", seed).normal(size=(ROWS, sizes[0]))
    smallest = min(a * b for a, b in pairwise(sizes[1:-1] if len(sizes) > 3 else sizes))
    draws = min(max(-(-WEIGHTS // smallest), DRAWS), MOST_DRAWS)
    gains = [
        gains_of(
            draw_params(
                name, sizes, seed=seed + draw, activation=activation, x=x, registry=registry
            )
        )
        for draw in range(draws)
    ]
    return np.asarray(np.mean(gains, axis=0))


def _ordered(tried: Sequence[Signals], registry: Registry) -> Choice:
    def last(signals: Signals) -> bool:
        return "data" in registry.initializer(_name(signals)).needs

    fit = sorted(
        (s for s in tried if carries(s)),
        key=lambda s: (last(s), abs(math.log(limit_factor(s))), s.initializer),
    )
    rest = sorted(
        (s for s in tried if not carries(s)), key=lambda s: (last(s), s.distance, s.initializer)
    )
    if not fit:
        return Choice(rest, ())
    reach = abs(math.log(limit_factor(fit[0]))) + EQUAL
    equal = [s for s in fit if abs(math.log(limit_factor(s))) < reach]
    even = min(map(_worst_layer, equal)) + WORST_LAYER
    equal.sort(key=lambda s: (last(s), _worst_layer(s) >= even, s.initializer))
    others = [s for s in fit if abs(math.log(limit_factor(s))) >= reach]
    return Choice([*equal, *others, *rest], tuple(s.initializer for s in equal))


def _name(signals: Signals) -> str:
    return parse_spelling(signals.initializer)[0]


def carries(signals: Signals) -> bool:
    """Return whether signal and gradient pass all layers, with distinct and unsaturated units."""
    if alike(signals) or not _arrives(signals.forward) or not _arrives(signals.backward):
        return False
    return signals.activation not in BOUNDED or signals.flat <= SATURATED


def _arrives(values: Array) -> bool:
    if not (np.isfinite(values) & (values > 0)).all():
        return False
    if len(values) < 2:
        return True
    most = ARRIVES + ARRIVES_PER_LAYER * (len(values) - 1)
    return 1 / most < float(values[-1] / values[0]) < most


def mean_of(draws: Sequence[Signals]) -> Signals:
    """Average draws: geometric means of signals and gradients, arithmetic means elsewhere."""
    with np.errstate(divide="ignore"):
        forward, backward = (
            np.exp(np.mean(np.log(rows), axis=0))
            for rows in ([d.forward for d in draws], [d.backward for d in draws])
        )
    return replace(
        draws[0],
        forward=forward,
        backward=backward,
        health={key: float(np.mean([d.health[key] for d in draws])) for key in draws[0].health},
        gains=np.mean([d.gains for d in draws], axis=0),
    )


def limit_factor(signals: Signals) -> float:
    """Return the factor by which a layer multiplies the variance of the gradient in the limit.

    In the limit, the network is infinitely wide and deep, and each of its layers has the mean gain
    measured between the hidden layers. The factor is always positive.
    """
    inner = signals.gains[1:-1] if len(signals.gains) > 2 else signals.gains
    gain = float(inner.mean())
    return max(gain * _mean_slope(signals.activation, gain), 1e-300)


def _worst_layer(signals: Signals) -> float:
    """Return the largest deviation of a layer's factor from 1, in powers of e."""
    inner = signals.gains[1:-1] if len(signals.gains) > 2 else signals.gains
    factors = signals.gains * _mean_slope(signals.activation, float(inner.mean()))
    return float(np.abs(np.log(np.maximum(factors, 1e-300))).max())


def _mean_slope(activation: str, gain: float) -> float:
    """Return the mean squared slope at the variance of z to which layers of this gain converge."""
    phi, slope = ACTIVATIONS[activation]
    variance = 1.0
    for _ in range(LAYERS):
        after = gain * float(_WEIGHTS @ phi(math.sqrt(variance) * _NODES) ** 2)
        settled = abs(after - variance) <= 1e-12 * variance
        variance = min(max(after, 1e-12), 1e12)
        if settled:
            break
    z = math.sqrt(variance) * _NODES
    return float(_WEIGHTS @ slope(z, phi(z)) ** 2)
