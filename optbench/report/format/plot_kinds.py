"""The kinds of plots of a study: names, what they show, and what they can be restricted to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from optbench.errors import unknown_name

Choice = Literal["workloads", "regime", "board", "levels"]
"""What of a study a plot can be restricted to."""

_OF_WORKLOADS: frozenset[Choice] = frozenset({"workloads", "regime"})
_OF_BOARDS: frozenset[Choice] = frozenset({"board", "regime"})


@dataclass(frozen=True)
class PlotKind:
    """A kind of plot.

    Attributes:
        name: First part of the names of its sheets.
        about: What it shows, in a few words.
        choices: What it can be restricted to.
        needs: What a study without it lacks.
    """

    name: str
    about: str
    choices: frozenset[Choice] = frozenset()
    needs: str = "evaluation runs"


_TARGET = "a target that an entrant reached in most of its runs"
_PAIRS = "two optimizers and two replicates"

KINDS: dict[str, PlotKind] = {
    kind.name: kind
    for kind in (
        PlotKind("ranking", "the boards: values, intervals, places", _OF_BOARDS),
        PlotKind("score-map", "score on each workload", _OF_WORKLOADS, "two optimizers"),
        PlotKind("pairs", "every pair: better, equal or open", _OF_BOARDS, _PAIRS),
        PlotKind(
            "regimes", "groups in each regime", frozenset({"board"}), "two regimes with verdicts"
        ),
        PlotKind("convergence", "validation loss along the runs", _OF_WORKLOADS),
        PlotKind(
            "lr-sensitivity", "trials by learning rate", _OF_WORKLOADS, "tuned learning rates"
        ),
        PlotKind("performance-profile", "workloads solved, by time / best time", needs=_TARGET),
        PlotKind("ecdf", "targets reached, by cost", _OF_WORKLOADS | {"levels"}, _TARGET),
        PlotKind("budget", "what tuning is worth", needs="tuning"),
        PlotKind("critical-difference", "optimizers that cannot be distinguished", needs=_PAIRS),
        PlotKind("optimizer-initializer", "score with each initializer", needs="two initializers"),
        PlotKind("bias-variance", "where the validation loss comes from", _OF_WORKLOADS),
    )
}
"""Name -> kind, in the order of a report."""


def find_kind(name: str) -> PlotKind:
    """Return a kind of plot by its name, or by that of one of its sheets.

    Raises:
        ConfigError: There is no such kind; the message has the nearest one.

    Example:
        >>> find_kind("convergence-sgd").name
        'convergence'
    """
    for kind in sorted(KINDS.values(), key=lambda kind: -len(kind.name)):
        if re.fullmatch(rf"{re.escape(kind.name)}(-.+)?", name):
            return kind
    raise unknown_name("kind of plot", name, KINDS)
