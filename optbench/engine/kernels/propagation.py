"""The network forward and backward, compiled."""

from __future__ import annotations

from optbench.engine.kernels.arguments import CHUNK
from optbench.engine.kernels.jit import part
from optbench.engine.kernels.layers import SQUARED, activate, output_delta, times_slope
from optbench.engine.kernels.losses import loss_and_score
from optbench.engine.kernels.matmul import multiply, multiply_transposed
from optbench.engine.kernels.memory import load, store, writable
from optbench.engine.kernels.row_tiles import outer_product
from optbench.engine.kernels.views import View, transposed


@part
def forward(theta, net, X, m, space):
    """Fill `acts` with the activations of the m rows of X; the last are the logits."""
    acts, a_at = space.acts, space.a_at
    last = len(net.sizes) - 2
    for layer in range(last + 1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        W = View(theta, net.w_at[layer], n_out, 1)
        bias = View(theta, net.b_at[layer], 0, 1)
        Z = View(acts, a_at[layer + 1], n_out, 1)
        A = X if layer == 0 else View(acts, a_at[layer], n_in, 1)
        multiply(m, n_out, n_in, A, W, Z, bias, True)
        if layer < last:
            activate(net.activation, acts, a_at[layer + 1], m * n_out, space.zs)


@part
def weight_gradient(n_in, n_out, m, A, delta, grad, w, b, one, add):
    """Gradient of weight (at w) and bias (at b) of one layer with inputs A (m, n_in).

    `delta` is the gradient (m, n_out) with respect to z; with `add` both are added to `grad`.
    """
    Delta = View(delta, 0, n_out, 1)
    weight = View(grad, w, n_out, 1)
    if m == 1 and not add:
        outer_product(A, Delta, weight, n_in, n_out)
        for j in range(n_out):
            store(grad, b + j, load(delta, j))
        return
    multiply(n_in, n_out, m, transposed(A), Delta, weight, weight, add)
    ones, bias = View(one, 0, 0, 0), View(grad, b, n_out, 1)
    multiply(1, n_out, m, ones, Delta, bias, bias, add)


@part
def backward(theta, grad, net, X, m, space, add):
    """Gradient for the m rows of X, from `delta`, the gradient at the logits.

    It is written into `grad`, or added to it with `add`.
    """
    acts, a_at = space.acts, space.a_at
    delta, other = space.delta, space.other
    for layer in range(len(net.sizes) - 2, -1, -1):
        n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
        w, b = net.w_at[layer], net.b_at[layer]
        A = X if layer == 0 else View(acts, a_at[layer], n_in, 1)
        weight_gradient(n_in, n_out, m, A, delta, grad, w, b, space.one, add)
        if layer > 0:
            W, Delta = View(theta, w, n_out, 1), View(delta, 0, n_out, 1)
            multiply_transposed(m, n_out, n_in, Delta, W, View(other, 0, n_in, 1), space.spare)
            times_slope(net.activation, other, m * n_in, acts, space.zs, a_at[layer])
            delta, other = other, delta


@part
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
            source, begin = writable(data.x), order[position] * width
        X = View(source, begin, width, 1)
        forward(theta, net, X, m, space)
        if with_loss:
            loss += loss_and_score(net.loss, m, k, data, order, position, space)[0]
        output_delta(net.loss, space.delta, acts, logits, m, k, data, order, position, batch)
        backward(theta, grad, net, X, m, space, start > 0)
    return loss / (batch * k if net.loss == SQUARED else batch)
