"""Training one example at a time, in blocks of parameters, gives what a whole gradient gives."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from optbench.engine.kernels.by_example import BLOCK, LOOP, WHOLE
from optbench.engine.loops.compiled import CompiledLoop
from optbench.engine.problem import Problem
from optbench.network import ACTIVATIONS
from optbench.records import StepControl
from optbench.registry import default_registry
from tests.engine.loops.test_compiled import OUTPUTS, RULES, Peculiar, assert_same, tiny_problem

UNREACHED = StepControl(clip_norm=1e30)
"""A norm that no gradient has; where there is one, the gradient is written as a whole."""
SMALL, ODD, EVEN = (6, 5, 4), (70, 33, 65, 9), (50, 64, 128)
"""Inputs and hidden layers: updated at once; rows of no multiple of LOOP; rows of a multiple."""


def trained(problem: Problem, pieces: int = 1) -> CompiledLoop:
    """The loop after the whole run, trained in so many calls."""
    loop = CompiledLoop(problem)
    for piece in range(1, pieces + 1):
        loop.advance(problem.n_train * problem.spec.epochs * piece // pieces)
    assert loop.updates == problem.total_updates
    return loop


def assert_same_bits(one: CompiledLoop, other: CompiledLoop) -> None:
    """Parameters, slots and scalars are equal to the bit."""
    size = len(one.flat)
    assert one.flat.tobytes() == other.flat.tobytes()
    assert one._slots[:, :size].tobytes() == other._slots[:, :size].tobytes()
    assert one._scalars.tobytes() == other._scalars.tobytes()


def test_the_networks_take_every_path() -> None:
    """Of the networks below, one is updated at once, the others in several blocks."""
    parameters = {
        sizes: len(tiny_problem(Peculiar, sizes=sizes).theta0) for sizes in (SMALL, ODD, EVEN)
    }
    assert parameters[SMALL] <= WHOLE < min(parameters[ODD], parameters[EVEN])
    assert all(width % LOOP for width in ODD)
    assert not any(width % LOOP for width in EVEN[1:])
    assert ODD[0] * ODD[1] > BLOCK > ODD[1]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [*RULES, "peculiar"])
def test_every_rule_has_the_bits_of_a_whole_gradient(name: str, dtype: str) -> None:
    """Blocks change no bit of parameters, slots and scalars; scalars change once in an update."""
    optimizer: Any = Peculiar if name == "peculiar" else default_registry().optimizer(name)
    for sizes in (SMALL, ODD, EVEN):
        blocks, whole = (
            trained(tiny_problem(optimizer, "tanh", "mse", "sgd", dtype, sizes=sizes, control=c))
            for c in (StepControl(), UNREACHED)
        )
        assert_same_bits(blocks, whole)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sizes", [(3,), (1, 1), SMALL, ODD, EVEN, (5, BLOCK + 37)])
def test_every_network_has_the_bits_of_a_whole_gradient(sizes: tuple[int, ...], dtype: str) -> None:
    """Activations, losses, and widths up to a row that is longer than a block."""
    optimizer = default_registry().optimizer("adam")
    for activation, loss in itertools.product(ACTIVATIONS, OUTPUTS):
        blocks, whole = (
            trained(tiny_problem(optimizer, activation, loss, "sgd", dtype, sizes=sizes, control=c))
            for c in (StepControl(), UNREACHED)
        )
        assert_same_bits(blocks, whole)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-11), ("float32", 1e-3)])
def test_blocks_are_the_reference(dtype: str, tolerance: float) -> None:
    """Every activation and loss agrees with NumPy where the parameters are updated in blocks."""
    optimizer = default_registry().optimizer("adam")
    for activation, loss, sizes in itertools.product(ACTIVATIONS, OUTPUTS, (ODD, EVEN)):
        problem = tiny_problem(optimizer, activation, loss, "sgd", dtype, sizes=sizes, epochs=1)
        assert_same(problem, tolerance)


@pytest.mark.parametrize("control", [StepControl(schedule="cosine"), StepControl(clip_norm=0.05)])
def test_schedules_and_clipping(control: StepControl) -> None:
    """The rate of each update follows the schedule; clipping sees the whole gradient."""
    optimizer = default_registry().optimizer("adam")
    for sizes in (SMALL, EVEN):
        problem = tiny_problem(optimizer, regime="sgd", sizes=sizes, control=control, epochs=1)
        assert_same(problem, 1e-11)


@pytest.mark.parametrize("sizes", [SMALL, ODD, EVEN])
def test_calls_end_anywhere(sizes: tuple[int, ...]) -> None:
    """A run that is trained in many calls has the bits of a run in one call."""
    for name in ("nadam", "sgd"):
        problem = tiny_problem(default_registry().optimizer(name), regime="sgd", sizes=sizes)
        assert_same_bits(trained(problem, 13), trained(problem))
