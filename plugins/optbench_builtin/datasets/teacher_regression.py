"""Outputs of a random network."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, hyper
from optbench_builtin.datasets.teacher import teacher_outputs


class TeacherRegression(DatasetSource):
    """Gaussian inputs, and the output of a random network with one hidden layer of tanh units.

    The weights of the network are drawn from N(0, gain^2 / n_in) in the hidden layer and N(0, 1) in
    the output layer. Noise is added to the output, relative to its standard deviation.
    """

    name = "teacher-regression"
    task = "regression"
    source = "generated: teacher and student, after Gardner & Derrida 1989"
    cached = True
    n: int = hyper(1500, "number of examples", low=50, high=100_000)
    dimension: int = hyper(10, "number of features", low=1, high=10_000)
    width: int = hyper(10, "hidden units of the teacher", low=1, high=10_000)
    gain: float = hyper(2.0, "scale of the hidden weights; larger is less linear", low=0, high=100)
    noise: float = hyper(0.1, "standard deviation of the noise", low=0, high=10)
    seed: int = hyper(0, "seed of the teacher and the inputs", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return inputs (n, dimension) and outputs (n,)."""
        h = self.h
        rng = np.random.default_rng(h.seed)
        x = rng.normal(size=(h.n, h.dimension))
        outputs = teacher_outputs(x, h, rng, ())
        return x, outputs + h.noise * outputs.std() * rng.normal(size=h.n)
