"""Error rates and power of the verdicts on made-up studies, with few studies of each kind.

`python -m tests.benchmarks.verdict_simulations` measures them with many.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optbench.analysis.statistics import multiplicity
from tests.benchmarks import verdict_simulations
from tests.benchmarks.figures import Figure, share
from tests.benchmarks.verdict_simulations import TESTS

STUDIES = 40


@pytest.mark.parametrize("simulate", TESTS, ids=lambda test: test.__name__)
def test_every_figure_meets_its_goal(
    simulate: Callable[[np.random.Generator, int], list[Figure]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within three Monte Carlo errors of 40 studies."""
    monkeypatch.setattr(multiplicity, "DRAWS", 1000)
    figures = simulate(np.random.default_rng(1), STUDIES)
    assert figures
    assert [str(figure) for figure in figures if not figure.is_met] == []


def test_one_simulation_can_be_run_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its figures are those that it has among all, since each starts from one seed."""
    monkeypatch.setattr(multiplicity, "DRAWS", 200)
    verdict_simulations.main(["--studies", "8", "--draws", "200", "--only", "both_kinds"])
    figures = verdict_simulations.both_kinds(np.random.default_rng(1), 8)
    assert capsys.readouterr().out.splitlines() == [str(figure) for figure in figures]


def test_a_missed_goal_is_seen() -> None:
    """Verdicts that ignore multiplicity, at each look anew, err in far more than 5% of studies."""
    rng = np.random.default_rng(1)
    false = []
    for _ in range(STUDIES):
        values = verdict_simulations.replicate_values(rng, np.zeros(5), 9, 8, 0.02)
        contrasts, _, _ = verdict_simulations.answers(values)
        false.append(bool((contrasts.p_value <= 0.05).any()))
    assert not share("no correction", false, most=0.05).is_met
