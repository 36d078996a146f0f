"""Each planted illness is named, and healthy runs are not accused."""

from __future__ import annotations

from typing import Any

import pytest

import optbench
from optbench.engine.health import sharpness
from optbench.inspection.diagnosis import ILLNESSES, diagnose, diagnose_workload

PLANTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "symmetric zeros": (
        "symmetric",
        "sgd[lr=0.1]",
        {"dataset": "iris", "activation": "sigmoid", "initializer": "zeros", "epochs": 50},
    ),
    "symmetric constant": ("symmetric", "adam", {"initializer": "constant"}),
    "dead by steps too long": ("dead", "adam[lr=0.3]", {}),
    "saturated tanh": (
        "saturated",
        "sgd[lr=0.05]",
        {"activation": "tanh", "initializer": "large-normal"},
    ),
    "saturated sigmoid": (
        "saturated",
        "sgd[lr=0.05]",
        {"activation": "sigmoid", "initializer": "large-normal[std=3]"},
    ),
    "diverged": ("unstable learning rate", "sgd[lr=100]", {}),
    "jumping": ("unstable learning rate", "adam[lr=0.3]", {"epochs": 80}),
    "noise of single examples": (
        "noise floor",
        "sgd[lr=0.3]",
        {"dataset": "blobs", "regime": "sgd", "hidden": (), "epochs": 30},
    ),
    "stopped early": ("undertrained", "sgd[lr=0.02]", {"epochs": 2}),
    "overfitted": (
        "high variance",
        "adam[lr=0.01]",
        {"dataset": "sparse-text-like", "hidden": (64, 64), "epochs": 40},
    ),
    "a line through circles": (
        "high bias",
        "adam[lr=0.01,schedule=cosine]",
        {"dataset": "circles", "hidden": (), "epochs": 50},
    ),
    "lines through spirals": (
        "high bias",
        "adam[lr=0.01,schedule=cosine]",
        {"dataset": "spirals", "hidden": (), "epochs": 50},
    ),
}

HEALTHY = [
    (dataset, optimizer, activation, initializer)
    for dataset in ("blobs", "digits", "iris", "moons", "wine", "diabetes", "sparse-text-like")
    for optimizer in ("adam[lr=0.003,schedule=cosine]", "momentum[lr=0.1,schedule=cosine]")
    for activation, initializer in (("relu", "he-normal"), ("tanh", "xavier-normal"))
]


def told(result: optbench.RunResult, **known: Any) -> list[str]:
    """Names of the illnesses found."""
    task = optbench.load_dataset(result.spec.dataset).task
    return [finding.illness for finding in diagnose(result, task=task, **known)]


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_illness_is_named(name: str) -> None:
    """Every kind of illness is recognised in a run that has it."""
    illness, optimizer, how = PLANTED[name]
    found = told(optbench.train(optimizer, **how))
    assert illness in found
    if illness not in ("dead", "unstable learning rate"):  # steps too long do both
        assert found == [illness]


@pytest.mark.parametrize(("dataset", "optimizer", "activation", "initializer"), HEALTHY)
def test_a_healthy_run_is_not_accused(
    dataset: str, optimizer: str, activation: str, initializer: str
) -> None:
    """Runs that train well, on seven datasets, with two optimizers and two networks."""
    result = optbench.train(
        optimizer, dataset=dataset, activation=activation, initializer=initializer, epochs=30
    )
    assert told(result) == []


def test_gradient_descent_at_the_edge_of_stability_is_recognised() -> None:
    """With sharpness near 2 / lr the edge is named; far below it, not."""
    data = optbench.load_dataset("diabetes")
    network = optbench.Network((10, 32, 32, 1), "tanh", "mse")
    result = optbench.train(
        "sgd[lr=0.1]", dataset="diabetes", activation="tanh", initializer="xavier-normal",
        regime="batch", epochs=300, dtype="float64",
    )  # fmt: skip
    assert result.params is not None
    measured = sharpness(network, result.params, data.x_train, data.y_train)
    assert "edge of stability" in told(result, sharpness=measured, stable_below=2 / 0.1)
    assert "edge of stability" not in told(result, sharpness=measured, stable_below=2 / 0.01)


def test_a_network_starved_of_gradient_is_not_told_to_grow() -> None:
    """Behind four sigmoid layers the advice is about the gradient, not about size."""
    result = optbench.train(
        "sgd[lr=0.3]", hidden=(64,) * 4, activation="sigmoid", initializer="uniform-fan-in"
    )
    (finding,) = diagnose(result)
    assert finding.illness == "high bias"
    assert "gradient of layer1" in finding.evidence
    assert "larger network" not in finding.advice


def test_a_deep_network_that_does_not_move_is_not_told_to_grow() -> None:
    """Xavier's weights halve the signal at each of 18 ReLU layers: updates are tiny from the start.

    He's weights in the same network move it, and no such advice is given.
    """
    runs = {
        name: optbench.train(
            "sgd[lr=0.03]", hidden=(64,) * 18, activation="relu", initializer=name, epochs=5
        )
        for name in ("xavier-normal", "he-normal")
    }
    (finding,) = diagnose(runs["xavier-normal"])
    assert finding.illness == "high bias"
    assert "at the start an update changed a layer's weights by" in finding.evidence
    assert finding.advice.startswith("another initializer")
    assert not any("at the start" in f.evidence for f in diagnose(runs["he-normal"]))


def test_causes_come_before_effects_and_each_says_what_to_try() -> None:
    """Findings are ordered, and none lacks evidence with a number or advice."""
    found = diagnose(optbench.train("adam[lr=0.3]", epochs=80))
    places = [ILLNESSES.index(finding.illness) for finding in found]
    assert places == sorted(places)
    assert len(found) >= 2
    for finding in found:
        assert any(letter.isdigit() for letter in finding.evidence)
        assert finding.advice
        assert str(finding).startswith(f"{finding.illness}: ")


def test_without_layer_health_the_curve_still_speaks() -> None:
    """A run whose layers were not looked at is judged by its losses."""
    result = optbench.train("sgd[lr=100]", health=False)
    assert told(result) == ["unstable learning rate"]


def test_a_reference_shows_bias_where_one_run_cannot() -> None:
    """A regression is accused of bias only next to what another model reached."""
    result = optbench.train(
        "adam[lr=0.01,schedule=cosine]", dataset="diabetes", hidden=(2,), epochs=60
    )
    assert "high bias" not in told(result)
    assert "high bias" in told(result, reference=0.2)


def test_what_most_runs_share_is_the_workloads() -> None:
    """From zeros every optimizer is symmetric: the workload is named, not the optimizers."""
    runs = [
        optbench.train(optimizer, dataset="iris", initializer="zeros", epochs=5)
        for optimizer in ("sgd", "adam", "rmsprop")
    ]
    found = diagnose_workload(runs)
    assert found.shared == {"symmetric": "3 of 3 runs"}
    assert found.verdict.startswith("symmetric (3 of 3 runs); look at network")
    assert set(found.findings) == {run.key for run in runs}


def test_few_runs_with_layer_health_are_not_called_most_runs() -> None:
    """Of four runs one has a record of its layers: the text counts that one alone."""
    runs = [
        optbench.train(
            "sgd", dataset="iris", initializer="zeros", epochs=1, seed=seed, health=seed < 1
        )
        for seed in range(4)
    ]
    found = diagnose_workload(runs)
    assert found.shared["symmetric"] == "1 of the 1 run with layer health"
    assert "symmetric (1 of the 1 run with layer health)" in found.verdict
    assert "most" not in found.verdict


def test_one_sick_run_among_healthy_ones_is_its_own() -> None:
    """A single diverged run is counted, and nothing is said of the workload."""
    runs = [
        optbench.train(optimizer, dataset="wine", epochs=30)
        for optimizer in ("adam[lr=0.01,schedule=cosine]", "momentum[lr=0.1]", "sgd[lr=1000]")
    ]
    found = diagnose_workload(runs)
    assert "unstable learning rate" not in found.shared
    assert "unstable learning rate (1)" in found.verdict


def test_a_failed_run_has_no_diagnosis() -> None:
    """An empty curve gives no finding and no error."""
    result = optbench.train("sgd", dataset="iris", epochs=1)
    failed = optbench.RunResult.failed(result.spec, "it raised")
    assert diagnose(failed) == ()
