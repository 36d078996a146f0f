"""Orthogonal weights."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values, hyper


class Orthogonal(Initializer):
    """W = gain * Q with orthonormal rows or columns: every singular value is the gain."""

    name = "orthogonal"
    source = (
        "Saxe, McClelland & Ganguli 2014, Exact solutions to the nonlinear dynamics of learning "
        "in deep linear neural networks, section 3"
    )
    url = "https://arxiv.org/abs/1312.6120"
    variant = "Q from the QR of a normal matrix, signs fixed so that it is uniform; biases 0"

    gain: float = hyper(1.0, "value of every singular value", low=0, log_range=(0.3, 3))

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        tall = rng.normal(size=(max(n_in, n_out), min(n_in, n_out)))
        q, r = np.linalg.qr(tall)
        # QR leaves the signs to the library; with a positive diagonal of R, Q is Haar-distributed.
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return np.ascontiguousarray(h.gain * (q if n_in >= n_out else q.T))
