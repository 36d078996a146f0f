"""The numbers behind the heat map, the groups of the regimes and the map of losses."""

from __future__ import annotations

import json

import pytest

from optbench.analysis.views.bias_variance import HIGH
from optbench.analysis.views.regime_groups import regime_groups
from optbench.records import REGIMES
from optbench.report.format.loss_source_scale import relative_term, scale_limits
from optbench.report.page.chart_data import heat_data, map_data, slope_data
from tests.report import samples


def test_the_heat_map_has_the_scores_of_the_leaderboard() -> None:
    """Each cell is the score and the share of lost runs of one optimizer on one workload."""
    board, _ = samples.study(diverging=0.4)
    index = {b.label: i for i, b in enumerate(board.workloads)}
    data = heat_data(board, index)
    json.dumps(data, allow_nan=False)
    assert sorted(data["workloads"]) == sorted(index.values())
    assert list(data["labels"]) == [row.label for row in board.overall]
    for j, w in enumerate(data["workloads"]):
        for row in board.workloads[w].rows:
            i = data["labels"].index(row.label)
            assert data["score"][i][j] == pytest.approx(row.score.value, abs=1e-4)
            assert data["lost"][i][j] == pytest.approx(row.divergence.rate, abs=1e-4)
    means = [sum(row[j] for row in data["score"]) for j in range(len(index))]
    assert means == sorted(means, reverse=True)


def test_groups_of_regimes_are_those_of_the_boards() -> None:
    """One picture for each board with verdicts in two regimes; none without."""
    board, _ = samples.with_boards(samples.study(), regimes=REGIMES)
    slopes = slope_data(board)
    assert set(slopes) == {each.name for each in board.boards}
    expected = regime_groups(board.boards, "speed")
    assert expected is not None
    assert slopes["speed"] == {"regimes": expected.regimes, "groups": expected.groups}
    assert slope_data(samples.with_boards(samples.study())[0]) == {}


def test_the_map_shares_its_scale_with_the_files() -> None:
    """Terms, ticks and limits are those of the picture of loss sources."""
    board, _ = samples.study()
    index = {b.label: i for i, b in enumerate(board.workloads)}
    data = map_data(board, index)
    assert len(data["entries"]) == len(board.bias_variance) > 0
    first = board.bias_variance[0]
    found = next(
        e for e in data["entries"] if (e["label"], e["w"]) == (first.label, index[first.workload])
    )
    assert found["terms"][2][0] == pytest.approx(relative_term(first, "variance"))
    gaps = [relative_term(e, "optimization") for e in board.bias_variance]
    assert data["scale"]["limits"][0] == scale_limits(g for g in gaps if g is not None)
    for low, high in data["scale"]["limits"]:
        assert len([t for t in data["scale"]["ticks"] if low <= t <= high]) >= 2
        assert low < 0 < HIGH < high
