"""Zeros as initial weights: the units of a layer stay the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

import optbench

OPTIMIZERS = ["sgd[lr=0.5]", "adam[lr=0.05]"]


def trained_from_zeros(optimizer: str, activation: str) -> optbench.RunResult:
    """Train two hidden layers of 8 on iris, in full batch and double precision."""
    return optbench.train(
        optimizer,
        dataset="iris",
        hidden=(8, 8),
        activation=activation,
        initializer="zeros",
        regime="batch",
        epochs=200,
        dtype="float64",
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_from_zeros_only_the_output_bias_moves(optimizer: str, activation: str) -> None:
    """The network learns only how frequent the classes are.

    Source: Rumelhart, Hinton & Williams 1986, Learning internal representations by error
    propagation, p. 330 (symmetry breaking); the loss is the entropy of the class prior.
    """
    result = trained_from_zeros(optimizer, activation)
    assert result.params is not None
    *hidden, (weight, bias) = result.params
    assert all(not part.any() for pair in hidden for part in pair)
    assert not weight.any()
    labels = optbench.load_dataset("iris").y_train
    prior = np.bincount(labels) / len(labels)
    entropy = -float((prior * np.log(prior)).sum())
    assert result.curve["train_loss"][0] == pytest.approx(math.log(3), rel=1e-12)
    assert result.curve["train_loss"][-1] == pytest.approx(entropy, abs=1e-6)
    np.testing.assert_allclose(np.exp(bias) / np.exp(bias).sum(), prior, atol=1e-3)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_sigmoid_units_that_start_alike_stay_alike(optimizer: str) -> None:
    """They move, but all units of a layer move together, even with batches of eight.

    Source: Rumelhart, Hinton & Williams 1986, p. 330.
    """
    result = optbench.train(
        optimizer,
        dataset="iris",
        hidden=(8, 8),
        activation="sigmoid",
        initializer="zeros",
        batch_size=8,
        epochs=200,
        dtype="float64",
    )
    assert result.params is not None
    for weight, _ in result.params[:-1]:
        np.testing.assert_allclose(weight, np.repeat(weight[:, :1], 8, axis=1), atol=1e-12)
    assert np.abs(result.params[0][0]).max() > 1e-3


def test_random_weights_break_the_symmetry() -> None:
    """The same network from random weights learns the task.

    Source: Rumelhart, Hinton & Williams 1986, p. 331.
    """
    result = optbench.train(
        "adam[lr=0.05]", dataset="iris", hidden=(8, 8), activation="tanh",
        initializer="xavier-normal", regime="batch", epochs=200, dtype="float64",
    )  # fmt: skip
    assert result.curve["train_loss"][-1] < 0.1
