"""Leaderboards to look at: files, static plots, an interactive page, the terminal, notebooks."""

from __future__ import annotations

from optbench.report.write import FORMATS, write_all

__all__ = ["FORMATS", "write_all"]
