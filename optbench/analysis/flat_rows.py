"""A leaderboard as one flat table: the columns of ``leaderboard.csv`` and of a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optbench.analysis.board_rows import OverallRow, WorkloadBoard, WorkloadRow
from optbench.analysis.cost_axes import COST_AXES

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
    *(f"time_{axis}" for axis in COST_AXES),
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


def flat_rows(
    overall: Sequence[OverallRow], workloads: Sequence[WorkloadBoard]
) -> list[dict[str, Any]]:
    """Return one row for each optimizer over all workloads, then one for each on each workload.

    Keys are from `COLUMNS`; the rows over all workloads have no ``workload``.
    """
    optimizer_of = {row.label: row.optimizer for row in overall}
    return [_overall_row(row) for row in overall] + [
        _workload_row(optimizer_of, board, row) for board in workloads for row in board.rows
    ]


def _overall_row(row: OverallRow) -> dict[str, Any]:
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


def _workload_row(
    optimizer_of: Mapping[str, str], board: WorkloadBoard, row: WorkloadRow
) -> dict[str, Any]:
    workload = board.workload
    return {
        "workload": board.label,
        "dataset": workload.dataset,
        "network": workload.network,
        "initializer": workload.initialization,
        "regime": workload.regime,
        "batch_size": workload.batch_size,
        "epochs": workload.epochs,
        "optimizer": optimizer_of.get(row.label, ""),
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
        **{f"time_{axis}": getattr(row.time, axis) for axis in COST_AXES},
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
