"""What the adapter costs.

``pytest --benchmark-enable plugins/optbench-torch/tests/test_torch_benchmarks.py``.

Each pair is PyTorch's own step on tensors of its own, and the same step through the adapter on the
buffers of the harness, for a 64-32-32-10 network in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from optbench_torch.adapter import adapt

from optbench import StepContext, Values

SIZES = (64, 32, 32, 10)


def arrays(seed: int) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = [s for a, b in pairwise(SIZES) for s in ((a, b), (b,))]
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def alone(cls: type[torch.optim.Optimizer], **chosen: Any) -> Callable[[], Any]:
    """PyTorch's step, with nothing of optbench around it."""
    torch.set_num_threads(1)
    params = [torch.nn.Parameter(torch.from_numpy(a)) for a in arrays(0)]
    for param, grad in zip(params, arrays(1), strict=True):
        param.grad = torch.from_numpy(grad)
    return cls(params, lr=1e-3, **chosen).step  # type: ignore[call-arg]


def adapted(name: str) -> Callable[[], Any]:
    """The same step through the adapter."""
    cls = adapt(name)
    stepper, params, grads = cls(), arrays(0), arrays(1)
    h = Values({key: declared.default for key, declared in cls.hypers().items()})
    context = StepContext(0, h, cls.needs, layers=((0, 1), (2, 3), (4, 5)))
    state = stepper.init(params, context)
    return lambda: stepper.step(params, grads, state, context)


@pytest.mark.parametrize("how", ["alone", "adapted"])
@pytest.mark.parametrize("name", ["adam", "sgd", "radam"])
def test_a_step(benchmark: Any, name: str, how: str) -> None:
    """The cost of a step, with and without the adapter."""
    cls = adapt(f"torch:{name}")
    step = (
        alone(cls._wrapped, **dict(cls._recipe.extra))
        if how == "alone"
        else adapted(f"torch:{name}")
    )
    benchmark.pedantic(step, rounds=200, iterations=5, warmup_rounds=10)
