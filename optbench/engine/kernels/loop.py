"""The training loop, compiled once for every Rule."""

from __future__ import annotations

import numpy as np

from optbench.engine.kernels.by_example import train_by_example
from optbench.engine.kernels.jit import part
from optbench.engine.kernels.memory import load
from optbench.engine.kernels.propagation import gradient


@part
def _sum_of_squares(numbers):
    """Return the sum of squares in float64: four partial sums, as one would wait for itself."""
    first = second = third = fourth = 0.0
    even = len(numbers) // 4 * 4
    for i in range(0, even, 4):
        first += np.float64(load(numbers, i)) ** 2
        second += np.float64(load(numbers, i + 1)) ** 2
        third += np.float64(load(numbers, i + 2)) ** 2
        fourth += np.float64(load(numbers, i + 3)) ** 2
    for i in range(even, len(numbers)):
        first += np.float64(load(numbers, i)) ** 2
    return (first + second) + (third + fourth)


@part
def clip(grad, limit):
    """Scale the gradient so that its L2 norm is at most `limit`."""
    norm = np.sqrt(_sum_of_squares(grad))
    if norm > limit:
        scale = grad.dtype.type(limit / norm)
        for i in range(len(grad)):
            grad[i] *= scale


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
        slots: state arrays of the Rule, shape (n_slots, at least len(theta)).
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
    if batch_size == 1 and shuffled and limit <= 0 and start < stop:
        train_by_example(
            rule, start, stop, theta, grad, slots, scalars, h, lr_at, lr, factors, net, data, order,
            space,
        )  # fmt: skip
        return
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
        rule(theta, grad, slots, scalars, h, update + 1, 0, 1, len(theta), space.one, 0, True)
