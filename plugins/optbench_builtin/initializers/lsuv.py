"""Layer-sequential unit variance."""

from __future__ import annotations

import numpy as np

from optbench import Array, InitContext, Initializer, PluginError, Values


class LSUV(Initializer):
    """Orthogonal weights, scaled layer by layer until each output has variance 1 on the data.

    W <- W / std(a W) with a the activations that reach the layer.
    """

    name = "lsuv"
    source = "Mishkin & Matas 2016, All you need is a good init, algorithm 1"
    url = "https://arxiv.org/abs/1511.06422"
    variant = (
        "the variance is taken before the activation and over all units of the layer; with biases "
        "0 it is quadratic in the scale, so one division does what the paper iterates for"
    )
    needs = frozenset({"data"})

    def initialize(
        self, rng: np.random.Generator, context: InitContext, h: Values
    ) -> list[tuple[Array, Array]]:
        if context.x is None:
            raise PluginError("lsuv needs a batch of inputs, but was given none")
        a = context.x
        layers = []
        for n_in, n_out in zip(context.sizes, context.sizes[1:], strict=False):
            q, r = np.linalg.qr(rng.normal(size=(max(n_in, n_out), min(n_in, n_out))))
            q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
            weight = q if n_in >= n_out else q.T
            spread = float((a @ weight).std())
            # A layer that no signal reaches keeps its orthogonal weights.
            weight = np.ascontiguousarray(weight / (spread or 1.0))
            a = context.activate(a @ weight)
            layers.append((weight, np.zeros(n_out)))
        return layers
