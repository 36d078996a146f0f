"""The network and the training loop, compiled once for every Rule."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optbench.contracts import Array
from optbench.engine.kernels.jit import jit
from optbench.engine.kernels.layers import (
    SQUARED,
    activate,
    loss_and_score,
    output_delta,
    times_slope,
)
from optbench.engine.kernels.matmul import multiply, multiply_transposed, outer_product
from optbench.engine.kernels.memory import load, store

CHUNK = 128
"""Rows that go through the network at a time: few enough to stay in the cache."""


class Net(NamedTuple):
    """The network: widths (L + 1,), where weight and bias of each layer begin in theta (L,)."""

    sizes: Array
    w_at: Array
    b_at: Array
    activation: int
    loss: int


class Data(NamedTuple):
    """Inputs (n * n_features,); labels (n,) or targets (n * n_outputs,), the other one empty."""

    x: Array
    labels: Array
    targets: Array


class Space(NamedTuple):
    """Room to work in.

    Attributes:
        acts: activations of CHUNK rows; those of layer l begin at a_at[l], the inputs at a_at[0].
        a_at: (L + 1,).
        zs: pre-activations, laid out like `acts`, where the activation needs them.
        delta, other: gradients with respect to the activations of a layer.
        spare: a transposed weight.
        one: a single 1.
    """

    acts: Array
    a_at: Array
    zs: Array
    delta: Array
    other: Array
    spare: Array
    one: Array


@jit
def forward(theta, net, x, x_start, m, space):
    """Fill `acts` with the activations of m rows, the first at x[x_start]; the last are logits."""
    acts, a_at = space.acts, space.a_at
    last = len(net.sizes) - 2
    for layer in range(last + 1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        to, w, b = a_at[layer + 1], net.w_at[layer], net.b_at[layer]
        if layer == 0:
            multiply(
                m, n_out, n_in, x, x_start, n_in, 1, theta, w, n_out, acts, to, n_out,
                theta, b, 0, True,
            )  # fmt: skip
        else:
            multiply(
                m, n_out, n_in, acts, a_at[layer], n_in, 1, theta, w, n_out, acts, to, n_out,
                theta, b, 0, True,
            )  # fmt: skip
        if layer < last:
            activate(net.activation, acts, to, m * n_out, space.zs)


@jit
def weight_gradient(n_in, n_out, m, a, ia, delta, grad, w, b, one, add):
    """Gradient of weight (at w) and bias (at b) of one layer with inputs a (m, n_in) at `ia`."""
    if m == 1 and not add:
        outer_product(n_in, n_out, a, ia, delta, grad, w)
        for j in range(n_out):
            store(grad, b + j, load(delta, j))
        return
    multiply(n_in, n_out, m, a, ia, 1, n_in, delta, 0, n_out, grad, w, n_out, grad, w, n_out, add)
    # The bias's gradient: a row of ones times delta.
    multiply(1, n_out, m, one, 0, 0, 0, delta, 0, n_out, grad, b, n_out, grad, b, n_out, add)


@jit
def backward(theta, grad, net, x, x_start, m, space, add):
    """Gradient of m rows from `delta`, the gradient at the logits; into `grad`, or onto it."""
    acts, a_at = space.acts, space.a_at
    delta, other = space.delta, space.other
    for layer in range(len(net.sizes) - 2, -1, -1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        w, b = net.w_at[layer], net.b_at[layer]
        if layer == 0:
            weight_gradient(n_in, n_out, m, x, x_start, delta, grad, w, b, space.one, add)
        else:
            weight_gradient(n_in, n_out, m, acts, a_at[layer], delta, grad, w, b, space.one, add)
        if layer > 0:
            multiply_transposed(m, n_out, n_in, delta, theta, w, other, space.spare)
            times_slope(net.activation, other, m * n_in, acts, space.zs, a_at[layer])
            delta, other = other, delta


@jit
def gradient(theta, grad, net, data, order, first, batch, gather, wanted, space):
    """Gradient of the mean loss over rows order[first : first + batch]; into `grad`.

    With `gather` these rows lie apart and are copied together; without, they follow each other.
    Returns the mean loss if it is `wanted`, else 0: most optimizers do without.
    """
    width, k = net.sizes[0], net.sizes[-1]
    acts, logits = space.acts, space.a_at[-1]
    loss = 0.0
    for start in range(0, batch, CHUNK):
        m = min(CHUNK, batch - start)
        at = first + start
        if gather and m > 1:
            source, begin = acts, space.a_at[0]
            for i in range(m):
                row = order[at + i] * width
                to = begin + i * width
                for j in range(width):
                    store(acts, to + j, load(data.x, row + j))
        else:
            source, begin = data.x, order[at] * width
        forward(theta, net, source, begin, m, space)
        if wanted:
            loss += loss_and_score(net.loss, acts, logits, m, k, data, order, at)[0]
        output_delta(net.loss, space.delta, acts, logits, m, k, data, order, at, batch)
        backward(theta, grad, net, source, begin, m, space, start > 0)
    return loss / (batch * k if net.loss == SQUARED else batch)


@jit
def clip(grad, limit):
    """Scale the gradient so that its L2 norm is at most `limit`."""
    total = 0.0
    for i in range(len(grad)):
        total += np.float64(grad[i]) * np.float64(grad[i])
    norm = np.sqrt(total)
    if norm > limit:
        scale = grad.dtype.type(limit / norm)
        for i in range(len(grad)):
            grad[i] *= scale


@jit
def advance(
    rule, start, stop, batch_size, theta, grad, slots, scalars, h, lr_at, lr, factors, limit,
    net, data, order, shuffled, space,
):  # fmt: skip
    """Make updates start .. stop - 1 (counted from 0) of a run.

    Args:
        rule: a fused Rule; all have one signature, so that this loop is compiled once.
        h: hyperparameter values; h[lr_at] becomes lr * factors[update] (lr_at < 0: no lr).
        limit: largest norm of the gradient; 0 for none.
        order: (epochs * n,), the rows as they are met. Without shuffling 0 .. n - 1, and every
            update takes them all.
    """
    n = len(data.x) // net.sizes[0]
    per_epoch = (n + batch_size - 1) // batch_size
    for update in range(start, stop):
        epoch = update // per_epoch
        begin = (update - epoch * per_epoch) * batch_size
        batch = min(batch_size, n - begin)
        first = epoch * n + begin if shuffled else begin
        gradient(theta, grad, net, data, order, first, batch, shuffled, False, space)
        if limit > 0:
            clip(grad, limit)
        if lr_at >= 0:
            h[lr_at] = lr * factors[update]
        rule(theta, grad, slots, scalars, h, update + 1)


@jit
def evaluate(theta, net, data, rows, space):
    """Mean loss and fraction of correct predictions (0 for squared error) over all of x.

    `rows` is 0, 1, 2, ...: the labels of example i are those of row rows[i].
    """
    n, k = len(data.x) // net.sizes[0], net.sizes[-1]
    logits = space.a_at[-1]
    loss = 0.0
    correct = 0
    for start in range(0, n, CHUNK):
        m = min(CHUNK, n - start)
        forward(theta, net, data.x, start * net.sizes[0], m, space)
        more, right = loss_and_score(net.loss, space.acts, logits, m, k, data, rows, start)
        loss += more
        correct += right
    return loss / (n * k if net.loss == SQUARED else n), correct / n
