"""Layer health: what it says is true, and it leaves no trace in a run."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest

import optbench
from optbench.engine.health import distinct_units, health_columns, layer_health, sharpness
from optbench.engine.training import train_spec
from optbench.network import pack, unpack
from optbench.records import CURVE_COLUMNS, EVALUATION_SEED, TUNING_SEED
from tests.engine.spec_factory import spec_of

SIZES = (3, 6, 5, 2)


def example(activation: str = "tanh") -> tuple[optbench.Network, Any, np.ndarray, np.ndarray]:
    """A small network with inputs and labels."""
    rng = np.random.default_rng(0)
    network = optbench.Network(SIZES, activation, "cross-entropy")
    params = optbench.initialize("he-normal", SIZES, seed=1)
    return network, params, rng.normal(size=(20, 3)), rng.integers(0, 2, 20)


@pytest.mark.parametrize(
    ("optimizer", "regime"),
    [
        ("adam[lr=0.01]", "mini-batch"),
        ("sgd[schedule=cosine]", "sgd"),
        ("muon", "mini-batch"),
        ("schedule-free-adamw", "mini-batch"),
        ("lbfgs", "batch"),
        ("momentum", "batch"),
    ],
)
def test_recording_health_changes_no_number_of_the_run(optimizer: str, regime: str) -> None:
    """Parameters and every ordinary column have the same bits with and without it."""
    with_health, without = (
        optbench.train(optimizer, dataset="iris", regime=regime, epochs=3, health=health)
        for health in (True, False)
    )
    assert with_health.params_hash == without.params_hash
    assert with_health.grad_evals == without.grad_evals
    assert without.curve.columns == CURVE_COLUMNS
    assert with_health.curve.columns == (*CURVE_COLUMNS, *health_columns(3))
    for column in CURVE_COLUMNS:
        if column != "seconds":
            np.testing.assert_array_equal(with_health.curve[column], without.curve[column])


FIRST_SEED = EVALUATION_SEED + 5


@pytest.mark.parametrize(
    ("health", "seed", "recorded"),
    [
        ("first", FIRST_SEED, True),
        ("first", FIRST_SEED + 1, False),
        ("first", 0, False),
        ("all", 1, True),
        ("none", 0, False),
        ("all", TUNING_SEED, False),
        ("first", TUNING_SEED, False),
    ],
)
def test_a_study_records_health_where_it_was_asked_to(
    health: Literal["none", "first", "all"], seed: int, recorded: bool
) -> None:
    """By default the first run on each workload, whose seed the plan names; tuning runs never."""
    spec = spec_of("sgd", dataset="iris", epochs=1, seed=seed)
    result = train_spec(spec, health=health, first_seeds=(FIRST_SEED, TUNING_SEED))
    assert ("layer1.dead" in result.curve) is recorded


def test_moments_and_gradients_are_those_of_the_network() -> None:
    """Mean, variance and gradient RMS agree with NumPy on the network's own numbers."""
    network, params, x, y = example()
    found = layer_health(network, params, x, y)
    activations = network.forward(params, x)[1]
    grads = network.loss_and_grad(params, x, y)[1]
    for layer in (1, 2, 3):
        assert found[f"layer{layer}.mean"] == pytest.approx(activations[layer].mean())
        assert found[f"layer{layer}.variance"] == pytest.approx(activations[layer].var())
        rms = math.sqrt((grads[layer - 1][0] ** 2).mean())
        assert found[f"layer{layer}.grad_rms"] == pytest.approx(rms)


def test_the_noise_scale_is_that_of_gradients_taken_one_by_one() -> None:
    """Trace of their covariance over the squared mean gradient, both unbiased."""
    network, params, x, y = example("relu")
    each = np.array(
        [
            pack(network.loss_and_grad(params, x[i : i + 1], y[i : i + 1])[1], "float64")
            for i in range(len(x))
        ]
    )
    trace = each.var(axis=0, ddof=1).sum()
    signal = (each.mean(axis=0) ** 2).sum() - trace / len(x)
    expected = trace / signal if signal > 0 else math.inf
    assert layer_health(network, params, x, y)["noise_scale"] == pytest.approx(expected)


def test_dead_units_are_counted() -> None:
    """A ReLU unit that is off on every example is dead; one that is off on some is not."""
    network, params, x, y = example("relu")
    healthy = layer_health(network, params, x, y)
    params[0][1][:2] = -100.0
    found = layer_health(network, params, x, y)
    assert healthy["layer1.dead"] == 0
    assert found["layer1.dead"] == pytest.approx(2 / 6)
    assert found["layer1.saturated"] > healthy["layer1.saturated"] > 0


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_saturation_is_seen_where_weights_are_large(activation: str) -> None:
    """Large weights flatten a bounded activation."""
    network, params, x, y = example(activation)
    small = layer_health(network, [(0.1 * w, b) for w, b in params], x, y)
    large = layer_health(network, [(100 * w, b) for w, b in params], x, y)
    assert small["layer1.saturated"] == 0
    assert large["layer1.saturated"] > 0.9


def test_units_that_compute_the_same_are_counted_once() -> None:
    """Symmetry is seen, and that a bias or a weight breaks it."""
    weight, bias = np.ones((4, 6)), np.zeros(6)
    assert distinct_units(weight, bias) == 1
    bias[0] = 0.1
    weight[2, 3] = 1.5
    assert distinct_units(weight, bias) == 3
    assert distinct_units(optbench.initialize("he-normal", (64, 128))[0][0], np.zeros(128)) == 128


def test_the_update_ratio_is_the_length_of_the_last_step_over_the_weights() -> None:
    """After one full-batch step of SGD it is lr |grad| / |W|."""
    result = optbench.train(
        "sgd[lr=0.1]", dataset="iris", hidden=(5,), regime="batch", epochs=1, dtype="float64"
    )
    data = optbench.load_dataset("iris")
    network = optbench.Network((4, 5, 3), "relu", "cross-entropy")
    params = optbench.initialize("he-normal", (4, 5, 3), seed=0)
    grads = network.loss_and_grad(params, data.x_train, data.y_train)[1]
    for layer in (0, 1):
        expected = 0.1 * np.linalg.norm(grads[layer][0]) / np.linalg.norm(params[layer][0])
        assert result.final(f"layer{layer + 1}.update_ratio") == pytest.approx(expected)


def test_sharpness_is_the_largest_eigenvalue_of_the_hessian() -> None:
    """It agrees with the dense Hessian, built column by column."""
    network, params, x, y = example()
    at = pack(params, "float64")

    def gradient(theta: np.ndarray) -> np.ndarray:
        return pack(network.loss_and_grad(unpack(theta, SIZES), x, y)[1], "float64")

    h = 1e-5
    hessian = np.array(
        [(gradient(at + e) - gradient(at - e)) / (2 * h) for e in np.eye(at.size) * h]
    )
    expected = np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1]
    assert sharpness(network, params, x, y, tolerance=1e-6) == pytest.approx(expected, rel=1e-4)


def test_a_diverged_network_has_no_sharpness() -> None:
    """Numbers that are not finite give NaN, not an error."""
    network, params, x, y = example()
    params[0][0][0, 0] = math.nan
    assert math.isnan(sharpness(network, params, x, y))
