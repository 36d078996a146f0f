"""Which initializer suits a network: found by trying all that are registered, never by name.

Each is drawn several times on the very network that is asked about, so that no lucky draw wins.
Those that carry signal and gradient through all its layers are candidates. How they differ in a
shallow network is mostly how they treat the input, which fades behind a few layers; so the
candidates are ordered by what the same weights would do in an infinitely wide and deep network,
where each layer multiplies the gradient's variance by one number (Schoenholz et al. 2017, Deep
Information Propagation, section 4: it is 1 on the edge between order and chaos).
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
from optbench.inspection.signals import KEPT, SATURATED, Signals, alike, gains_of, measure_signals
from optbench.network import ACTIVATIONS, Loss
from optbench.registry import Registry, default_registry

DRAWS = 5
"""Networks that each initializer is measured on."""
WEIGHTS, MOST_DRAWS = 10_000, 200
"""Weights of a layer that its gain is the mean of, and the most draws that this may take."""
ARRIVES = 20.0
"""Signal and gradient also arrive when all layers together change them by no more than this."""
EQUAL = 0.05
"""Initializers are equally good when a layer's factor differs by less than this, relatively."""
WORST_LAYER = 0.25
"""... and of those, the ones whose worst layer is no further off than this are named first."""
LAYERS = 1000
"""As deep as infinitely deep."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(64)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Choice:
    """Initializers in the order in which they suit a network.

    Attributes:
        ranked: the best first, each the mean of its draws.
        best: names of the best one and of those that are as good; empty when none will do.
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
        told = f"best: {first} (over {DRAWS} draws)"
        if not others:
            return told
        *most, last = others
        listed = f"{', '.join(most)} and {last} are" if most else f"{last} is"
        return f"{told}; {listed} as good"


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
    """Measure initializers on one network, and put them in order.

    One that has to look at data comes after those as good that need not.

    Args:
        initializers: their spellings; all that are registered if empty.
        sizes: as for `measure_signals`, like what follows.
        activation: of the hidden layers.
        x: inputs.
        y: labels or targets.
        loss: of the network.
        seed: of the first draw; the others follow.
        registry: where initializers are looked up; the one of the process if None.
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
    """Mean gains over as many draws of the weights as tell gains apart; more in a small network."""
    if x is None:
        x = stream("signals", seed).normal(size=(ROWS, sizes[0]))
    smallest = min(a * b for a, b in pairwise(sizes[1:-1] if len(sizes) > 3 else sizes))
    draws = min(max(-(-WEIGHTS // smallest), DRAWS), MOST_DRAWS)
    found = [
        gains_of(
            draw_params(
                name, sizes, seed=seed + draw, activation=activation, x=x, registry=registry
            )
        )
        for draw in range(draws)
    ]
    return np.asarray(np.mean(found, axis=0))


def _ordered(tried: Sequence[Signals], registry: Registry) -> Choice:
    def last(found: Signals) -> bool:
        return "data" in registry.initializer(_name(found)).needs

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


def _name(found: Signals) -> str:
    return parse_spelling(found.initializer)[0]


def carries(found: Signals) -> bool:
    """Whether signal and gradient come through all layers, and units are apart and not flat."""
    if alike(found) or not _arrives(found.forward) or not _arrives(found.backward):
        return False
    return found.activation not in BOUNDED or found.flat <= SATURATED


def _arrives(values: Array) -> bool:
    if not (np.isfinite(values) & (values > 0)).all():
        return False
    if len(values) < 2:
        return True
    total = float(values[-1] / values[0])
    layer = total ** (1 / (len(values) - 1))
    return 1 / ARRIVES < total < ARRIVES or KEPT[0] <= layer <= KEPT[1]


def mean_of(draws: Sequence[Signals]) -> Signals:
    """One for several draws: geometric means of signals and gradients, means of the others."""
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


def limit_factor(found: Signals) -> float:
    """By how much a layer far inside an infinitely wide and deep network multiplies the gradient.

    The layers have the gain measured between hidden layers. Positive for gains above 0.
    """
    inner = found.gains[1:-1] if len(found.gains) > 2 else found.gains
    gain = float(inner.mean())
    return max(gain * _mean_slope(found.activation, gain), 1e-300)


def _worst_layer(found: Signals) -> float:
    """How far the layer that is furthest from it is from a factor of 1, in powers of e."""
    inner = found.gains[1:-1] if len(found.gains) > 2 else found.gains
    factors = found.gains * _mean_slope(found.activation, float(inner.mean()))
    return float(np.abs(np.log(np.maximum(factors, 1e-300))).max())


def _mean_slope(activation: str, gain: float) -> float:
    """Mean square of the slope where layers of this gain bring the variance of z in the end."""
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
