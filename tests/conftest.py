"""Settings of the test session."""

from __future__ import annotations

import os
import signal
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
LONG_ROOMS = (
    "benchmarks", "browser", "contract", "faults", "oracle", "properties", "published", "trials",
)  # fmt: skip
"""Folders with tests that take long: a plain ``pytest`` leaves them out."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs everything."""
    parser.addoption(
        "--long", action="store_true", help="Also run the long tests, as .ci/run does."
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker process of pytest-xdist whether to leave long tests out."""
    node.workerinput["short"] = _is_short(node.config)


def _is_short(config: pytest.Config) -> bool:
    """Return whether neither paths of tests nor ``--long`` are given."""
    if hasattr(config, "workerinput"):
        return bool(config.workerinput["short"])
    return config.args_source is config.ArgsSource.TESTPATHS and not config.getoption("--long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long tests out of a plain ``pytest``."""
    if not _is_short(config):
        return
    long: list[pytest.Item] = []
    short: list[pytest.Item] = []
    for item in items:
        room = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        is_long = room in LONG_ROOMS or item.get_closest_marker("long") is not None
        (long if is_long else short).append(item)
    config.hook.pytest_deselected(items=long)
    items[:] = short


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

    installed = registry.entry_points_of
    others = {
        point
        for point in installed(registry.GROUP)
        if point.dist is not None and point.dist.name != "optbench"
    }

    def of_this_suite(group: str) -> list[EntryPoint]:
        return [point for point in installed(group) if point not in others]

    registry.entry_points_of = of_this_suite


hide_other_plugins()
