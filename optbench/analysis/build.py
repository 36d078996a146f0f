"""Builds the leaderboard from the cells of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from optbench.analysis.boards.board_looks import boards_at_looks
from optbench.analysis.boards.board_tables import critical_difference, make_boards
from optbench.analysis.boards.board_values import BoardValues, board_values
from optbench.analysis.boards.score_scales import Scales, scales_of
from optbench.analysis.leaderboard import Leaderboard
from optbench.analysis.run_costs import UNKNOWN_PACE, Pace
from optbench.analysis.run_metrics import measure
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.views.bias_variance import bias_variance
from optbench.analysis.views.budget_curves import budget_curves
from optbench.analysis.views.initializer_matrix import initializer_matrix
from optbench.analysis.views.lr_curves import lr_curves
from optbench.analysis.views.overall_rows import overall_rows
from optbench.analysis.views.performance_profiles import performance_profiles
from optbench.analysis.views.regime_views import regime_views
from optbench.analysis.views.target_distribution import target_distribution
from optbench.analysis.views.workload_rows import workload_boards
from optbench.analysis.words.cautions import cautions
from optbench.analysis.words.verdicts import verdicts
from optbench.errors import ConfigError
from optbench.records import Cell, Criteria, Look, StudyProtocol
from optbench.suites import TARGET_LEVEL, Targets


def build_leaderboard(
    cells: Sequence[Cell],
    protocol: StudyProtocol,
    targets: Targets | None = None,
    *,
    title: str = "",
    drawn: bool = False,
    criteria: Criteria | None = None,
    looks: Sequence[Look] = (),
    data_cautions: Sequence[str] = (),
    base_rates: Mapping[str, float] | None = None,
    pace: Pace = UNKNOWN_PACE,
) -> Leaderboard:
    """Compare the entrants of `cells` with one another.

    Args:
        cells: One for each entrant, workload and replicate; cells without evaluation runs are left
            out.
        protocol: How configurations were chosen.
        targets: Frozen losses by (dataset, ``Workload.network``); missing ones are derived from
            the cells, and marked as such.
        title: Free text, shown above the leaderboard.
        drawn: Whether the workloads were drawn from a declared distribution, each independently.
        criteria: The baseline and the regions of practical equivalence; by default, there is no
            baseline, and the regions are `REGIONS`.
        looks: The looks at a study that was analyzed while it grew; by default, there is one.
        data_cautions: One line for each fault of a dataset that makes its figures misleading.
        base_rates: Dataset -> accuracy of always predicting its largest class, where it is known.
        pace: How fast the machine trains further runs.

    Raises:
        ConfigError: No cell has an evaluation run, or an entrant has two cells of one replicate on
            one workload, or the baseline is not one of them.
    """
    study, criteria = _study(cells), criteria or Criteria()
    criteria.check_baseline(cell.entrant.label for cell in cells)  # evaluated or not yet
    scales = scales_of(study, targets or {})
    measured = measure(study, scales.target, scales.target_frozen)
    tables = _tables(study, scales, protocol, criteria)
    if looks:
        boards = boards_at_looks(
            cells, protocol, targets or {}, looks=looks, drawn=drawn, criteria=criteria, pace=pace
        )
    else:
        boards = make_boards(study, tables, drawn=drawn, baseline=criteria.baseline, pace=pace)
    scores = tables[0].values
    board = Leaderboard(
        title=title,
        protocol=protocol,
        ruleset=protocol.ruleset,
        target_level=TARGET_LEVEL,
        seeds=min(len(cell.evaluation) for cell in study.replicates.values()),
        replicates=study.n_replicates,
        runs=len(study.runs) + sum(t.runs for t in study.trials.values()),
        boards=boards,
        overall=overall_rows(study, measured, boards[0], scores),
        workloads=workload_boards(study, measured, scales, scores, base_rates or {}),
        profiles=performance_profiles(study, measured),
        target_distribution=target_distribution(study, scales),
        budgets=budget_curves(study, protocol.budget, scales.guess["val"], scales.best["val"]),
        lr_curves=lr_curves(study),
        regimes=regime_views(study),
        matrix=initializer_matrix(study, scores),
        critical_difference=critical_difference(boards[0]),
        bias_variance=bias_variance(study),
        verdicts=(),
        warnings=(),
    )
    return msgspec.structs.replace(
        board,
        verdicts=verdicts(board),
        warnings=(*data_cautions, *cautions(board, study, measured, scores)),
    )


def _study(cells: Sequence[Cell]) -> StudyArrays:
    study = StudyArrays(cells)
    if not study.runs:
        raise ConfigError("nothing to compare: no evaluation run has finished")
    return study


def _tables(
    study: StudyArrays,
    scales: Scales,
    protocol: StudyProtocol,
    criteria: Criteria | None,
) -> tuple[BoardValues, ...]:
    at_best = protocol.select != "val_loss"
    return board_values(study, scales, at_best=at_best, criteria=criteria)
