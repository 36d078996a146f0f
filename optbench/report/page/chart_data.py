"""The numbers behind the heat map, the picture of the regimes and the map of losses on the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optbench.analysis.board_rows import Estimate
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.views.bias_variance import HIGH
from optbench.analysis.views.regime_groups import regime_groups
from optbench.analysis.views.score_grid import score_grid
from optbench.records import BOARD_NAMES
from optbench.report.format.loss_source_scale import (
    LINEAR_WIDTH,
    TICKS,
    relative_term,
    scale_limits,
)

TERMS = ("bias", "optimization", "variance")


def heat_data(board: Leaderboard, index: Mapping[str, int]) -> dict[str, Any]:
    """Return the scores and shares of lost runs, a row for each entrant, best first.

    Args:
        board: The leaderboard.
        index: Label of a workload -> its index in `board.workloads`.
    """
    grid = score_grid(board)
    return {
        "labels": grid.labels,
        "workloads": [index[workload.label] for workload in grid.workloads],
        "score": [[_rounded(v) for v in row] for row in grid.scores.tolist()],
        "lost": [[_rounded(v) for v in row] for row in grid.lost.tolist()],
    }


def slope_data(board: Leaderboard) -> dict[str, Any]:
    """Return board -> its groups in each regime; only boards with verdicts in two regimes."""
    slopes = {name: regime_groups(board.boards, name) for name in BOARD_NAMES}
    return {
        name: {"regimes": found.regimes, "groups": found.groups}
        for name, found in slopes.items()
        if found is not None
    }


def map_data(board: Leaderboard, index: Mapping[str, int]) -> dict[str, Any]:
    """Return the parts of the validation losses, and the scale that files and page share.

    Args:
        board: The leaderboard.
        index: Label of a workload -> its index in `board.workloads`.
    """
    entries = [
        {"label": e.label, "w": index[e.workload], "terms": terms, "verdict": e.verdict}
        for e in board.bias_variance
        if e.workload in index
        for terms in [[_shares(getattr(e, term), e.delta) for term in TERMS]]
        if e.delta > 0 and all(term and term[0] is not None for term in terms)
    ]
    every = [e for e in board.bias_variance if e.workload in index]
    limits = [
        scale_limits(v for e in every if (v := relative_term(e, term)) is not None)
        for term in TERMS[1:]
    ]
    scale = {"width": LINEAR_WIDTH, "ticks": TICKS, "high": HIGH, "limits": limits}
    return {"entries": entries, "scale": scale}


def _shares(term: Estimate, delta: float) -> list[float | None]:
    """Return a term and its interval as shares of the way from initial to reference loss."""
    values = (term.value, term.low, term.high)
    return [finite(v * HIGH / delta) if delta > 0 else None for v in values if v is not None]


def finite(value: float | None) -> float | None:
    """Return a number, or None if it is not finite."""
    return value if value is not None and math.isfinite(value) else None


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
