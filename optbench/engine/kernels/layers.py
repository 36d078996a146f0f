"""Activations and losses of the network, on flat arrays."""

from __future__ import annotations

import math

from optbench.engine.kernels.elementary import vector_exp, vector_tanh
from optbench.engine.kernels.error_function import vector_erf
from optbench.engine.kernels.jit import inlined_part, part
from optbench.engine.kernels.memory import choose, fma, load, number, store
from optbench.network import ACTIVATIONS, LEAK, LOSSES

ACTIVATION_CODE = {name: code for code, name in enumerate(ACTIVATIONS)}
LOSS_CODE = {name: code for code, name in enumerate(LOSSES)}

RELU, TANH, SIGMOID = ACTIVATION_CODE["relu"], ACTIVATION_CODE["tanh"], ACTIVATION_CODE["sigmoid"]
LEAKY, GELU = ACTIVATION_CODE["leaky-relu"], ACTIVATION_CODE["gelu"]
CROSS_ENTROPY = LOSS_CODE["cross-entropy"]
BINARY, SQUARED = LOSS_CODE["binary-cross-entropy"], LOSS_CODE["mse"]

_ROOT_HALF = math.sqrt(0.5)
_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)


@part
def sigmoid(z):
    """Return 1 / (1 + exp(-z)), finite for any z."""
    e = vector_exp(-abs(z))
    one = number(1, z)
    return choose(z >= number(0, z), one, e) / (one + e)


@inlined_part
def normal_cdf(z):
    """Return the distribution function of the standard normal, in the precision of z."""
    half = number(0.5, z)
    return fma(half, vector_erf(z * number(_ROOT_HALF, z)), half)


@part
def activate(code, a, start, size, z):
    """a[start + i] <- phi(a[start + i]) for i < size; gelu keeps its argument in z."""
    zero, one = a.dtype.type(0), a.dtype.type(1)
    if code == RELU:
        for i in range(start, start + size):
            # A product instead of a choice, which LLVM would turn into a masked store, ten times
            # slower. NaN stays NaN, so divergence is seen.
            v = load(a, i)
            store(a, i, v * choose(v > zero, one, zero))
    elif code == TANH:
        for i in range(start, start + size):
            store(a, i, vector_tanh(load(a, i)))
    elif code == SIGMOID:
        for i in range(start, start + size):
            store(a, i, sigmoid(load(a, i)))
    elif code == LEAKY:
        leak = a.dtype.type(LEAK)
        for i in range(start, start + size):
            v = load(a, i)
            store(a, i, v * choose(v > zero, one, leak))
    elif code == GELU:
        for i in range(start, start + size):
            v = load(a, i)
            store(z, i, v)
            store(a, i, v * normal_cdf(v))


@part
def times_slope(code, delta, size, a, z, start):
    """delta[i] <- delta[i] phi'(z) for i < size, with a = phi(z) at a[start + i]."""
    zero, one = a.dtype.type(0), a.dtype.type(1)
    if code == RELU:
        for i in range(size):
            store(delta, i, load(delta, i) * choose(load(a, start + i) > zero, one, zero))
    elif code == TANH:
        for i in range(size):
            v = load(a, start + i)
            store(delta, i, load(delta, i) * fma(-v, v, one))
    elif code == SIGMOID:
        for i in range(size):
            v = load(a, start + i)
            store(delta, i, load(delta, i) * v * (one - v))
    elif code == LEAKY:
        leak = a.dtype.type(LEAK)
        for i in range(size):
            store(delta, i, load(delta, i) * choose(load(a, start + i) > zero, one, leak))
    elif code == GELU:
        for i in range(size):
            v = load(z, start + i)
            bell = vector_exp(-v * v * number(0.5, v)) * number(_DENSITY_AT_0, v)
            store(delta, i, load(delta, i) * fma(v, bell, normal_cdf(v)))


@part
def _softmax(delta, logits, start, m, k, share):
    """delta (m, k) <- share * softmax of each row of the logits.

    The exponentials are computed in one flat loop, which is long enough to vectorise.
    """
    for i in range(m):
        z = start + i * k
        top = load(logits, z)
        for j in range(1, k):
            top = max(top, load(logits, z + j))
        for j in range(k):
            store(delta, i * k + j, load(logits, z + j) - top)
    for i in range(m * k):
        store(delta, i, vector_exp(load(delta, i)))
    for i in range(m):
        total = load(delta, i * k)
        for j in range(1, k):
            total += load(delta, i * k + j)
        scale = share / total
        for j in range(k):
            store(delta, i * k + j, load(delta, i * k + j) * scale)


@part
def output_delta(code, delta, logits, start, m, k, data, order, first, batch):
    """delta (m, k) <- gradient of the batch's mean loss with respect to the logits.

    Example i of the chunk is row order[first + i] of data.labels (class, or 0 and 1) or
    data.targets (n, k).
    """
    share = delta.dtype.type(1.0 / (batch * k if code == SQUARED else batch))
    if code == CROSS_ENTROPY:
        _softmax(delta, logits, start, m, k, share)
        for i in range(m):
            target = i * k + data.labels[order[first + i]]
            store(delta, target, load(delta, target) - share)
    elif code == BINARY:
        for i in range(m):
            label = delta.dtype.type(data.labels[order[first + i]])
            store(delta, i, (sigmoid(load(logits, start + i)) - label) * share)
    else:
        for i in range(m):
            row = order[first + i] * k
            for j in range(k):
                error = load(logits, start + i * k + j) - load(data.targets, row + j)
                store(delta, i * k + j, (error + error) * share)
