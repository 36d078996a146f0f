"""Uniform over +-1/sqrt(fan-in), PyTorch's default."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from optbench import Array, InitContext, Initializer, Values


class UniformFanIn(Initializer):
    """W and b ~ U(-a, a), a = 1 / sqrt(n_in): the default of PyTorch's Linear layer."""

    name = "uniform-fan-in"
    source = "LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, section 4.6"
    url = "https://doi.org/10.1007/3-540-49430-8_2"
    variant = "torch.nn.Linear: Var W = 1 / (3 n_in), and the biases are drawn the same way"
    expected_failures = MappingProxyType(
        {"check_biases_start_at_zero": "torch.nn.Linear draws the biases too"}
    )

    def initialize(
        self, rng: np.random.Generator, context: InitContext, h: Values
    ) -> list[tuple[Array, Array]]:
        layers = []
        for n_in, n_out in zip(context.sizes, context.sizes[1:], strict=False):
            a = 1 / np.sqrt(n_in)
            layers.append((rng.uniform(-a, a, (n_in, n_out)), rng.uniform(-a, a, n_out)))
        return layers
