"""Losses and numbers of correct predictions, compiled."""

from __future__ import annotations

import math

import numpy as np

from optbench.engine.kernels.elementary import vector_exp
from optbench.engine.kernels.jit import part
from optbench.engine.kernels.layers import BINARY, CROSS_ENTROPY
from optbench.engine.kernels.memory import choose, load, store

_LARGE = 1e150
"""Product of sums of exponentials at which its logarithm is taken."""


@part
def _cross_entropy(m, k, labels, order, first, space):
    """Sum of log(sum_j exp(z_j)) - z_label over m rows, and the number of correct predictions.

    The logits are transposed first, so that every step is a loop over rows, which vectorizes. The
    sum of the logarithms is the logarithm of the product. The exponentials have a loop without
    float64, which LLVM would vectorize for numbers of that size.
    """
    acts, start = space.acts, space.a_at[-1]
    z, top, totals = space.delta, space.other, space.totals
    powers = m  # where the exponentials begin in `top`
    for j in range(k):
        for i in range(m):
            store(z, j * m + i, load(acts, start + i * k + j))
    for i in range(m):
        store(top, i, load(z, i))
        store(totals, i, 0.0)
    for j in range(1, k):
        for i in range(m):
            value, largest = load(z, j * m + i), load(top, i)
            store(top, i, choose(value > largest, value, largest))
    for j in range(k):
        for i in range(m):
            store(top, powers + i, vector_exp(load(z, j * m + i) - load(top, i)))
        for i in range(m):
            store(totals, i, load(totals, i) + np.float64(load(top, powers + i)))
    loss, product = 0.0, 1.0
    correct = 0
    for i in range(m):
        label = labels[order[first + i]]
        value, largest = load(z, label * m + i), load(top, i)
        loss += np.float64(largest) - np.float64(value)
        product *= load(totals, i)
        if product > _LARGE:
            loss += math.log(product)
            product = 1.0
        if value == largest:  # the first of several largest logits is the prediction
            earlier = 0
            for j in range(label):
                earlier += load(z, j * m + i) == largest
            correct += earlier == 0
    return loss + math.log(product), correct


@part
def _binary_cross_entropy(m, labels, order, first, space):
    """Sum of log(1 + exp(z)) - label z over m rows, and the number of correct predictions."""
    acts, start, powers = space.acts, space.a_at[-1], space.other
    for i in range(m):
        store(powers, i, vector_exp(-abs(load(acts, start + i))))
    loss, excess = 0.0, 0.0  # excess: the product of all 1 + e, minus 1, which keeps tiny e
    correct = 0
    for i in range(m):
        z, e = np.float64(load(acts, start + i)), np.float64(load(powers, i))
        label = labels[order[first + i]]
        loss += max(z, 0.0) - z * label
        excess += e + excess * e  # at most 2^128
        correct += (z > 0) == (label == 1)
    return loss + math.log1p(excess), correct


@part
def loss_and_score(code, m, k, data, order, first, space):
    """Return the summed loss (float64) and the number of correct predictions of m examples.

    Example i is row order[first + i] of the data; the logits are the last activations in `space`,
    whose gradient buffers are overwritten. For squared error the loss is summed over the outputs
    too, and the number is 0.
    """
    if code == CROSS_ENTROPY:
        return _cross_entropy(m, k, data.labels, order, first, space)
    if code == BINARY:
        return _binary_cross_entropy(m, data.labels, order, first, space)
    loss = 0.0
    acts, start = space.acts, space.a_at[-1]
    for i in range(m):
        row = order[first + i] * k
        for j in range(k):
            error = np.float64(load(acts, start + i * k + j) - load(data.targets, row + j))
            loss += error * error
    return loss, 0
