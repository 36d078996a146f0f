"""Studies with known truth: intervals cover what they claim, and ties are seldom broken falsely.

Prints what it measured (``pytest -s``).
"""

from __future__ import annotations

import numpy as np
import pytest

from optbench.analysis.statistics import pair_comparisons, scoring
from optbench.analysis.statistics.hypothesis_tests import iqm, wilcoxon
from optbench.analysis.statistics.multiplicity import holm
from optbench.analysis.views.speedups import speedups
from optbench.contracts import Array

STUDIES = 1000
WORKLOADS, SEEDS = 9, 5


def draw_scores(rng: np.random.Generator, studies: int, workloads: int, kind: str) -> Array:
    """Scores (studies, workloads, SEEDS) of one entrant; `kind` says how they are distributed."""
    means = np.linspace(0.45, 0.97, workloads)[:, None]
    if kind == "normal":
        return means + 0.06 * rng.normal(size=(studies, workloads, SEEDS))
    scores = rng.beta(30 * means, 30 * (1 - means), size=(studies, workloads, SEEDS))
    lost = rng.random(scores.shape) < 0.05
    return np.where(lost & (kind == "diverging"), 0.0, scores)


@pytest.mark.parametrize(
    ("kind", "workloads"),
    [("bounded", WORKLOADS), ("normal", WORKLOADS), ("diverging", WORKLOADS), ("bounded", 3)],
)
def test_score_intervals_cover_the_truth_95_times_in_100(kind: str, workloads: int) -> None:
    """Over 1,000 simulated studies of the usual size: 95% +- 2."""
    rng = np.random.default_rng(12)
    truth = float(iqm(draw_scores(rng, 20_000, workloads, kind).ravel()))
    studies = draw_scores(rng, STUDIES, workloads, kind)
    intervals = scoring.score_intervals(studies)
    covered = np.mean([i is not None and i[0] <= truth <= i[1] for i in intervals])
    size = f"{workloads} workloads x {SEEDS} seeds, {kind}"
    print(f"\ncoverage of the score interval, {size}: {covered:.1%} of {STUDIES} studies")
    assert 0.93 <= covered <= 0.97


def test_improvement_intervals_cover_the_truth_95_times_in_100() -> None:
    """The probability of improvement of one entrant over another, 95% +- 2."""
    from scipy.stats import norm

    rng = np.random.default_rng(5)
    gaps = np.linspace(-0.2, 1.2, WORKLOADS)[:, None]
    truth = float(norm.cdf(gaps / np.sqrt(2)).mean())
    scores = rng.normal(size=(STUDIES, 2, WORKLOADS, SEEDS))
    scores[:, 0] += gaps
    first = np.arange(0, 2 * STUDIES, 2)
    estimates = pair_comparisons.improvements(
        scores.reshape(-1, WORKLOADS, SEEDS), first, first + 1, draws=400
    )
    covered = 0
    for estimate in estimates:
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= truth <= estimate.high
    print(f"\ncoverage of the probability of improvement: {covered / STUDIES:.1%}")
    assert 0.93 <= covered / STUDIES <= 0.97


def test_speedup_intervals_cover_the_truth_on_a_coarse_grid() -> None:
    """Times rounded up to a grid of 26% steps: never too short, whatever the seeds' spread."""
    rng = np.random.default_rng(6)
    step = np.log(1.26)
    steps = np.full((STUDIES, SEEDS), step)
    for spread in (0.003, 0.05, 0.3):
        truth = rng.uniform(0.2, 1.0, (STUDIES, 1))
        start = rng.uniform(2, 6, (STUDIES, 1))
        logs = start + spread * rng.normal(size=(2, STUDIES, SEEDS))
        logs[1] += truth
        first, second = np.exp(np.ceil(logs / step) * step)
        estimates = speedups(first, second, steps, steps)
        ratios = np.exp(truth[:, 0])
        covered = np.mean((estimates.low <= ratios) & (ratios <= estimates.high))
        print(f"\ncoverage of the speedup, seeds differ by {spread}: {covered:.1%}")
        assert covered >= 0.93


@pytest.mark.parametrize(("entrants", "workloads"), [(5, 9), (12, 30)])
def test_ties_are_broken_falsely_in_fewer_than_5_of_100_studies(
    entrants: int, workloads: int
) -> None:
    """Equal entrants, with luck of workload and of seed: any separated pair is a false one."""
    rng = np.random.default_rng(7)
    shape = (STUDIES, entrants, workloads, 1)
    luck = 0.03 * rng.normal(size=shape)
    means = (0.8 + luck + 0.05 * rng.normal(size=(*shape[:3], SEEDS))).mean(axis=-1)
    first, second = np.triu_indices(entrants, 1)
    differences = means[:, first] - means[:, second]
    p_values, _ = wilcoxon(differences.reshape(-1, workloads))
    broken = (holm(p_values.reshape(STUDIES, -1)) < 0.05).any(axis=1).mean()
    print(f"\nfalse tie-breaks, {entrants} entrants x {workloads} workloads: {broken:.1%}")
    assert broken < 0.05
