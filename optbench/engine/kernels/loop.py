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
from optbench.engine.kernels.views import View, transposed

CHUNK = 128
"""Number of rows that pass through the network at a time: few enough to stay in the cache."""


class Net(NamedTuple):
    """The network.

    Attributes:
        sizes: widths of the input, the hidden layers and the output, shape (L + 1,).
        w_at: index in theta where the weight of each layer begins, shape (L,).
        b_at: index in theta where the bias of each layer begins, shape (L,).
        activation: one of `ACTIVATION_CODE`.
        loss: one of `LOSS_CODE`.
    """

    sizes: Array
    w_at: Array
    b_at: Array
    activation: int
    loss: int


class Data(NamedTuple):
    """One part of a dataset, flat.

    Attributes:
        x: inputs, shape (n * n_features,).
        labels: classes, shape (n,); empty for squared error.
        targets: shape (n * n_outputs,); empty for the other losses.
    """

    x: Array
    labels: Array
    targets: Array


class Space(NamedTuple):
    """Buffers.

    Attributes:
        acts: activations of CHUNK rows, of all layers; the inputs come first.
        a_at: index in `acts` where the activations of each layer begin, shape (L + 1,).
        zs: pre-activations, laid out like `acts`, if the activation needs them.
        delta, other: gradients with respect to z of one layer and of the layer before it.
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
def forward(theta, net, X, m, space):
    """Fill `acts` with the activations of the m rows of X; the last are the logits."""
    acts, a_at = space.acts, space.a_at
    last = len(net.sizes) - 2
    for layer in range(last + 1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        W = View(theta, net.w_at[layer], n_out, 1)
        bias = View(theta, net.b_at[layer], 0, 1)
        Z = View(acts, a_at[layer + 1], n_out, 1)
        # Two calls, because X may be read-only, which is another type than that of `acts`.
        if layer == 0:
            multiply(m, n_out, n_in, X, W, Z, bias, True)
        else:
            multiply(m, n_out, n_in, View(acts, a_at[layer], n_in, 1), W, Z, bias, True)
        if layer < last:
            activate(net.activation, acts, a_at[layer + 1], m * n_out, space.zs)


@jit
def weight_gradient(n_in, n_out, m, A, delta, grad, w, b, one, add):
    """Gradient of weight (at w) and bias (at b) of one layer with inputs A (m, n_in).

    `delta` is the gradient (m, n_out) with respect to z; with `add` both are added to `grad`.
    """
    Delta = View(delta, 0, n_out, 1)
    weight = View(grad, w, n_out, 1)
    if m == 1 and not add:
        outer_product(n_in, n_out, transposed(A), Delta, weight)
        for j in range(n_out):
            store(grad, b + j, load(delta, j))
        return
    multiply(n_in, n_out, m, transposed(A), Delta, weight, weight, add)
    ones, bias = View(one, 0, 0, 0), View(grad, b, n_out, 1)
    multiply(1, n_out, m, ones, Delta, bias, bias, add)


@jit
def backward(theta, grad, net, X, m, space, add):
    """Gradient for the m rows of X, from `delta`, the gradient at the logits.

    It is written into `grad`, or added to it with `add`.
    """
    acts, a_at = space.acts, space.a_at
    delta, other = space.delta, space.other
    for layer in range(len(net.sizes) - 2, -1, -1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        w, b = net.w_at[layer], net.b_at[layer]
        if layer == 0:
            weight_gradient(n_in, n_out, m, X, delta, grad, w, b, space.one, add)
        else:
            A = View(acts, a_at[layer], n_in, 1)
            weight_gradient(n_in, n_out, m, A, delta, grad, w, b, space.one, add)
            W, Delta = View(theta, w, n_out, 1), View(delta, 0, n_out, 1)
            multiply_transposed(m, n_out, n_in, Delta, W, View(other, 0, n_in, 1), space.spare)
            times_slope(net.activation, other, m * n_in, acts, space.zs, a_at[layer])
            delta, other = other, delta


@jit
def gradient(theta, grad, net, data, order, first, batch, gather, with_loss, space):
    """Write the gradient of the mean loss over rows order[first : first + batch] into `grad`.

    With `gather` the rows are copied side by side first; without it they must be consecutive.
    Returns the mean loss with `with_loss`, otherwise 0: most optimizers do not need it.
    """
    width, k = net.sizes[0], net.sizes[-1]
    acts, logits = space.acts, space.a_at[-1]
    loss = 0.0
    for start in range(0, batch, CHUNK):
        m = min(CHUNK, batch - start)
        position = first + start
        if gather and m > 1:
            source, begin = acts, space.a_at[0]
            for i in range(m):
                row = order[position + i] * width
                copy = begin + i * width
                for j in range(width):
                    store(acts, copy + j, load(data.x, row + j))
        else:
            source, begin = data.x, order[position] * width
        X = View(source, begin, width, 1)
        forward(theta, net, X, m, space)
        if with_loss:
            loss += loss_and_score(net.loss, acts, logits, m, k, data, order, position)[0]
        output_delta(net.loss, space.delta, acts, logits, m, k, data, order, position, batch)
        backward(theta, grad, net, X, m, space, start > 0)
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
        rule: a fused Rule; all Rules have the same signature, so this loop compiles once.
        start: number of updates made before.
        stop: number of updates made afterwards.
        batch_size: examples per update.
        theta: parameters, changed in place.
        grad: buffer for the gradient.
        slots: state arrays of the Rule, shape (n_slots, len(theta)).
        scalars: scalar states of the Rule, float64.
        h: hyperparameter values, float64; h[lr_at] is set to lr * factors[update].
        lr_at: index of the learning rate in `h`; negative for a Rule without one.
        lr: learning rate before the schedule.
        factors: factor of the schedule for each update.
        limit: largest norm of the gradient; 0 for no limit.
        net: the network.
        data: the training part.
        order: rows in the order of training, shape (epochs * n,); if not `shuffled`, 0 .. n - 1.
        shuffled: whether an update takes rows out of `order`; otherwise it takes all rows.
        space: buffers.
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
    """Return mean loss and fraction of correct predictions (0 for squared error) over all of x.

    `rows` is 0, 1, 2, ..., because the losses look up labels and targets by row.
    """
    n, k = len(data.x) // net.sizes[0], net.sizes[-1]
    logits = space.a_at[-1]
    loss = 0.0
    correct = 0
    for start in range(0, n, CHUNK):
        m = min(CHUNK, n - start)
        X = View(data.x, start * net.sizes[0], net.sizes[0], 1)
        forward(theta, net, X, m, space)
        chunk_loss, hits = loss_and_score(net.loss, space.acts, logits, m, k, data, rows, start)
        loss += chunk_loss
        correct += hits
    return loss / (n * k if net.loss == SQUARED else n), correct / n
