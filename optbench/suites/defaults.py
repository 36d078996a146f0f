"""The suite that gives the defaults of optimizer, dataset and initializer."""

from __future__ import annotations

from optbench.registry import default_registry
from optbench.suites.overrides import resolve_suite
from optbench.suites.suite import Suite

DEFAULT_SUITE = "quick"
"""Name of the suite that ``optbench run`` runs, and that defaults are taken from."""


def default_suite() -> Suite:
    """Return the suite that defaults are taken from."""
    return resolve_suite(DEFAULT_SUITE, default_registry())


def default_dataset() -> str:
    """Return the first dataset of that suite; workloads that are listed one by one come first."""
    suite = default_suite()
    return suite.workload[0].dataset if suite.workload else suite.datasets[0]


def default_optimizers() -> list[str]:
    """Return the spellings of the optimizers in that suite."""
    chosen = default_suite().optimizers
    return list(default_registry().entries("optimizers")) if chosen == "all" else list(chosen)
