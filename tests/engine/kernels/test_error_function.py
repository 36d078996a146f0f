"""The vectorised error function against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf

from optbench.engine.kernels.error_function import vector_erf
from optbench.engine.kernels.jit import jit


@jit
def fill(x, out):  # type: ignore[no-untyped-def]
    """out[i] = erf(x[i])."""
    for i in range(len(x)):
        out[i] = vector_erf(x[i])


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-7), ("float64", 1e-14)])
def test_the_error_is_below_the_documented_one(dtype: str, tolerance: float) -> None:
    """Everywhere, on both sides of every seam, and for numbers of any size."""
    tiny = np.logspace(-40 if dtype == "float32" else -300, 30, 20_000)
    seams = np.nextafter(np.repeat([0.927734375, 5.0, 10.0], 3), np.tile([0.0, 1.0, 99.0], 3))
    x = np.concatenate([np.linspace(-8, 8, 400_001), tiny, -tiny, seams, -seams]).astype(dtype)
    out = np.empty_like(x)
    fill(x, out)
    error = np.abs(out.astype(float) - erf(x.astype(float)))
    assert error.max() < tolerance
    assert np.abs(out).max() <= 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values_are_those_of_scipy(dtype: str) -> None:
    """NaN stays NaN, so that a run with NaN is lost."""
    x = np.array([np.nan, np.inf, -np.inf, 0.0], dtype)
    out = np.empty_like(x)
    fill(x, out)
    np.testing.assert_array_equal(out, [np.nan, 1.0, -1.0, 0.0])
