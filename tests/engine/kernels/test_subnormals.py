"""Numbers too small for full precision are 0 while a run trains, and only then."""

from __future__ import annotations

from typing import Any

import numpy as np

import optbench
from optbench import Stepper
from optbench.contracts import Array, StepContext
from optbench.engine.kernels.subnormals import flushed_subnormals

TINY = {"float32": 2.0**-130, "float64": 2.0**-1030}


class Halves(Stepper):
    """An average of a gradient that is 0: it decays, as those of a dead unit do."""

    name = "halves"

    def init(self, params: list[Array], context: StepContext) -> Any:
        return [np.full_like(p, np.finfo(p.dtype).tiny * 2) for p in params]

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        for p, average in zip(params, state, strict=True):
            average[...] = average * 0.5
            p[...] = average > 0


def test_what_a_stepper_computes_is_flushed() -> None:
    """After three halvings the average is below the least normal number."""
    result = optbench.train(Halves, dataset="iris", epochs=1)
    assert result.params is not None
    assert all((part == 0).all() for pair in result.params for part in pair)


def test_operands_and_results_are_flushed_and_the_thread_is_as_before() -> None:
    """In NumPy, for both dtypes; also when the block ends with an error."""
    for dtype, value in TINY.items():
        tiny = np.full(3, value, dtype=dtype)
        least = np.full(3, np.finfo(dtype).tiny, dtype=dtype)
        try:
            with flushed_subnormals():
                sums, halves = tiny + tiny, least * least.dtype.type(0.5)
                raise KeyError
        except KeyError:
            pass
        assert not sums.any()
        assert not halves.any()
        assert (tiny + tiny > 0).all()
        assert (least * least.dtype.type(0.5) > 0).all()
