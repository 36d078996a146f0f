"""Random streams keyed by role and seed, so that all optimizers see the same random numbers."""

from __future__ import annotations

import functools
import zlib

import numpy as np

from optbench.contracts import Array


def stream(role: str, seed: int) -> np.random.Generator:
    """Return the random generator of a role and seed.

    Streams of different roles or seeds are independent. The same role and seed give the same
    numbers on every machine.

    Args:
        role: Purpose of the stream, such as ``"init"``, ``"order"``, ``"split"`` or
            ``"optimizer"``.
        seed: Seed of the run.
    """
    return np.random.default_rng(np.random.SeedSequence([zlib.crc32(role.encode()), seed]))


@functools.lru_cache(maxsize=64)
def batch_order(n: int, epochs: int, seed: int) -> Array:
    """Return the order of the examples: one permutation per epoch, int32, shape (epochs, n).

    The first epochs do not depend on the total number of epochs. The array is read-only and
    cached, so that runs can share it.
    """
    rng = stream("order", seed)
    order = np.empty((epochs, n), dtype=np.int32)
    for epoch in range(epochs):
        order[epoch] = rng.permutation(n)
    order.setflags(write=False)
    return order
