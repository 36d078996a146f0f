"""Performance profiles: small cases by hand, and known behaviour."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optbench.analysis.views import performance_profiles as profiles

INF = math.inf


def test_performance_profile_by_hand() -> None:
    """Ratios a: 1, 2, inf; b: 2, 1, 1; the workload that nobody solved is left out and named."""
    times = np.array([[10.0, 20, INF, INF], [20, 10, 5, INF]])
    profile = profiles.performance_profile("updates", times, ["a", "b"], list("wxyz"))
    assert profile is not None
    assert profile.unsolved == ("z",)
    assert profile.rho["a"][0] == pytest.approx(1 / 3)
    assert profile.rho["a"][-1] == pytest.approx(2 / 3)
    assert profile.rho["b"][0] == pytest.approx(2 / 3)
    assert profile.area["a"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert profile.area["b"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert profile.order == ("b", "a")


def test_performance_profile_area_is_the_integral_of_the_curve() -> None:
    """Summing the steps of rho between 1 and 4 gives the closed form."""
    times = np.exp(np.random.default_rng(5).normal(size=(3, 8)))
    taus = np.linspace(1, 4, 300_001)
    ratios = profiles.time_ratios(times)
    for s, area in enumerate(profiles.profile_areas(times)):
        rho = (ratios[s][:, None] <= taus).mean(axis=0)
        assert np.trapezoid(rho, taus) / 3 == pytest.approx(area, abs=1e-4)


def test_performance_profile_tells_whose_presence_decides_an_order() -> None:
    """Without c, who is five times faster on the first workload, a is ahead of b."""
    times = np.array([[5.0, 4, INF], [10, 3.0, INF], [1, 12, INF]])
    profile = profiles.performance_profile("examples", times, ["a", "b", "c"], list("xyz"))
    assert profile is not None
    assert profile.order.index("b") < profile.order.index("a")
    assert ("b", "a", "c") in profile.flips


def test_no_profile_without_a_solved_workload() -> None:
    """There is no best time to compare with."""
    assert (
        profiles.performance_profile("updates", np.full((2, 2), INF), ["a", "b"], ["w", "x"])
        is None
    )


def test_a_profile_goes_on_to_its_last_step() -> None:
    """A workload solved nine times later is in the curve; the area still ends at 4."""
    times = np.array([[1.0, 1.0], [9.0, 2.0]])
    profile = profiles.performance_profile("examples", times, ["a", "b"], ["v", "w"])
    assert profile is not None
    assert profile.rho["b"][-1] == 1
    assert profile.tau[-1] > 9
    assert len(profile.tau) == len(profile.rho["b"])
    assert profile.area["b"] == pytest.approx((4 - 2) / 3 / 2)
