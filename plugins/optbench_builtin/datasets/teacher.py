"""Labels of a random network."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, Values, hyper


class Teacher(DatasetSource):
    """Gaussian inputs, labeled by a random network with one hidden layer of tanh units.

    The weights of the network are drawn from N(0, gain^2 / n_in) in the hidden layer and N(0, 1) in
    the output layer. Each output is centered over the inputs, and the largest one is the label. A
    share `noise` of the labels is replaced by random ones.
    """

    name = "teacher"
    task = "multiclass"
    source = "generated: teacher and student, after Gardner & Derrida 1989"
    cached = True
    n: int = hyper(1500, "number of examples", low=50, high=100_000)
    dimension: int = hyper(20, "number of features", low=1, high=10_000)
    classes: int = hyper(5, "number of classes", low=2, high=10)
    width: int = hyper(10, "hidden units of the teacher", low=1, high=10_000)
    gain: float = hyper(2.0, "scale of the hidden weights; larger is less linear", low=0, high=100)
    noise: float = hyper(0.05, "share of the labels that are random", low=0, high=1)
    seed: int = hyper(0, "seed of the teacher and the inputs", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return inputs (n, dimension) and labels."""
        h = self.h
        rng = np.random.default_rng(h.seed)
        x = rng.normal(size=(h.n, h.dimension))
        outputs = teacher_outputs(x, h, rng, (h.classes,))
        labels = np.argmax(outputs - outputs.mean(axis=0), axis=1)
        is_random = rng.random(h.n) < h.noise
        return x, np.where(is_random, rng.integers(h.classes, size=h.n), labels)


def teacher_outputs(x: Array, h: Values, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return the outputs, shape (n, *shape), of a random network with `h.width` hidden units."""
    first = rng.normal(0, h.gain / h.dimension**0.5, (h.dimension, h.width))
    second = rng.normal(size=(h.width, *shape))
    return np.asarray(np.tanh(x @ first) @ second)
