"""Figures of published benchmarks beside ours: ``python -m tests.published.tables``.

Each row trains as the publication describes, as far as optbench has the parts, and has a
tolerance that was set beforehand. Takes about ten minutes on one core; ``--quick`` leaves out
Fashion-MNIST and repeats less.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import optbench
from optbench import Array

SEEDS = 3
EPOCHS_1D = 188
"""Passes over 3,200 signals in batches of 100: the 6,000 updates of the publication."""


@dataclass(frozen=True)
class Row:
    """A published figure.

    Attributes:
        table: Where it was published.
        what: What was measured.
        published: The figure.
        tolerance: Largest difference that counts as agreement.
        measure: Returns our figure.
        remark: What differs from the publication.
        large: Whether it needs images and minutes.
    """

    table: str
    what: str
    published: float
    tolerance: float
    measure: Callable[[int], float]
    remark: str
    large: bool = False


def accuracy(optimizer: str, seeds: int, **workload: Any) -> float:
    """Return the mean test accuracy at the best validation loss."""
    runs = [optbench.train(optimizer, seed=seed, **workload) for seed in range(seeds)]
    return statistics.mean(run.best_test_metric for run in runs)


def fashion(activation: str, seeds: int) -> float:
    """Return the accuracy with scikit-learn's settings: 100 units, Adam, batches of 200."""
    return accuracy(
        "adam[lr=0.001]", seeds, dataset="fashion-mnist", hidden=(100,), activation=activation,
        initializer="xavier-uniform", batch_size=200, epochs=30,
    )  # fmt: skip


def signals(hidden: tuple[int, ...], seeds: int) -> float:
    """Return the accuracy on MNIST-1D after 6,000 updates with Adam at 0.01, batches of 100."""
    runs = [
        optbench.train(
            "adam[lr=0.01]", dataset="mnist-1d", hidden=hidden, batch_size=100, epochs=EPOCHS_1D,
            initializer="uniform-fan-in", seed=seed,
        )
        for seed in range(seeds)
    ]  # fmt: skip
    return statistics.mean(run.test_metric for run in runs)


def quadratic(optimizer: str, seeds: int) -> float:
    """Return the test loss of DeepOBS's deep quadratic after 100 epochs of 7 batches.

    100 dimensions; 90 curvatures between 0 and 1, 10 between 30 and 60; 1,000 points with standard
    deviation 0.6 to train on and as many to test on, from the published seeds.
    """
    rng = np.random.RandomState(42)  # the generator of the publication
    curvatures = np.concatenate((rng.uniform(0, 1, 90), rng.uniform(30, 60, 10)))
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(100, 100)))[0]
    hessian = turn.T @ np.diag(curvatures) @ turn
    train, test = (np.random.RandomState(seed).normal(0.0, 0.6, (1000, 100)) for seed in (42, 43))
    losses = []
    for seed in range(seeds):
        batches = _batches(train, seed)

        def value_and_grad(x: Array, batches: Iterator[Array] = batches) -> tuple[float, Array]:
            away = x - next(batches)
            return float(0.5 * np.einsum("ni,ij,nj->n", away, hessian, away).mean()), (
                away @ hessian
            ).mean(axis=0)

        end = optbench.trajectory(optimizer, value_and_grad, np.ones(100), 700)[-1]
        away = end - test
        losses.append(float(0.5 * np.einsum("ni,ij,nj->n", away, hessian, away).mean()))
    return statistics.mean(losses)


def _batches(points: Array, seed: int) -> Iterator[Array]:
    """Yield 7 batches of 128 in each epoch; the rest of 1,000 points is dropped, as published."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(points))
        for start in range(0, 7 * 128, 128):
            yield points[order[start : start + 128]]


MANY = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "nadam", "adamw")
"""Optimizers that a user might choose among."""
DATASETS = ("digits", "mnist-1d", "spirals", "teacher", "diabetes", "rare-classes")


def tuning_against_choosing(seeds: int) -> float:
    """Return how much of the gain of tuning Adam is had by choosing among eight optimizers.

    Both have eight trials on each of six problems: Adam with eight learning rates, or eight
    optimizers at their defaults; chosen by the lowest validation loss. The gain is that over Adam
    at its default, as the mean logarithm of the test loss; 1 means equal gains.
    """
    rates = np.geomspace(3e-4, 1e-1, 8)
    gains = {"tuned": [], "chosen": []}  # type: dict[str, list[float]]
    for dataset in DATASETS:
        for seed in range(seeds):
            plain = _trial("adam", dataset, seed)
            candidates = {
                "tuned": [_trial(f"adam[lr={rate:.3g}]", dataset, seed) for rate in rates],
                "chosen": [_trial(name, dataset, seed) for name in MANY],
            }
            for way, trials in candidates.items():
                best = min(trials, key=lambda run: float(np.nanmin(run.curve["val_loss"])))
                gains[way].append(float(np.log(plain.best_test_loss / best.best_test_loss)))
    return statistics.mean(gains["chosen"]) / statistics.mean(gains["tuned"])


def _trial(optimizer: str, dataset: str, seed: int) -> optbench.RunResult:
    return optbench.train(optimizer, dataset=dataset, seed=seed, epochs=20)


FASHION = "Xiao, Rasul and Vollgraf 2017, Fashion-MNIST"
SIGNALS = "Greydanus and Kobak 2024, MNIST-1D"
DEEPOBS = "Schneider, Balles and Hennig 2019, DeepOBS"
FEWER_IMAGES = "48,000 examples to train on instead of 60,000"
FEWER_SIGNALS = "3,200 examples to train on instead of 4,000"
ROWS = (
    Row(
        FASHION, "accuracy, 100 units, ReLU", 0.871, 0.015,
        lambda seeds: fashion("relu", seeds), FEWER_IMAGES, large=True,
    ),
    Row(
        FASHION, "accuracy, 100 units, tanh", 0.868, 0.015,
        lambda seeds: fashion("tanh", seeds), FEWER_IMAGES, large=True,
    ),
    Row(
        SIGNALS, "accuracy, logistic regression", 0.32, 0.03,
        lambda seeds: signals((), seeds), FEWER_SIGNALS,
    ),
    Row(
        SIGNALS, "accuracy, 100-100 ReLU", 0.68, 0.08,
        lambda seeds: signals((100, 100), seeds),
        f"{FEWER_SIGNALS}; their network has a residual connection",
    ),
    Row(
        DEEPOBS, "loss of the deep quadratic, SGD", 87.40, 1.5,
        lambda seeds: quadratic("sgd[lr=0.0145]", seeds), "another random rotation",
    ),
    Row(
        DEEPOBS, "loss of the deep quadratic, Adam", 87.11, 1.5,
        lambda seeds: quadratic("adam[lr=0.0398]", seeds), "another random rotation",
    ),
    Row(
        "Schmidt, Schneider and Hennig 2021", "gain of choosing over gain of tuning", 1.0, 0.5,
        tuning_against_choosing, "small problems instead of theirs",
    ),
)  # fmt: skip
"""The published figures that are reproduced."""


def main() -> None:
    """Print the rows as a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, and no large images")
    quick = parser.parse_args().quick
    print("| published in | figure | published | ours | tolerance | agrees | what differs |")
    print("|---|---|--:|--:|--:|---|---|")
    for row in ROWS:
        if quick and row.large:
            continue
        ours = row.measure(1 if quick else SEEDS)
        agrees = "yes" if abs(ours - row.published) <= row.tolerance else "no"
        numbers = f"{row.published:.4g} | {ours:.3g} | {row.tolerance:g}"
        print(f"| {row.table} | {row.what} | {numbers} | {agrees} | {row.remark} |", flush=True)


if __name__ == "__main__":
    main()
