"""Random streams keyed by role and seed, so that every optimizer meets the same accidents."""

from __future__ import annotations

import functools
import zlib

import numpy as np

from optbench.contracts import Array


def stream(role: str, seed: int) -> np.random.Generator:
    """The generator of one role (``"init"``, ``"order"``, ``"split"``, ``"optimizer"``).

    Streams of different roles or seeds are independent; the same pair gives the same numbers on
    every machine.
    """
    return np.random.default_rng(np.random.SeedSequence([zlib.crc32(role.encode()), seed]))


@functools.lru_cache(maxsize=64)
def batch_order(n: int, epochs: int, seed: int) -> Array:
    """The order in which examples are met: one permutation an epoch, int32, (epochs, n).

    A longer run begins like a shorter one. Read-only and shared by all runs that ask for it.
    """
    rng = stream("order", seed)
    order = np.empty((epochs, n), dtype=np.int32)
    for epoch in range(epochs):
        order[epoch] = rng.permutation(n)
    order.setflags(write=False)
    return order
