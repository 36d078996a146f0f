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
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.views.bias_variance import bias_variance
from optbench.analysis.views.budget_curves import budget_curves
from optbench.analysis.views.initializer_matrix import initializer_matrix
from optbench.analysis.views.lr_curves import lr_curves
from optbench.analysis.views.overall_rows import overall_rows
from optbench.analysis.views.performance_profiles import performance_profile
from optbench.analysis.views.regime_views import regime_views
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
    study = StudyArrays(cells)
    if not study.runs:
        raise ConfigError("nothing to compare: no evaluation run has finished")
    chosen, frozen = _targets(study, targets or {})
    measured = measure(study, chosen, frozen)
    overall = scoring.pooled_iqm(measured.score)
    pairs, better = pair_comparisons.compare_pairs(measured.score, overall, study.labels)
    order = ranking.order_of(overall).tolist()
    groups = ranking.tie_groups(better, order, study.labels)
    rows = overall_rows(study, measured, overall, better, groups)
    profiles = [
        performance_profile(a, measured.median_times[a], study.labels, study.workload_labels)
        for a in COST_AXES
    ]
    board = Leaderboard(
        title=title,
        protocol=protocol,
        ruleset=protocol.ruleset,
        target_level=TARGET_LEVEL,
        seeds=min(len(cell.evaluation) for cell in study.cells.values()),
        runs=len(study.runs) + sum(t.runs for t in study.trials.values()),
        overall=rows,
        tie_groups=groups,
        pairs=pairs,
        workloads=workload_boards(study, measured),
        profiles=tuple(profile for profile in profiles if profile is not None),
        budgets=budget_curves(study, protocol.budget),
        lr_curves=lr_curves(study),
        regimes=regime_views(study),
        matrix=initializer_matrix(study),
        critical_difference=ranking.demsar(ranking.workload_means(measured.score), study.labels),
        bias_variance=bias_variance(study),
        verdicts=(),
        warnings=(),
    )
    return msgspec.structs.replace(
        board,
        verdicts=verdicts(board, study, measured),
        warnings=cautions(board, study, measured),
    )


def _targets(study: StudyArrays, known: Targets) -> tuple[Array, tuple[bool, ...]]:
    """The target of each workload (NaN without), and whether it was frozen beforehand."""
    keys = [(w.dataset, w.network) for w in study.workloads]
    frozen = tuple(TARGET_LEVEL in known.get(key, {}) for key in keys)
    derived = {} if all(frozen) else targets_of(study)
    values = [
        known[key][TARGET_LEVEL] if fixed else derived.get(key, {}).get(TARGET_LEVEL, math.nan)
        for key, fixed in zip(keys, frozen, strict=True)
    ]
    return np.array(values, dtype=float), frozen
