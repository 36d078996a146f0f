"""The leaderboard as one flat table."""

from __future__ import annotations

import math

from optbench.analysis import build_leaderboard
from optbench.analysis.flat_rows import COLUMNS
from optbench.records import StudyProtocol
from tests.analysis.synthetic import make_cells


def test_the_data_frame_has_the_rows_and_columns_of_the_csv() -> None:
    """pandas gets one row for each entrant and one for each cell, with numbers as numbers."""
    cells = make_cells(("alpha", "beta"), ("iris", "moons"), diverging={"beta": 1.0})
    board = build_leaderboard(cells, StudyProtocol())
    frame = board.to_pandas()
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == 2 * (1 + len(board.workloads))
    assert frame["score"].dtype == float
    assert frame[frame.label == "beta"]["val_loss"].max() == math.inf
