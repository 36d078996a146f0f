"""Trains runs on all cores of this machine, or on a cluster, behind one small interface."""

from optbench.execution.executor import Executor, Limits
from optbench.execution.factory import make_executor
from optbench.execution.local import LocalExecutor

__all__ = ["Executor", "Limits", "LocalExecutor", "make_executor"]
