"""Every registered landscape keeps its promises."""

from __future__ import annotations

import numpy as np
import pytest

import optbench
from optbench import Landscape, PluginError, Values
from optbench.registry import Registry, default_registry

LANDSCAPES = [entry.item for entry in default_registry().entries("landscapes").values()]


def defaults(landscape: type[Landscape], **changed: float) -> Values:
    """Return the hyperparameters as declared."""
    return Values({name: h.default for name, h in landscape.hypers().items()} | changed)


def silent(landscape: type[Landscape]) -> Values:
    """Return the hyperparameters without noise."""
    return defaults(landscape, **({"noise": 0.0} if "noise" in landscape.hypers() else {}))


def test_the_five_of_the_lecture_are_there() -> None:
    """A valley, a banana, a plain, a saddle and noise."""
    names = {landscape.name for landscape in LANDSCAPES}
    assert names >= {"quadratic-valley", "rosenbrock", "beale", "saddle", "noisy-quadratic"}


@pytest.mark.parametrize("landscape", LANDSCAPES, ids=lambda item: item.name)
def test_the_gradient_is_that_of_the_function(landscape: type[Landscape]) -> None:
    """It agrees with central differences at points all over the span."""
    h, rng, made = silent(landscape), np.random.default_rng(0), landscape()
    low, high = np.array(landscape.span).T
    for point in low + (high - low) * rng.random((30, 2)):
        steps = np.eye(2) * 1e-6
        differences = [(made.value(point + s, h) - made.value(point - s, h)) / 2e-6 for s in steps]
        expected = np.array(differences)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(made.grad(point, h, rng) / scale, expected / scale, atol=1e-6)


@pytest.mark.parametrize("landscape", LANDSCAPES, ids=lambda item: item.name)
def test_nothing_in_the_span_lies_below_the_minima(landscape: type[Landscape]) -> None:
    """The minima are minima, and the start lies inside the span."""
    h, made = defaults(landscape), landscape()
    low, high = np.array(landscape.span).T
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 101).T), axis=-1)
    values = made.value(grid, h)
    assert values.shape == (101, 101)
    for minimum in landscape.minima:
        assert made.value(np.array(minimum), h) <= values.min() + 1e-12
    assert (low < landscape.start).all()
    assert (high > landscape.start).all()


class Flat(Landscape):
    """Nothing at all."""

    name = "flat"
    span = ((-1.0, 1.0), (-1.0, 1.0))
    start = (0.5, 0.5)

    def value(self, points: optbench.Array, h: Values) -> optbench.Array:
        return np.zeros(points.shape[:-1])

    def grad(self, point: optbench.Array, h: Values, rng: np.random.Generator) -> optbench.Array:
        return np.zeros(2)


class Plain:
    """A plugin with one landscape."""

    @optbench.hookimpl
    def optbench_register_landscapes(self) -> list[type[Landscape]]:
        return [Flat]


class Odd:
    """A plugin that registers something else as a landscape."""

    @optbench.hookimpl
    def optbench_register_landscapes(self) -> list[object]:
        return [Values]


def test_a_plugin_brings_landscapes() -> None:
    """The classes of the hook are found by name; anything else is refused."""
    registry = Registry()
    registry.register(Plain())
    assert registry.landscape("flat") is Flat
    with pytest.raises(PluginError, match="not Landscape classes"):
        registry.register(Odd())
