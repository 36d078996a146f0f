"""The plots of a study, by name."""

from __future__ import annotations

import re

from optbench.errors import unknown_name
from optbench.records import REGIMES
from optbench.report.plots import drawings
from optbench.report.plots.plot import Plot
from optbench.study.study import Study

_OF_A_REGIME = re.compile(rf"(?P<kind>.+?)-({'|'.join(REGIMES)})(-\d+)?")
"""Pattern of the name of a sheet that shows one regime, with an optional page number."""


def plot_study(study: Study, kind: str) -> Plot:
    """Return one of the plots of a study's report.

    Args:
        study: The study.
        kind: Name of a sheet; without its regime or page, all sheets of the kind.

    Raises:
        ConfigError: The study has no such plot, or no evaluation run has finished.
    """
    sheets = dict(drawings(study.leaderboard, study.cells))
    names = [name for name in sheets if name == kind or _kind_of(name) == kind]
    if not names:
        known = dict.fromkeys(_kind_of(name) for name in sheets)
        raise unknown_name("plot of this study", kind, known)
    return Plot((name, sheets[name]) for name in names)


def _kind_of(name: str) -> str:
    """Return the name of a sheet without its regime and page."""
    match = _OF_A_REGIME.fullmatch(name)
    return match["kind"] if match else name
