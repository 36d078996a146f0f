"""Small normal weights."""

from __future__ import annotations

import numpy as np

from optbench import Array, Initializer, Values, hyper


class SmallNormal(Initializer):
    """W ~ N(0, std^2) with a small std: signals fade with depth."""

    name = "small-normal"
    source = "Krizhevsky, Sutskever & Hinton 2012, ImageNet Classification, section 5 (std 0.01)"
    url = "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks"
    variant = "std does not depend on the layer; biases 0"

    std: float = hyper(0.01, "standard deviation of the weights", low=0, log_range=(1e-3, 0.1))

    def weight(self, rng: np.random.Generator, n_in: int, n_out: int, h: Values) -> Array:
        return rng.normal(0.0, h.std, (n_in, n_out))
