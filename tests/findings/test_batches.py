"""Batches are parts of one sum: relations between batch, mini-batch and SGD."""

from __future__ import annotations

import msgspec
import numpy as np

import optbench
from optbench.engine.problem import build_problem
from optbench.engine.training import train_problem
from optbench.records.spec import Regime
from optbench.registry import default_registry

SIZES = (4, 16, 3)


def parts_of(result: optbench.RunResult) -> np.ndarray:
    """Return all trained parameters in one array."""
    assert result.params is not None
    return np.concatenate([part.ravel() for pair in result.params for part in pair])


def called(result: optbench.RunResult, regime: Regime, size: int) -> optbench.RunResult:
    """Train a run under the name of another regime, which `optbench.train` would not use."""
    spec = msgspec.structs.replace(result.spec, regime=regime, batch_size=size)
    return train_problem(build_problem(spec, default_registry()))


def test_shuffling_a_full_batch_changes_nothing() -> None:
    """The loss is a mean over examples: their order changes only the last digits.

    Source: Bottou, Curtis & Nocedal 2018, Optimization Methods for Large-Scale Machine Learning,
    section 3.1.
    """
    data = optbench.load_dataset("iris")
    network = optbench.Network(SIZES, "tanh", "cross-entropy")
    params = optbench.initialize("xavier-normal", SIZES)
    order = np.random.default_rng(0).permutation(len(data.x_train))
    loss, grads = network.loss_and_grad(params, data.x_train, data.y_train)
    shuffled, again = network.loss_and_grad(params, data.x_train[order], data.y_train[order])
    assert abs(loss - shuffled) < 1e-12
    for pair, other in zip(grads, again, strict=True):
        for part, same in zip(pair, other, strict=True):
            np.testing.assert_allclose(part, same, rtol=0, atol=1e-12)


def test_a_batch_that_holds_everything_is_the_full_batch() -> None:
    """Mini-batches as large as the training set, shuffled in each epoch, train the same network.

    Source: Bottou, Curtis & Nocedal 2018, section 3.1.
    """
    n = len(optbench.load_dataset("iris").x_train)
    full = optbench.train(
        "momentum[lr=0.5]", dataset="iris", hidden=(16,), activation="tanh",
        initializer="xavier-normal", regime="batch", epochs=40, dtype="float64",
    )  # fmt: skip
    mini = called(full, "mini-batch", n)
    np.testing.assert_allclose(parts_of(mini), parts_of(full), rtol=0, atol=1e-12)


def test_a_batch_of_one_is_sgd() -> None:
    """SGD is the mini-batch of one example, bit for bit.

    Source: Robbins & Monro 1951, A Stochastic Approximation Method; the lecture's definition.
    """
    sgd = optbench.train("sgd[lr=0.01]", dataset="iris", regime="sgd", epochs=2)
    one = called(sgd, "mini-batch", 1)
    np.testing.assert_array_equal(parts_of(one), parts_of(sgd))


def test_the_mean_of_micro_batch_gradients_is_the_full_gradient() -> None:
    """Gradients of equal parts average to the gradient of the whole.

    Source: Bottou, Curtis & Nocedal 2018, section 3.1 (the mini-batch gradient is unbiased).
    """
    data = optbench.load_dataset("iris")
    x, y = data.x_train[:90], data.y_train[:90]
    network = optbench.Network(SIZES, "relu", "cross-entropy")
    params = optbench.initialize("he-normal", SIZES)
    full = network.loss_and_grad(params, x, y)[1]
    parts = [network.loss_and_grad(params, x[i : i + 9], y[i : i + 9])[1] for i in range(0, 90, 9)]
    for layer, pair in enumerate(full):
        for which, part in enumerate(pair):
            mean = np.mean([grads[layer][which] for grads in parts], axis=0)
            np.testing.assert_allclose(mean, part, rtol=0, atol=1e-12)
