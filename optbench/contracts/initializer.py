"""The contract of an initializer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optbench.contracts.declarations import Values
from optbench.contracts.plugin import Array, Plugin
from optbench.errors import PluginError


@dataclass(frozen=True)
class InitContext:
    """The network and, for initializers that declare ``needs = {"data"}``, a batch of its inputs.

    Attributes:
        sizes: Width of the input, of each hidden layer and of the output.
        activation: Name of the hidden activation.
        activate: The activation itself, elementwise.
        x: Inputs, shape (n, sizes[0]), float64; None unless declared.

    Example:
        >>> import numpy as np
        >>> import optbench
        >>> context = optbench.InitContext(sizes=(64, 32, 10), activation="tanh", activate=np.tanh)
        >>> context.sizes[0], context.x is None
        (64, True)
    """

    sizes: tuple[int, ...]
    activation: str
    activate: Callable[[Array], Array]
    x: Array | None = None


class Initializer(Plugin):
    """Draws the parameters W1, b1, ..., WL, bL before training. Biases start at 0.

    Override `weight` (one layer at a time), or `initialize` to see the whole network.

    Example:
        >>> from optbench import Initializer, Values
        >>> class Narrow(Initializer):
        ...     '''W ~ N(0, 0.01 / n_in).'''
        ...     name = "narrow"
        ...     def weight(self, rng, n_in, n_out, h):
        ...         return rng.normal(0, 0.1 / n_in**0.5, (n_in, n_out))
        >>> Narrow().weight(np.random.default_rng(0), 4, 3, Values({})).shape
        (4, 3)
    """

    deterministic: ClassVar[bool] = False
    """Whether every seed gives the same weights on purpose; otherwise another seed must give
    others."""

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        """Return one weight matrix, shape (n_in, n_out), float64.

        Args:
            rng: Random stream, fixed by the seed of the run and the same for every optimizer.
            n_in: Number of inputs of the layer.
            n_out: Number of its units.
            h: Hyperparameter values.
        """
        raise PluginError(f"initializer '{self.name}' defines neither `weight` nor `initialize`")

    def initialize(
        self, rng: np.random.Generator, context: InitContext, h: Values
    ) -> list[tuple[Array, Array]]:
        """Return weight (n_in, n_out) and bias (n_out,) of every layer, float64."""
        pairs = zip(context.sizes, context.sizes[1:], strict=False)
        return [(self.weight(rng, a, b, h), np.zeros(b)) for a, b in pairs]
