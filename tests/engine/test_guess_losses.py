"""The loss of guessing, against scikit-learn and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

import optbench
from optbench.engine.guess_losses import guess_losses
from optbench.registry import default_registry

PARTS = ("train", "val", "test")


@pytest.mark.parametrize("name", ["iris", "wine", "moons", "breast-cancer"])
def test_guessing_the_class_frequencies_is_the_log_loss_of_scikit_learn(name: str) -> None:
    """On every part the guess is the frequencies of the training part."""
    data = optbench.load_dataset(name)
    classes, counts = np.unique(data.y_train, return_counts=True)
    frequencies = counts / counts.sum()
    expected = [
        log_loss(y, np.tile(frequencies, (len(y), 1)), labels=classes)
        for y in (getattr(data, f"y_{part}") for part in PARTS)
    ]
    source = default_registry().dataset_source(name)
    for dtype in ("float32", "float64"):
        assert guess_losses(source, dtype) == pytest.approx(expected, rel=1e-12)


def test_guessing_the_mean_leaves_the_variance() -> None:
    """On the training part, which is scaled to variance 1; elsewhere its mean is the guess."""
    data = optbench.load_dataset("diabetes")
    train, val, test = guess_losses(default_registry().dataset_source("diabetes"), "float64")
    mean = data.y_train.mean(axis=0)
    assert train == pytest.approx(np.var(data.y_train), rel=1e-12)
    assert val == pytest.approx(((data.y_val - mean) ** 2).mean(), rel=1e-12)
    assert test == pytest.approx(((data.y_test - mean) ** 2).mean(), rel=1e-12)


def test_every_run_carries_the_losses_of_guessing() -> None:
    """They belong to the dataset: the optimizer and the seed do not matter."""
    expected = guess_losses(default_registry().dataset_source("iris"), "float32")
    for optimizer, seed in (("adam", 0), ("muon", 1)):
        result = optbench.train(optimizer, dataset="iris", epochs=1, seed=seed)
        measured = (result.guess_train_loss, result.guess_val_loss, result.guess_test_loss)
        assert measured == expected
