"""Reports of the class "five seeds, one start": an initializer does not use its random stream.

Such an initializer passes every check that compares two draws with one seed. The spread over seeds
is then that of the batches only, and looks smaller than it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optbench import Array, Initializer, Values
from optbench.conformance import CHECKS, run_check
from tests.contract.planted import GoodInitializer, variant

CHECK = CHECKS["check_other_seeds_give_other_weights"]


class OwnStream(Initializer):
    """A stream with a seed of its own in every layer."""

    name = "own-stream"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return np.random.default_rng(0).normal(size=(n_in, n_out))


class OwnStreamInOneLayer(Initializer):
    """The stream of the run, but not in layers of two units."""

    name = "own-stream-in-one-layer"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        stream = np.random.default_rng(0) if n_out == 2 else rng
        return stream.normal(size=(n_in, n_out))


class SeededByTheShape(Initializer):
    """A stream with the width of the layer as its seed."""

    name = "seeded-by-the-shape"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return np.random.default_rng(n_in).uniform(-1, 1, (n_in, n_out))


class Sines(Initializer):
    """A fixed pattern that nobody declared."""

    name = "sines"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return np.sin(np.arange(1.0, n_in * n_out + 1)).reshape(n_in, n_out)


class ZeroOutput(Initializer):
    """Normal weights, with zeros in layers of two units or of one, which is common practice."""

    name = "zero-output"

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return rng.normal(size=(n_in, n_out)) if n_out > 2 else np.zeros((n_in, n_out))


@pytest.mark.parametrize(
    ("item", "layer"),
    [(OwnStream, "1, 2"), (OwnStreamInOneLayer, "2"), (SeededByTheShape, "1, 2"), (Sines, "1, 2")],
    ids=lambda value: getattr(value, "name", ""),
)
def test_weights_that_ignore_the_seed_are_found(item: type, layer: str) -> None:
    """The layers are named, with both ways out."""
    outcome = run_check(CHECK, item)
    assert outcome.verdict == "failed"
    assert f"the same weights in layer {layer};" in outcome.detail
    assert "rng" in outcome.detail
    assert "deterministic = True" in outcome.detail


@pytest.mark.parametrize("item", [GoodInitializer, ZeroOutput, variant(Sines, deterministic=True)])
def test_honest_initializers_pass(item: Any) -> None:
    """Random weights, random weights with a layer of zeros, and a pattern that is declared."""
    assert run_check(CHECK, item).verdict == "passed"


def test_a_declaration_that_is_wrong_is_found() -> None:
    """`deterministic = True` on random weights fails, so it cannot outlive its reason."""
    outcome = run_check(CHECK, variant(GoodInitializer, deterministic=True))
    assert outcome.verdict == "failed"
    assert "although it declares" in outcome.detail
