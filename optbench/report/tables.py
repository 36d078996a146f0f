"""The leaderboard as CSV: one row for each optimizer and workload, and one for the whole."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Mapping
from typing import Any

from optbench.analysis.leaderboard import AXES, Leaderboard, OverallRow, WorkloadBoard, WorkloadRow
from optbench.support.text import spreadsheet_cell

COLUMNS = (
    "workload",
    "dataset",
    "network",
    "initializer",
    "regime",
    "batch_size",
    "epochs",
    "optimizer",
    "label",
    "configuration",
    "place_first",
    "place_last",
    "tie_groups",
    "score",
    "score_low",
    "score_high",
    "train_loss",
    "val_loss",
    "test_loss",
    "test_loss_q25",
    "test_loss_q75",
    "test_metric",
    "seed_spread",
    *(f"time_{axis}" for axis in AXES),
    "reached_target",
    "runs",
    "diverged",
    "failed",
    "divergence_low",
    "divergence_high",
    "lr_width",
    "lr_sensitivity",
    "spikes",
    "edges",
)


def leaderboard_csv(board: Leaderboard) -> str:
    """Text of ``leaderboard.csv``; the rows of the whole have an empty ``workload``.

    Infinity is ``inf``, what is not known is empty. A cell that a spreadsheet would take for a
    formula begins with an apostrophe. The interval of divergence is that of the rate of all lost
    runs, diverged or failed.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    clean = functools.cache(spreadsheet_cell)  # the same names stand in row after row
    rows = (map(row.get, COLUMNS) for row in leaderboard_rows(board))
    writer.writerows([clean(v) if isinstance(v, str) else v for v in row] for row in rows)
    return out.getvalue()


def leaderboard_rows(board: Leaderboard) -> list[dict[str, Any]]:
    """The rows of the CSV as plain values, those of the whole first."""
    whole = [_overall(row) for row in board.overall]
    names = {row.label: row.optimizer for row in board.overall}
    return whole + [_workload(names, place, row) for place in board.workloads for row in place.rows]


def leaderboard_frame(board: Leaderboard) -> Any:
    """The same rows as a pandas DataFrame (pandas must be installed)."""
    import pandas as pd

    return pd.DataFrame(leaderboard_rows(board), columns=list(COLUMNS))


def _overall(row: OverallRow) -> dict[str, Any]:
    return {
        "optimizer": row.optimizer,
        "label": row.label,
        "place_first": row.place[0],
        "place_last": row.place[1],
        "tie_groups": row.tie_groups,
        "score": row.score.value,
        "score_low": row.score.low,
        "score_high": row.score.high,
        "runs": row.divergence.total,
        "diverged": row.divergence.count - row.failed,
        "failed": row.failed,
        "divergence_low": row.divergence.low,
        "divergence_high": row.divergence.high,
        "edges": " ".join(f"{e.workload}: {e.hyper} {e.side};" for e in row.edges),
    }


def _workload(names: Mapping[str, str], place: WorkloadBoard, row: WorkloadRow) -> dict[str, Any]:
    workload = place.workload
    return {
        "workload": place.label,
        "dataset": workload.dataset,
        "network": workload.network,
        "initializer": workload.initialization,
        "regime": workload.regime,
        "batch_size": workload.batch_size,
        "epochs": workload.epochs,
        "optimizer": names.get(row.label, ""),
        "label": row.label,
        "configuration": row.configuration,
        "score": row.score.value,
        "score_low": row.score.low,
        "score_high": row.score.high,
        "train_loss": row.train_loss.median,
        "val_loss": row.val_loss.median,
        "test_loss": row.test_loss.median,
        "test_loss_q25": row.test_loss.q25,
        "test_loss_q75": row.test_loss.q75,
        "test_metric": row.test_metric.median,
        "seed_spread": row.seed_spread,
        **{f"time_{axis}": getattr(row.time, axis) for axis in AXES},
        "reached_target": row.reached,
        "runs": row.divergence.total,
        "diverged": row.divergence.count - row.failed,
        "failed": row.failed,
        "divergence_low": row.divergence.low,
        "divergence_high": row.divergence.high,
        "lr_width": row.lr_width,
        "lr_sensitivity": row.lr_sensitivity,
        "spikes": row.spikes,
        "edges": " ".join(f"{e.hyper} {e.side};" for e in row.edges),
    }
