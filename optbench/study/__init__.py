"""Execution of studies and sweeps: planning, training, storage, and results for the analysis."""

from optbench.study.driver import Observer, Progress
from optbench.study.environment import describe_environment
from optbench.study.folders import STORE_NAME
from optbench.study.running import run_study
from optbench.study.saved import load_study, make_study
from optbench.study.study import Study

__all__ = [
    "STORE_NAME",
    "Observer",
    "Progress",
    "Study",
    "describe_environment",
    "load_study",
    "make_study",
    "run_study",
]
