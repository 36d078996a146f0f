"""Leaderboards for readers: files, static plots, an interactive page, terminal, notebooks."""

from __future__ import annotations

from optbench.report.format.plot_formats import FORMATS
from optbench.report.write import write_all

__all__ = ["FORMATS", "write_all"]
