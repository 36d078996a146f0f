"""Suites, read from TOML: a named set of workloads and a protocol."""

from optbench.records import MAX_SEEDS
from optbench.suites.suite import (
    NetworkChoice,
    Suite,
    check_suite,
    find_suite,
    load_suite,
    parse_suite,
)

__all__ = [
    "MAX_SEEDS",
    "NetworkChoice",
    "Suite",
    "check_suite",
    "find_suite",
    "load_suite",
    "parse_suite",
]
