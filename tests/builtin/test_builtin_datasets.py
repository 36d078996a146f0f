"""Promises of the built-in datasets: sizes, splits and values never change."""

from __future__ import annotations

import numpy as np
import pytest

import optbench
from optbench.registry import default_registry

FROZEN = {
    "blobs": (1000, 10, 5, "d6ff30e637c36ed5"),
    "breast-cancer": (569, 30, 1, "39cde1466b64054d"),
    "circles": (1000, 2, 1, "be8d8b8971901e6b"),
    "diabetes": (442, 10, 1, "601d29d84b0b4301"),
    "digits": (1797, 64, 10, "6e2b65799eddc0da"),
    "iris": (150, 4, 3, "dfed986a0c2a78a8"),
    "linear-regression": (1500, 20, 1, "dd8818ccf6ea35a0"),
    "moons": (1000, 2, 1, "ba6bedd381fbf1f5"),
    "sparse-text-like": (1500, 400, 4, "f34069b596a41669"),
    "spirals": (1500, 2, 3, "19074fee15c224e1"),
    "teacher": (1500, 20, 5, "3431aa9bda699f21"),
    "teacher-regression": (1500, 10, 1, "d6a066915147c029"),
    "wine": (178, 13, 3, "a65773784cff3dd3"),
}
"""Examples, features, outputs, and the content hash after splitting and standardising."""
DOWNLOADED = {"fashion-mnist", "mnist"}
"""Fixed by the sha256 of their files; tested without a network in test_images.py."""


def test_no_builtin_dataset_is_left_out_here() -> None:
    """A new dataset is frozen too."""
    builtin = {
        n for n, e in default_registry().entries("datasets").items() if e.distribution == "optbench"
    }
    assert builtin == set(FROZEN) | DOWNLOADED


@pytest.mark.parametrize("name", sorted(FROZEN))
def test_a_dataset_is_the_same_on_every_machine(name: str) -> None:
    """The results of two studies can be compared, because they have the same numbers."""
    data = optbench.load_dataset(name)
    examples = len(data.x_train) + len(data.x_val) + len(data.x_test)
    assert (examples, data.n_features, data.n_outputs, data.content_hash[:16]) == FROZEN[name]
    assert len(data.x_train) == pytest.approx(0.6 * examples, abs=3)


@pytest.mark.parametrize("condition", [1.0, 100.0, 1e4])
def test_the_linear_problem_has_the_declared_condition_number(condition: float) -> None:
    """Within the error of the sample: the extreme eigenvalues of the covariance of the inputs."""
    name = f"linear-regression[n=20000,condition={condition}]"
    x = optbench.load_dataset(name).x_train
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T))
    assert eigenvalues[-1] / eigenvalues[0] == pytest.approx(condition, rel=0.2)
    assert eigenvalues.mean() == pytest.approx(1, rel=0.1)


def test_the_bag_of_words_is_sparse_and_stays_so() -> None:
    """A zero means that a word is absent, in every part."""
    data = optbench.load_dataset("sparse-text-like")
    for x in (data.x_train, data.x_val, data.x_test):
        assert (x == 0).mean() > 0.9
        assert np.array_equal(x, x.round())


def test_adagrad_shines_where_rare_words_decide() -> None:
    """The dataset serves its purpose: plain descent, at its best rate, is much slower.

    In float64 and over three seeds, because descent near its largest stable rate is chaotic: the
    last bit of float32 decides how it ends.
    """

    def best(optimizer: str, rates: tuple[float, ...]) -> float:
        finals = [
            [
                optbench.train(
                    optimizer, "sparse-text-like", epochs=5, seed=seed, dtype="float64",
                    hyper={"lr": lr},
                ).final("val_loss")
                for lr in rates
            ]
            for seed in range(3)
        ]  # fmt: skip
        return float(np.mean(np.nanmin(finals, axis=1)))

    assert best("adagrad", (0.01, 0.03, 0.1)) < 0.5 * best("sgd", (0.03, 0.1, 0.3, 1.0))
