"""Loss and metric of the network over one part of a dataset, compiled."""

from __future__ import annotations

import numpy as np

from optbench.engine.kernels.arguments import CHUNK
from optbench.engine.kernels.layers import SQUARED
from optbench.engine.kernels.losses import loss_and_score
from optbench.engine.kernels.memory import writable
from optbench.engine.kernels.propagation import forward
from optbench.engine.kernels.views import View


def evaluate(theta, net, data, spread, rows, space):
    """Return mean loss and metric over all of a part.

    The metric is the fraction of correct predictions; for squared error R squared, where `spread`
    is the mean squared distance of the targets from their mean, and NaN if that is 0. `rows` is
    0, 1, 2, ..., because the losses look up labels and targets by row.
    """
    n, k = len(data.x) // net.sizes[0], net.sizes[-1]
    loss = 0.0
    correct = 0
    for start in range(0, n, CHUNK):
        m = min(CHUNK, n - start)
        X = View(writable(data.x), start * net.sizes[0], net.sizes[0], 1)
        forward(theta, net, X, m, space)
        chunk_loss, hits = loss_and_score(net.loss, m, k, data, rows, start, space)
        loss += chunk_loss
        correct += hits
    if net.loss != SQUARED:
        return loss / n, correct / n
    loss /= n * k
    return loss, 1.0 - loss / spread if spread > 0 else np.nan
