"""What the adapter costs.

``pytest --benchmark-enable plugins/optbench-torch/tests/test_torch_benchmarks.py``.

Each pair is PyTorch's own step on tensors of its own, and the same step through the adapter on the
buffers of the harness, for a 64-32-32-10 network in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from optbench_torch.adapter import adapt

from tests.support.adapters import adapted_step, buffers


def alone(cls: type[torch.optim.Optimizer], **chosen: Any) -> Callable[[], Any]:
    """PyTorch's step, with nothing of optbench around it."""
    torch.set_num_threads(1)
    params = [torch.nn.Parameter(torch.from_numpy(a)) for a in buffers(0)]
    for param, grad in zip(params, buffers(1), strict=True):
        param.grad = torch.from_numpy(grad)
    return cls(params, lr=1e-3, **chosen).step  # type: ignore[call-arg]


@pytest.mark.parametrize("how", ["alone", "adapted"])
@pytest.mark.parametrize("name", ["adam", "sgd", "radam"])
def test_a_step(benchmark: Any, name: str, how: str) -> None:
    """The cost of a step, with and without the adapter."""
    cls = adapt(f"torch:{name}")
    own = how == "alone"
    step = alone(cls._wrapped, **dict(cls._recipe.extra)) if own else adapted_step(cls)
    benchmark.pedantic(step, rounds=200, iterations=5, warmup_rounds=10)
