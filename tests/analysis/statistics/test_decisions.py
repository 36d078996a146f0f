"""Better, equal, open: what each needs, and what an open pair would need."""

from __future__ import annotations

import numpy as np
import pytest

from optbench.analysis.statistics.contrasts import all_pairs, pair_contrasts
from optbench.analysis.statistics.decisions import (
    MOST_REPLICATES,
    POWER,
    decide,
    decision_power,
)
from optbench.contracts import Array


def study(gap: float, spread: float, replicates: int = 6, seed: int = 0) -> Array:
    """Two entrants on nine workloads, a true gap apart, with that SD of a mean difference."""
    rng = np.random.default_rng(seed)
    y = spread * 3 * rng.normal(size=(2, 9, replicates)) / np.sqrt(2)
    y[0] += gap
    return y


def test_a_large_gap_is_better_and_has_a_sign() -> None:
    """The estimate of ``first - second`` is positive for the better first one."""
    (decision,) = decide(pair_contrasts(study(0.2, 0.02), *all_pairs(2)), 0.03, entrants=2)
    assert decision.answer == "better"
    assert decision.low > 0
    assert decision.needs is None
    (other,) = decide(pair_contrasts(study(-0.2, 0.02), *all_pairs(2)), 0.03, entrants=2)
    assert other.answer == "better"
    assert other.high < 0


def test_a_small_gap_is_equal_even_if_it_is_surely_not_zero() -> None:
    """Equal takes precedence: a difference within the region is no reason to switch."""
    (decision,) = decide(pair_contrasts(study(0.01, 0.002), *all_pairs(2)), 0.03, entrants=2)
    assert decision.p_adjusted < 0.01
    assert decision.p_equal < 0.01
    assert decision.answer == "equal"


def test_a_noisy_gap_is_open_and_needs_more_replicates() -> None:
    """The number is larger than the present one, and smaller for a larger region."""
    contrasts = pair_contrasts(study(0.0, 0.06, seed=3), *all_pairs(2))
    (decision,) = decide(contrasts, 0.03, entrants=2)
    assert decision.answer == "open"
    assert decision.needs is not None
    assert 6 < decision.needs <= MOST_REPLICATES
    (wide,) = decide(contrasts, 0.06, entrants=2)
    assert wide.answer == "equal" or (wide.needs or 0) < decision.needs


def test_one_replicate_decides_nothing() -> None:
    """All pairs are open, with no number of replicates: there is no spread to foresee it from."""
    (decision,) = decide(pair_contrasts(study(1.0, 0.01, 1), *all_pairs(2)), 0.03)
    assert decision.answer == "open"
    assert decision.needs is None
    assert (decision.p, decision.p_adjusted, decision.p_equal) == (1, 1, 1)


def test_a_smaller_error_rate_decides_less() -> None:
    """The level is that of a look of a sequential study."""
    contrasts = pair_contrasts(study(0.06, 0.04, seed=1), *all_pairs(2))
    assert decide(contrasts, 0.01, entrants=2)[0].answer == "better"
    assert decide(contrasts, 0.01, entrants=2, alpha=1e-6)[0].answer == "open"


def test_power_grows_with_replicates_to_certainty() -> None:
    """For a gap inside the region it is won by equality, for one outside by a difference."""
    later = np.array([7, 20, 100, 100_000])
    for estimate in (0.0, 0.08):
        power = decision_power(estimate, 0.03, 40, 6, later, 0.05, 0.05)
        assert (np.diff(power) > -0.01).all()
        assert power[0] < 0.999
        assert power[-1] > 0.9  # the present estimate leaves some doubt that it is the edge itself


@pytest.mark.parametrize("gap_spread", [0.02, 0.05])
def test_the_stated_replicates_decide_in_80_of_100_studies(gap_spread: float) -> None:
    """True gaps drawn at random; six replicates, and then as many as the verdict asks for."""
    rng = np.random.default_rng(5)
    outcomes: list[bool] = []
    while len(outcomes) < 300:
        y = study(float(gap_spread * rng.normal()), 0.04, 400, int(rng.integers(2**32)))
        first, second = all_pairs(2)
        (now,) = decide(pair_contrasts(y[..., :6], first, second), 0.03, entrants=2)
        if now.answer == "open" and now.needs is not None and now.needs <= y.shape[-1]:
            (then,) = decide(pair_contrasts(y[..., : now.needs], first, second), 0.03, entrants=2)
            outcomes.append(then.answer != "open")
    print(f"\ndecided with the stated replicates, SD of gaps {gap_spread}: {np.mean(outcomes):.1%}")
    assert POWER - 0.1 <= np.mean(outcomes) <= POWER + 0.1
