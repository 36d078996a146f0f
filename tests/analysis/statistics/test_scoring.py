"""Scores: small cases by hand, and known behaviour."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optbench.analysis.statistics import scoring
from optbench.contracts import Array

NAN, INF = math.nan, math.inf


def test_frozen_score_by_hand() -> None:
    """From 1 to 0.01 is the whole way; 0.1 is half of it on the log scale, 2 is none."""
    loss = np.array([[[0.1, 2.0], [0.1, 0.2]], [[0.01, INF], [NAN, 0.001]]])
    guess, best = np.array([1.0, 0.2])[:, None], np.array([0.01, 0.1])[:, None]
    scores = scoring.frozen_score(loss, guess, best)
    expected = [[[0.5, 0.0], [1.0, 0.0]], [[1.0, 0.0], [NAN, 1.2]]]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


def test_frozen_score_agrees_with_the_formula_of_the_documentation() -> None:
    """On a million losses, written in other words, to 1e-12."""
    rng = np.random.default_rng(0)
    loss, guess, best = np.exp(rng.normal(size=(3, 1_000_000)))
    known = best < 0.98 * guess
    loss, guess, best = loss[known], guess[known], best[known]
    way = np.log(np.maximum(loss / guess, 1e-3)) / np.log(np.maximum(best / guess, 1e-3))
    expected = np.minimum(np.maximum(way, 0), 1.2)
    np.testing.assert_allclose(scoring.frozen_score(loss, guess, best), expected, atol=1e-12)


def test_what_ends_no_better_than_guessing_scores_zero() -> None:
    """Whatever the loss was before training: progress counts from guessing."""
    assert scoring.frozen_score([2.31, 2.3, 2e9], 2.3, 0.1).tolist() == [0, 0, 0]


def test_losses_below_a_thousandth_of_guessing_are_all_as_good() -> None:
    """1e-9 and 1e-4 both solve a problem on which guessing loses 1, whatever the best known."""
    loss = [1e-9, 1e-4, 1e-3, math.sqrt(1e-3)]
    for best in (1e-3, 1e-12):
        np.testing.assert_allclose(scoring.frozen_score(loss, 1.0, best), [1, 1, 1, 0.5])


@pytest.mark.parametrize(("guess", "best"), [(1.0, 0.99), (1.0, 2.0), (1.0, INF), (1.0, NAN)])
def test_where_the_best_known_is_guessing_everyone_scores_zero(guess: float, best: float) -> None:
    """Noise around guessing must not be blown up to the whole scale; there is no other scale."""
    assert scoring.frozen_score([0.995, 0.5, INF], guess, best).tolist() == [0, 0, 0]
    assert math.isnan(float(scoring.frozen_score(NAN, guess, best)))


@given(
    hnp.arrays(float, (3, 2, 4), elements=st.floats(0, INF, allow_nan=False)),
    hnp.arrays(float, (2, 1), elements=st.floats(0.1, 50)),
    hnp.arrays(float, (2, 1), elements=st.floats(1e-6, 50)),
)
def test_frozen_scores_are_bounded_and_follow_the_loss(
    loss: Array, guess: Array, best: Array
) -> None:
    """Scores lie in [0, 1.2], a lower loss never scores lower, and no other run moves a score."""
    scores = scoring.frozen_score(loss, guess, best)
    assert ((scores >= 0) & (scores <= scoring.HIGHEST_SCORE)).all()
    for w in range(2):
        order = np.argsort(loss[:, w].ravel(), kind="stable")
        assert (np.diff(scores[:, w].ravel()[order]) <= 0).all()
    assert (scoring.frozen_score(loss[:1, :, :2], guess, best) == scores[:1, :, :2]).all()
