"""The same bits on every x86-64 with FMA, whatever its vectors and the code of BLAS."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.same_bits import RULES, RUNS, STEPPERS

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        platform.machine() not in ("x86_64", "AMD64"), reason="needs an x86-64 processor"
    ),
]
VARIANTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "narrow vectors, another BLAS and NumPy": (
        {
            # The first processors with FMA had neither AVX2 nor AVX-512.
            "NUMBA_CPU_NAME": "x86-64",
            "NUMBA_CPU_FEATURES": "+sse4.2,+avx,+fma",
            "OPENBLAS_CORETYPE": "Sandybridge",
            "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX",
        },
        (),
    ),
    "wide vectors": ({"NUMBA_CPU_NAME": "haswell"}, ("--wide",)),
}
"""Environment and arguments of each process."""


def trained(
    folder: Path, environment: dict[str, str], arguments: tuple[str, ...]
) -> dict[str, str]:
    """Train the runs in a process with a cache of its own, and return their hashes."""
    cache = {"OPTBENCH_CACHE": str(folder), "NUMBA_CACHE_DIR": str(folder / "numba")}
    result = subprocess.run(
        [sys.executable, "-m", "tests.engine.same_bits", *arguments],
        env={**os.environ, **cache, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    hashes: dict[str, str] = json.loads(result.stdout.splitlines()[-1])
    return hashes


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The hashes of this machine as it is."""
    return trained(tmp_path_factory.mktemp("native"), {}, ())


@pytest.mark.parametrize("variant", VARIANTS)
def test_bits_do_not_depend_on_the_processor(
    variant: str, here: dict[str, str], tmp_path: Path
) -> None:
    """With other vectors, another BLAS and another NumPy, every run ends with the same bits."""
    environment, arguments = VARIANTS[variant]
    there = trained(tmp_path, environment, arguments)
    assert len(there) == len(RUNS) * (len(RULES) + len(STEPPERS))
    differing = [name for name in here if here[name] != there[name]]
    assert not differing
