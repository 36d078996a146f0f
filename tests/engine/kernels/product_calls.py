"""Products of matrices as functions that tests call from Python."""

from __future__ import annotations

from optbench.engine.kernels import matmul
from optbench.engine.kernels.jit import jit


@jit
def multiply(m, n, k, A, B, C, D, add):  # type: ignore[no-untyped-def]
    """`matmul.multiply`, called from Python."""
    matmul.multiply(m, n, k, A, B, C, D, add)


@jit
def multiply_transposed(m, n, k, A, B, C, spare):  # type: ignore[no-untyped-def]
    """`matmul.multiply_transposed`, called from Python."""
    matmul.multiply_transposed(m, n, k, A, B, C, spare)
