"""Keeps the results of runs in one SQLite file."""

from optbench.store.store import Store

__all__ = ["Store"]
