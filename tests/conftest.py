"""Settings of the whole test session."""

from __future__ import annotations

import os

# Small matrices: a BLAS with threads of its own only gets in the way of other tests.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
