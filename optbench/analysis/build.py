"""Builds the whole leaderboard from the cells of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optbench.analysis.leaderboard import Leaderboard
from optbench.records import Cell, Protocol

Targets = Mapping[tuple[str, str], Mapping[str, float]]
"""(dataset, ``Workload.network``) -> level (``"easy"``, ``"medium"``, ``"hard"``) -> loss."""


def build_leaderboard(
    cells: Sequence[Cell],
    protocol: Protocol,
    targets: Targets | None = None,
    rng_seed: int = 0,
    *,
    level: str = "medium",
    title: str = "",
) -> Leaderboard:
    """Compare the entrants of `cells` with one another.

    Args:
        cells: one for each entrant and workload; cells without evaluation runs are left out.
        protocol: how configurations were chosen.
        targets: frozen validation losses; where one is missing it is derived from the cells,
            and marked so.
        rng_seed: seed of the bootstrap; the same cells and seed give the same leaderboard.
        level: which target times are measured to.
        title: free text, shown above the leaderboard.
    """
    raise NotImplementedError
