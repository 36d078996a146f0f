"""Training one example at a time: the gradient of a large network is never written as a whole.

The gradient of a weight is the product of a column and a row. It is made for some rows of a weight
at a time, and the Rule updates them while they are in the first cache. The first layer of the next
example is computed from the same rows, so that the largest weight is read once in an update.
"""

from __future__ import annotations

from typing import NamedTuple

from optbench.contracts import Array
from optbench.engine.kernels.jit import part
from optbench.engine.kernels.layers import activate, output_delta, times_slope
from optbench.engine.kernels.memory import load, store, writable
from optbench.engine.kernels.row_tiles import outer_product, row_dots, row_times_matrix
from optbench.engine.kernels.views import View

BLOCK = 2048
"""Number of parameters of a large network that are updated at a time."""
WHOLE = 4096
"""Number of parameters up to which all are updated at once."""
LOOP = 64
"""A row of a weight is a loop of its own where its length is a multiple of this number."""


class _State(NamedTuple):
    """What a Rule updates, and its numbers; `grad` is a buffer."""

    theta: Array
    grad: Array
    slots: Array
    scalars: Array
    h: Array
    one: Array


@part
def _rows_at_a_time(state, n_in, n_out):
    """Number of rows of a weight (n_in, n_out) that are updated at a time."""
    return n_in if len(state.theta) <= WHOLE else max(1, BLOCK // n_out)


@part
def _apply(rule, state, t, grad, first, rows, columns, factors, at, last):
    theta, slots, scalars, h = state.theta, state.slots, state.scalars, state.h
    rule(theta, grad, slots, scalars, h, t, first, rows, columns, factors, at, last)


@part
def _update_rows(rule, state, t, first, count, n, inputs, at, delta, last):
    """Update `count` rows of a weight, from index `first` on.

    The gradient is the product of inputs[at : at + count] and delta[:n]. That of a small network is
    only written; it is updated as a whole.
    """
    whole = len(state.theta) <= WHOLE
    if whole or n % LOOP != 0:
        gradient = View(state.grad, first if whole else 0, n, 1)
        outer_product(View(inputs, at, 0, 1), View(delta, 0, n, 1), gradient, count, n)
        if not whole:
            _apply(rule, state, t, state.grad, first, 1, count * n, state.one, 0, last)
    else:
        _apply(rule, state, t, delta, first, count, n, inputs, at, last)


@part
def _update_bias(rule, state, t, first, n, delta):
    """Update a bias, from index `first` on, like `_update_rows`."""
    if len(state.theta) <= WHOLE:
        for j in range(n):
            store(state.grad, first + j, load(delta, j))
    else:
        _apply(rule, state, t, delta, first, 1, n, state.one, 0, False)


@part
def _update_layer(rule, state, t, net, layer, delta, other, space):
    """Update any layer but the first, and fill `other` with the gradient of the layer before it."""
    n_in, n_out, at = net.sizes[layer], net.sizes[layer + 1], space.a_at[layer]
    some = _rows_at_a_time(state, n_in, n_out)
    for p in range(0, n_in, some):
        count, first = min(some, n_in - p), net.w_at[layer] + p * n_out
        W = View(state.theta, first, n_out, 1)
        row_dots(View(delta, 0, n_out, 1), W, View(other, p, n_in, 1), 0, n_out, count)
        _update_rows(rule, state, t, first, count, n_out, space.acts, at + p, delta, False)
    _update_bias(rule, state, t, net.b_at[layer], n_out, delta)
    times_slope(net.activation, other, n_in, space.acts, space.zs, at)


@part
def _update_first_layer(rule, state, t, net, x, at, following, delta, space):
    """Update the first layer, and compute that of the example at x[following], if not negative."""
    n_in, n, theta = net.sizes[0], net.sizes[1], state.theta
    sums = View(space.acts, space.a_at[1], n, 1)
    start = View(theta, net.b_at[0], n, 1)
    _update_bias(rule, state, t, net.b_at[0], n, delta)
    some = _rows_at_a_time(state, n_in, n)
    for p in range(0, n_in, some):
        count, first = min(some, n_in - p), net.w_at[0] + p * n
        _update_rows(rule, state, t, first, count, n, x, at + p, delta, p + count == n_in)
        if len(theta) <= WHOLE:
            _apply(rule, state, t, state.grad, 0, 1, len(theta), state.one, 0, True)
        if following >= 0:
            inputs, W = View(x, following + p, 0, 1), View(theta, first, n, 1)
            row_times_matrix(inputs, W, sums, start, n, count)
            start = sums


@part
def forward_rest(theta, net, space):
    """Fill `acts` from the sums of the first layer on."""
    acts, a_at = space.acts, space.a_at
    for layer in range(1, len(net.sizes) - 1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        activate(net.activation, acts, a_at[layer], n_in, space.zs)
        W, bias = View(theta, net.w_at[layer], n_out, 1), View(theta, net.b_at[layer], 0, 1)
        A, Z = View(acts, a_at[layer], 0, 1), View(acts, a_at[layer + 1], 0, 1)
        row_times_matrix(A, W, Z, bias, n_out, n_in)


@part
def train_by_example(
    rule, start, stop, theta, grad, slots, scalars, h, lr_at, lr, factors, net, data, order, space,
):  # fmt: skip
    """Make updates start .. stop - 1; update i takes example order[i]. Arguments as `advance`."""
    state = _State(theta, grad, slots, scalars, h, space.one)
    layers, width, n = len(net.sizes) - 1, net.sizes[0], net.sizes[1]
    x, at = writable(data.x), order[start] * width
    W, bias = View(theta, net.w_at[0], n, 1), View(theta, net.b_at[0], 0, 1)
    row_times_matrix(View(x, at, 0, 1), W, View(space.acts, space.a_at[1], 0, 1), bias, n, width)
    for update in range(start, stop):
        if lr_at >= 0:
            h[lr_at] = lr * factors[update]
        forward_rest(theta, net, space)
        delta, other = space.delta, space.other
        logits, k = space.a_at[layers], net.sizes[layers]
        output_delta(net.loss, delta, space.acts, logits, 1, k, data, order, update, 1)
        for layer in range(layers - 1, 0, -1):
            _update_layer(rule, state, update + 1, net, layer, delta, other, space)
            delta, other = other, delta
        following = order[update + 1] * width if update + 1 < stop else -1
        _update_first_layer(rule, state, update + 1, net, x, at, following, delta, space)
        at = following
