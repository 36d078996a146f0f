"""Builds the whole leaderboard from the cells of a study."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from optbench.analysis.cost_axes import COST_AXES
from optbench.analysis.derived_targets import targets_of
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.run_metrics import measure
from optbench.analysis.statistics import pair_comparisons, ranking, scoring
from optbench.analysis.study_arrays import Table
from optbench.analysis.views.bias_variance import bias_variance
from optbench.analysis.views.budgets import budget_curves, initializer_matrix, lr_curves
from optbench.analysis.views.overall import overall_rows
from optbench.analysis.views.profiles import performance_profile
from optbench.analysis.views.regimes import regime_views
from optbench.analysis.views.workload_rows import workload_boards
from optbench.analysis.words.cautions import cautions
from optbench.analysis.words.verdicts import verdicts
from optbench.contracts import Array
from optbench.errors import ConfigError
from optbench.records import Cell, StudyProtocol
from optbench.suites import TARGET_LEVEL, Targets


def build_leaderboard(
    cells: Sequence[Cell],
    protocol: StudyProtocol,
    targets: Targets | None = None,
    *,
    title: str = "",
) -> Leaderboard:
    """Compare the entrants of `cells` with one another.

    Args:
        cells: one for each entrant and workload; cells without evaluation runs are left out.
        protocol: how configurations were chosen.
        targets: frozen validation losses by (dataset, ``Workload.network``) and level; where one
            is missing it is derived from the cells, and marked so.
        title: free text, shown above the leaderboard.

    Raises:
        ConfigError: no cell has an evaluation run, or an entrant has two cells on one workload.
    """
    table = Table(cells)
    if not table.runs:
        raise ConfigError("nothing to compare: no evaluation run has finished")
    chosen, frozen = _targets(table, targets or {})
    measured = measure(table, chosen, frozen)
    overall = scoring.pooled_iqm(measured.score)
    pairs, better = pair_comparisons.compare_pairs(measured.score, overall, table.labels)
    order = ranking.order_of(overall).tolist()
    groups = ranking.tie_groups(better, order, table.labels)
    rows = overall_rows(table, measured, overall, better, groups)
    profiles = [
        performance_profile(a, measured.median_times[a], table.labels, table.workload_labels)
        for a in COST_AXES
    ]
    board = Leaderboard(
        title=title,
        protocol=protocol,
        ruleset=protocol.ruleset,
        target_level=TARGET_LEVEL,
        seeds=min(len(cell.evaluation) for cell in table.cells.values()),
        runs=len(table.runs) + sum(t.runs for t in table.trials.values()),
        overall=rows,
        tie_groups=groups,
        pairs=pairs,
        workloads=workload_boards(table, measured),
        profiles=tuple(profile for profile in profiles if profile is not None),
        budgets=budget_curves(table, protocol.budget),
        lr_curves=lr_curves(table),
        regimes=regime_views(table),
        matrix=initializer_matrix(table),
        critical_difference=ranking.demsar(ranking.workload_means(measured.score), table.labels),
        bias_variance=bias_variance(table),
        verdicts=(),
        warnings=(),
    )
    return msgspec.structs.replace(
        board,
        verdicts=verdicts(board, table, measured),
        warnings=cautions(board, table, measured),
    )


def _targets(table: Table, known: Targets) -> tuple[Array, tuple[bool, ...]]:
    """The target of each workload (NaN without), and whether it was frozen beforehand."""
    keys = [(w.dataset, w.network) for w in table.workloads]
    frozen = tuple(TARGET_LEVEL in known.get(key, {}) for key in keys)
    derived = {} if all(frozen) else targets_of(table)
    values = [
        known[key][TARGET_LEVEL] if fixed else derived.get(key, {}).get(TARGET_LEVEL, math.nan)
        for key, fixed in zip(keys, frozen, strict=True)
    ]
    return np.array(values, dtype=float), frozen
