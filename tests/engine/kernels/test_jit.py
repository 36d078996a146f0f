"""What the compiled code does not need is not imported at its start."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys, numba, numpy
from optbench.engine.loops.products import matmul
print(matmul(numpy.eye(2), numpy.eye(2)).tolist(), "scipy.linalg" in sys.modules)
product = numba.njit(lambda a: numpy.dot(a, a))
print(product(numpy.eye(2)).tolist(), "scipy.linalg" in sys.modules)
"""


def test_compiled_code_does_not_import_the_blas_of_scipy_but_others_find_it() -> None:
    """Its import takes a quarter of the start of a worker; products compiled elsewhere need it."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    unit = "[[1.0, 0.0], [0.0, 1.0]]"
    assert done.stdout.splitlines() == [f"{unit} False", f"{unit} True"]
