"""Suites, read from TOML: a named set of workloads and a protocol."""

from optbench.records import MAX_SEEDS
from optbench.suites.draws import Choice, DatasetFamily, Draw, Range
from optbench.suites.suite import (
    NetworkChoice,
    Suite,
    check_suite,
    find_suite,
    load_suite,
    parse_suite,
)
from optbench.suites.target_files import LEVELS, TARGET_LEVEL, Target, Targets, known_targets
from optbench.suites.workload_choice import WorkloadChoice

__all__ = [
    "LEVELS",
    "MAX_SEEDS",
    "TARGET_LEVEL",
    "Choice",
    "DatasetFamily",
    "Draw",
    "NetworkChoice",
    "Range",
    "Suite",
    "Target",
    "Targets",
    "WorkloadChoice",
    "check_suite",
    "find_suite",
    "known_targets",
    "load_suite",
    "parse_suite",
]
