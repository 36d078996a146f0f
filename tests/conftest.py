"""Settings of the test session."""

from __future__ import annotations

import os
import signal
from importlib.metadata import EntryPoint
from typing import Any

from hypothesis import HealthCheck, settings

# The matrices are small: further BLAS threads would only slow other tests down.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Background jobs of a shell ignore Ctrl-C, and so do their children; some tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "ci",
    derandomize=True,  # the same examples everywhere: a new failure comes from a change of the code
    deadline=None,  # no test asserts on time
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("deep", settings.get_profile("ci"), derandomize=False, max_examples=500)
settings.load_profile(os.environ.get("OPTBENCH_HYPOTHESIS", "ci"))


def hide_other_plugins() -> None:
    """Hide the other plugins that are installed: the tests expect only the built-in one.

    Plugins that a test puts on the path are found, and child processes find all plugins.
    """
    from optbench.registry import registry as module  # NumPy too: not before the variables are set

    registry: Any = module  # what it imported is replaced

    installed = registry.entry_points
    others = {
        point
        for point in installed(group=registry.GROUP)
        if point.dist is not None and point.dist.name != "optbench"
    }

    def of_this_suite(*, group: str) -> list[EntryPoint]:
        return [point for point in installed(group=group) if point not in others]

    registry.entry_points = of_this_suite


hide_other_plugins()
