"""MNIST-1D: digits as signals of 40 numbers."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, hyper

TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
"""The pen stroke of each digit, as a signal of 12 numbers."""
PADDING = (36, 60)
"""Fewest and most zeros behind a template; more of them make the digit shorter."""
LENGTH = 12 + PADDING[1]
"""Length of a signal before it is shortened to `FEATURES`."""
FEATURES = 40
DECIMALS = 6
"""Decimal places kept, so that all machines have the same numbers."""


class Mnist1D(DatasetSource):
    """Ten digits as one-dimensional signals: shifted, stretched, sheared and noisy.

    A template of 12 numbers for each digit is padded, stretched, scaled, shifted by up to 47 of
    72 places, laid over correlated noise, and sheared. Linear models reach an accuracy of about
    32%, multilayer perceptrons about 68%. Random numbers are drawn as in the authors' program, so
    these are the examples that it generates, except for rounding to 6 decimal places. The last
    fifth is the test part.
    """

    name = "mnist-1d"
    task = "multiclass"
    source = "generated: Greydanus & Kobak 2024, arXiv:2011.14439, as their package mnist1d does"
    cached = True
    standardize = False  # the signals have mean 0 and variance 1, all features together
    n: int = hyper(5000, "number of signals", low=100, high=100_000)
    noise: float = hyper(0.25, "scale of the correlated noise around a digit", low=0, high=10)
    jitter: float = hyper(0.02, "standard deviation of the independent noise", low=0, high=10)
    shear: float = hyper(0.75, "range of the slopes that are subtracted", low=0, high=10)
    seed: int = hyper(42, "seed of the signals", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array, Array, Array]:
        """Return train signals (4 n / 5, 40) and digits, and those of the test part."""
        h, n = self.h, self.h.n
        digits = np.arange(n) * 10 // n
        random = np.random.RandomState(h.seed)  # the published stream
        draws = [
            (
                random.rand(),
                random.rand(),
                random.randint(48),
                random.randn(2, LENGTH),
                random.rand(),
            )
            for _ in range(n)
        ]
        padding, scale, shift, noise, slope = (np.array(part) for part in zip(*draws, strict=True))
        zeros = PADDING[0] + (padding * (PADDING[1] - PADDING[0] + 1)).astype(int)
        signal, inside = _stretched(digits, zeros)
        signal *= 1 + 0.4 * (scale[:, None] - 0.5)
        places = (np.arange(LENGTH) - shift[:, None]) % LENGTH
        signal, inside = (np.take_along_axis(a, places, axis=1) for a in (signal, inside))
        signal = np.where(inside, signal, _smoothed(h.noise * noise[:, 0])) + h.jitter * noise[:, 1]
        signal -= h.shear * (slope[:, None] - 0.5) * np.linspace(-0.5, 0.5, LENGTH)
        signal = _interpolated(signal, np.linspace(0, LENGTH - 1, FEATURES)[None])
        order = random.permutation(n)
        x = np.round((signal - signal.mean()) / signal.std(), DECIMALS)[order]
        y, cut = digits[order], n * 4 // 5
        return x[:cut], y[:cut], x[cut:], y[cut:]


def _stretched(digits: Array, zeros: Array) -> tuple[Array, Array]:
    """Return the padded templates at `LENGTH` places, and which of the places are in a digit."""
    templates = np.array(TEMPLATES)
    templates -= templates.mean(axis=1, keepdims=True)
    templates /= templates.std(axis=1, keepdims=True) * 6
    templates -= templates[:, :1]  # a digit starts and ends at 0
    padded = np.hstack([templates, np.zeros((10, PADDING[1]))])
    places = np.arange(LENGTH) / (LENGTH - 1) * (11 + zeros[:, None])
    return _interpolated(padded[digits], places), places < 12


def _interpolated(signal: Array, places: Array) -> Array:
    """Return signals (n, length) at places that need not be whole, linearly interpolated."""
    left = np.minimum(places.astype(int), signal.shape[1] - 2)
    left, share = np.broadcast_arrays(left, places - left)
    if len(left) == 1:
        left = np.repeat(left, len(signal), axis=0)
    low, high = (np.take_along_axis(signal, index, axis=1) for index in (left, left + 1))
    return np.asarray(low + share * (high - low))


def _smoothed(noise: Array) -> Array:
    """Return noise convolved with a Gaussian of width 2, reflected at its ends."""
    kernel = np.exp(-0.5 * (np.arange(-8, 9) / 2) ** 2)
    kernel /= kernel.sum()
    wide = np.pad(noise, ((0, 0), (8, 8)), mode="symmetric")
    return np.asarray(sum(k * wide[:, i : i + LENGTH] for i, k in enumerate(kernel)))
