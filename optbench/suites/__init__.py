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
from optbench.suites.target_files import TARGET_LEVEL, Targets, known_targets

__all__ = [
    "MAX_SEEDS",
    "TARGET_LEVEL",
    "NetworkChoice",
    "Suite",
    "Targets",
    "check_suite",
    "find_suite",
    "known_targets",
    "load_suite",
    "parse_suite",
]
