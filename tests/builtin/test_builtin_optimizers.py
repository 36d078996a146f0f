"""What each built-in variant promises beyond following its oracle's path."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

import numpy as np
import pytest

import optbench
from optbench import Array
from optbench.registry import default_registry

OPTIMIZERS = sorted(
    name
    for name, entry in default_registry().entries("optimizers").items()
    if entry.item.__module__.startswith("optbench_builtin")
)

_ADAM = {
    "lr": ("log", (1e-5, 1e-1)),
    "beta1": ("one-minus-log", (0.01, 0.5)),
    "beta2": ("one-minus-log", (1e-4, 0.1)),
    "eps": ("log", (1e-10, 1)),
}
_MOMENTUM = {"lr": ("log", (1e-3, 10)), "mu": ("one-minus-log", (1e-3, 0.5))}
SEARCH_SPACES: dict[str, dict[str, tuple[str, tuple[float, float]]]] = {
    "sgd": {"lr": ("log", (1e-3, 10))},
    "momentum": {"lr": ("log", (1e-3, 10)), "beta": ("one-minus-log", (1e-3, 0.5))},
    "heavy-ball": _MOMENTUM,
    "nesterov": _MOMENTUM,
    "adagrad": {"lr": ("log", (1e-3, 1))},
    "rmsprop": {"lr": ("log", (1e-5, 0.1)), "rho": ("one-minus-log", (1e-3, 0.3))},
    **dict.fromkeys(("adam", "amsgrad", "adamax", "nadam", "radam", "yogi", "lamb"), _ADAM),
    "adamw": {**_ADAM, "weight_decay": ("log", (1e-5, 0.1))},
    "muon": {"lr": ("log", (1e-3, 0.1))},
    "lbfgs": {"lr": ("log", (0.01, 2)), "history": ("uniform", (5, 20))},
}


def path(optimizer: str, grads: list[Any], x0: Any, **hyper: Any) -> Array:
    """Return the path under given gradients, whatever the point; the last one is repeated."""
    given = chain(map(np.asarray, grads), repeat(np.asarray(grads[-1])))
    start = np.asarray(x0, dtype=np.float64)
    return optbench.trajectory(optimizer, lambda x: (0.0, next(given)), start, len(grads), **hyper)


@pytest.mark.parametrize("optimizer", SEARCH_SPACES)
def test_search_space(optimizer: str) -> None:
    """Declared hyperparameters and ranges are those of the protocol."""
    hypers = default_registry().optimizer(optimizer).hypers()
    searched = {k: (v.prior, v.search) for k, v in hypers.items() if v.search}
    assert searched == SEARCH_SPACES[optimizer]


@pytest.mark.parametrize("optimizer", ["heavy-ball", "nesterov", "lars"])
def test_sums_search_the_step_they_build_up_to(optimizer: str) -> None:
    """If momentum is a sum, tuning searches lr / (1 - mu)."""
    assert default_registry().optimizer(optimizer).hypers()["lr"].scaled_by == "mu"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("shape", [(4,), (4, 3)], ids=str)
def test_infinite_gradients_are_not_an_error(optimizer: str, shape: tuple[int, ...]) -> None:
    """Divergence reaches the loop as numbers, never as an exception."""
    grads = [np.ones(shape)] * 3 + [np.full(shape, np.nan)] * 22
    with np.errstate(all="ignore"):
        points = path(optimizer, grads, np.ones(shape))
    assert np.isfinite(points[1]).all()
    assert points.shape == (26, *shape)


def test_momentum_is_heavy_ball_with_a_shorter_step() -> None:
    """The average at lr takes the sum's path at lr (1 - beta), at a constant rate."""
    grads = np.random.default_rng(0).normal(size=(20, 3))
    average = path("momentum", list(grads), np.zeros(3), lr=0.3, beta=0.8)
    total = path("heavy-ball", list(grads), np.zeros(3), lr=0.3 * 0.2, mu=0.8)
    np.testing.assert_allclose(average, total, rtol=1e-12)


def test_nesterov_is_sutskevers_at_the_lookahead_point() -> None:
    """The path is that of v <- mu v - lr grad(y + mu v), y <- y + v, seen at y + mu v."""
    scale = np.array([1.0, 10.0])
    seen = optbench.trajectory(
        "nesterov", lambda x: (0.0, scale * x), np.array([1.0, -2.0]), 30, lr=0.05, mu=0.9
    )
    y, v = np.array([1.0, -2.0]), np.zeros(2)
    for point in seen:
        np.testing.assert_allclose(y + 0.9 * v, point, rtol=1e-10, atol=1e-14)
        v = 0.9 * v - 0.05 * scale * (y + 0.9 * v)
        y = y + v


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_adams_first_step_has_length_lr(scale: float) -> None:
    """It is -lr g / (|g| + eps); without eps it does not depend on the scale of the loss."""
    step = path("adam", [[scale, -2 * scale]], [0.0, 0.0], lr=0.1, eps=0.0)[1]
    np.testing.assert_allclose(step, [-0.1, 0.1], rtol=1e-14)


def test_adam_without_debiasing() -> None:
    """With debias=false the raw averages are used, as in the counterexample to Adam."""
    step = path("adam", [[2.0]], [0.0], lr=0.1, beta1=0.9, beta2=0.99, eps=0.0, debias=False)[1]
    np.testing.assert_allclose(step, -0.1 * (0.1 * 2) / (0.01 * 4) ** 0.5, rtol=1e-14)


def test_radams_sixth_step_is_the_first_rectified() -> None:
    """With beta2 = 0.999 steps 1 to 5 are plain momentum, proportional to the gradient."""
    small = np.diff(path("radam", [[1.0]] * 7, [0.0]), axis=0)[:, 0]
    large = np.diff(path("radam", [[100.0]] * 7, [0.0]), axis=0)[:, 0]
    np.testing.assert_allclose(large[:5] / small[:5], 100, rtol=1e-10)
    np.testing.assert_allclose(large[5:] / small[5:], 1, rtol=1e-5)


@pytest.mark.parametrize("beta2", [1 / 3, 0.5, 0.6])
def test_radam_at_short_memories(beta2: float) -> None:
    """If rho_inf is 2 or 4, the rectification would divide by 0, but it is never reached."""
    assert np.isfinite(path("radam", [[1.0]] * 9, [0.0], beta2=beta2)).all()


def test_centered_rmsprop_survives_a_constant_gradient() -> None:
    """The variance of equal gradients is 0 up to rounding, below which it is clamped."""
    points = path("rmsprop", [[0.1, 1 / 3, 1e5]] * 3000, [0.0] * 3, centered=True, lr=1e-9)
    assert np.isfinite(points).all()


def test_adadelta_gathers_the_unscaled_step() -> None:
    """Twice the lr gives twice the path: d does not depend on lr."""
    grads = [[1.0], [0.5], [-2.0]]
    one, two = (path("adadelta", grads, [0.0], lr=lr) for lr in (1.0, 2.0))
    np.testing.assert_allclose(two, 2 * one, rtol=1e-13)


def test_yogi_stands_still_without_a_gradient() -> None:
    """m_0 is 0, whatever the accumulator starts from."""
    assert not path("yogi", [[0.0]] * 3, [0.0], initial_accumulator=1.0).any()


def test_lions_sign_uses_the_old_mean() -> None:
    """The sign mixes by beta1, then the mean is updated by beta2."""
    # Step 2: 0.5 m - 0.5 g with m = 0.1 after step 1, so a gradient of -0.2 turns the sign.
    points = path("lion", [[1.0], [-0.2]], [0.0], lr=1.0, beta1=0.5, beta2=0.9, weight_decay=0.0)
    assert points[:, 0].tolist() == [0.0, -1.0, 0.0]


def test_muon_makes_the_step_nearly_orthogonal() -> None:
    """The singular values of a step lie around 1, whatever those of the gradient."""
    grad = np.random.default_rng(0).normal(size=(12, 5)) * np.logspace(0, 1, 5)
    step = path("muon", [grad], np.zeros((12, 5)), lr=1.0)[1]
    sizes = np.linalg.svd(step)[1]
    assert 0.6 < sizes.min() < sizes.max() < 1.3


def test_muon_scales_with_the_shape() -> None:
    """A layer with four times as many outputs as inputs takes steps twice as long."""
    grad = np.random.default_rng(0).normal(size=(3, 12))
    wide = path("muon", [grad], np.zeros((3, 12)), lr=1.0)[1]
    tall = path("muon", [grad.T], np.zeros((12, 3)), lr=1.0)[1]
    np.testing.assert_allclose(wide, 2 * tall.T, rtol=1e-12)


def test_shampoo_renews_its_roots_on_time() -> None:
    """At each of the first `every` steps, then at every `every`-th."""
    grads = list(np.random.default_rng(0).normal(size=(9, 3, 2)))
    often, seldom = (path("shampoo", grads, np.zeros((3, 2)), every=n) for n in (1, 4))
    steps = np.abs(np.diff(often, axis=0) - np.diff(seldom, axis=0)).max(axis=(1, 2))
    assert (steps < 1e-12).tolist() == [t <= 4 or t % 4 == 0 for t in range(1, 10)]


def test_soap_takes_no_first_step() -> None:
    """The first gradient only sets the bases; a vector follows Adam, one step behind."""
    grads = list(np.random.default_rng(0).normal(size=(6, 4)))
    soap = path("soap", grads, np.zeros(4), lr=0.01, eps=0.0)
    adam = path("adam", grads[1:], np.zeros(4), lr=0.01, eps=0.0, beta1=0.95, beta2=0.95)
    np.testing.assert_allclose(soap[1:], adam, rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["schedule-free-sgd", "schedule-free-adamw"])
def test_schedule_free_is_evaluated_at_the_average(optimizer: str) -> None:
    """The gradient is taken at y, between the average x, which is reported, and z."""
    asked = []

    def bowl(x: Array) -> tuple[float, Array]:
        asked.append(x.copy())
        return 0.0, x

    reported = optbench.trajectory(optimizer, bowl, np.array([1.0, 2.0]), 5, lr=0.1)
    np.testing.assert_array_equal(asked[0], reported[0])
    np.testing.assert_array_equal(asked[1], reported[1])
    assert not np.isclose(asked[3], reported[3], rtol=1e-6).any()


def test_lbfgs_learns_the_curvature() -> None:
    """Full steps on a quadratic of condition 100 converge in a few dozen gradients."""
    scale = np.logspace(0, 2, 6)
    points = optbench.trajectory("lbfgs", lambda x: (0.0, scale * x), np.ones(6), 40)
    assert np.abs(points[-1]).max() < 1e-6


def test_lbfgs_skips_a_pair_of_negative_curvature() -> None:
    """If the gradient falls along the step, the model stays and the path goes on downhill."""
    points = path("lbfgs", [[1.0], [2.0], [3.0]], [0.0], lr=0.5)
    assert points[:, 0].tolist() == [0.0, -0.5, -1.5, -3.0]


def test_prodigy_finds_its_rate() -> None:
    """From a first guess of 1e-6 it reaches a minimum at distance 5 in a hundred steps."""
    points = optbench.trajectory("prodigy", lambda x: (0.0, x - 5), np.zeros(3), 100)
    assert np.abs(points[1]).max() < 1e-5
    assert np.abs(points[-1] - 5).max() < 1


def test_sophia_counts_and_restores() -> None:
    """The second gradient comes every `every` steps, and the point is restored to the bit."""
    asked = []

    def bowl(x: Array) -> tuple[float, Array]:
        asked.append(x.copy())
        return 0.0, np.array([2.0, 0.5]) * x

    points = optbench.trajectory("sophia", bowl, np.array([1.0, 3.0]), 8, every=4, lr=0.1)
    assert len(asked) == 8 + 2
    np.testing.assert_array_equal(asked[0], points[0])
    assert set(np.abs(asked[1] - points[0]).round(12)) == {1e-3 * (1 + 3)}
    np.testing.assert_array_equal(asked[2], points[1])


def test_sophia_measures_the_curvature() -> None:
    """On a separable quadratic the estimate is the diagonal, so that steps become Newton's."""
    scale = np.array([100.0, 1.0])
    newton = {"beta1": 0.0, "beta2": 0.0, "gamma": 1.0, "every": 1, "lr": 1.0, "eps": 0.01}
    points = optbench.trajectory(
        "sophia", lambda x: (0.0, scale * x), np.array([3.5, -0.5]), 6, **newton
    )
    assert np.abs(points[-1]).max() < 1e-9


@pytest.mark.parametrize("optimizer", ["lars", "lamb"])
def test_layerwise_steps_are_in_proportion_to_the_weights(optimizer: str) -> None:
    """The first step does not depend on the size of the gradient, and scales with the weights."""
    grad = np.random.default_rng(0).normal(size=(4, 3))
    one = path(optimizer, [grad], np.ones((4, 3)), lr=0.1)
    two = path(optimizer, [1000 * grad], 2 * np.ones((4, 3)), lr=0.1)
    np.testing.assert_allclose(two[1] - two[0], 2 * (one[1] - one[0]), rtol=1e-4)


@pytest.mark.parametrize("optimizer", ["lars", "lamb"])
def test_layerwise_steps_leave_zero(optimizer: str) -> None:
    """Weights that are all 0 take the step without scaling, or biases could never move."""
    assert path(optimizer, [[1.0, -1.0]], [0.0, 0.0])[1].all()
