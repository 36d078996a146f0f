"""Settings of the whole test session."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Small matrices: a BLAS with threads of its own only gets in the way of other tests.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

settings.register_profile(
    "ci",
    derandomize=True,  # the same examples everywhere: a failure is a change of ours
    deadline=None,  # no test asserts on time
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("deep", settings.get_profile("ci"), derandomize=False, max_examples=500)
settings.load_profile(os.environ.get("OPTBENCH_HYPOTHESIS", "ci"))
