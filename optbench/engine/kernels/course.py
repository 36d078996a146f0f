"""A run from one evaluation to the next in a single call, without Python in between."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from optbench.engine.divergence import LOSS_RATIO, PATIENCE
from optbench.engine.kernels.arguments import UPDATES
from optbench.engine.kernels.jit import part

_CLOCK = getattr(time, "CLOCK_THREAD_CPUTIME_ID", None)
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


@intrinsic
def _nanoseconds(_: Any) -> Any:
    """Return the processor time of this thread; 0 on a system without such a clock."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if _CLOCK is None:
            return _INT64(0)
        spec = cgutils.alloca_once(builder, ir.ArrayType(_INT64, 2))
        kind = ir.FunctionType(_INT32, [_INT32, spec.type])
        clock = cgutils.get_or_insert_function(builder.module, kind, "clock_gettime")
        builder.call(clock, [_INT32(_CLOCK), spec])
        seconds, rest = (builder.load(builder.gep(spec, [_INT32(0), _INT32(i)])) for i in range(2))
        return builder.add(builder.mul(seconds, _INT64(10**9)), rest)

    return types.int64(), generate


@part
def _note(record, theta, progress, train, val):
    """Append a row to the record, and apply the divergence rule of `DivergenceRule`."""
    numbers, counts = record.numbers, record.counts
    row = record.table[counts[0]]
    counts[0] += 1
    for i in range(4):
        row[i] = progress[i]
    row[4], row[5], row[6], row[7] = train[0], val[0], train[1], val[1]
    if val[0] < numbers[1]:
        numbers[1] = val[0]
        for i in range(len(theta)):
            record.best[i] = theta[i]
    loss = train[0] if np.isfinite(val[0]) else np.nan
    if counts[0] == 1:
        numbers[2] = loss
    elif not np.isfinite(loss):
        counts[2] = 1
    else:
        counts[1] = counts[1] + 1 if loss > LOSS_RATIO * numbers[2] else 0
        counts[2] = counts[1] >= PATIENCE


def course(
    advance, evaluate, rule, updates, until, stops, batch_size, theta, grad, slots, scalars, h,
    lr_at, lr, factors, limit, net, data, order, shuffled, space, train, train_spread, val,
    val_spread, rows, record,
):  # fmt: skip
    """Train and evaluate at one point after the other, until the run has diverged.

    Args:
        advance: `loop.advance`.
        evaluate: `evaluation.evaluate`.
        updates: number of updates made before.
        until: number of updates to make before the first point.
        stops: number of updates before each evaluation; one that is not beyond the last
            evaluation is left out.
        train: examples on which the training loss is measured.
        val: those of the validation loss.
        train_spread: see `evaluate`.
        val_spread: likewise.
        rows: 0, 1, 2, ...
        record: what is measured.
        others: see `advance`.

    Returns:
        Number of updates made afterwards.
    """
    n = len(data.x) // net.sizes[0]
    per_epoch = (n + batch_size - 1) // batch_size
    counts, table = record.counts, record.table
    for point in range(-1, len(stops)):
        stop = until if point < 0 else stops[point]
        if point >= 0 and counts[0] > 0 and stop <= table[counts[0] - 1, UPDATES]:
            continue
        if stop > updates:
            begin = _nanoseconds()
            advance(
                rule, updates, stop, batch_size, theta, grad, slots, scalars, h, lr_at, lr, factors,
                limit, net, data, order, shuffled, space,
            )  # fmt: skip
            record.numbers[0] += (_nanoseconds() - begin) * 1e-9
            updates = stop
        if point < 0:
            continue
        examples = updates // per_epoch * n + updates % per_epoch * batch_size
        progress = (examples / n, np.float64(updates), np.float64(examples), record.numbers[0])
        train_loss = evaluate(theta, net, train, train_spread, rows, space)
        val_loss = evaluate(theta, net, val, val_spread, rows, space)
        _note(record, theta, progress, train_loss, val_loss)
        if counts[2]:
            break
    return updates


def evaluate_once(evaluate, theta, net, data, spread, rows, space):
    """Call `evaluate` from Python."""
    return evaluate(theta, net, data, spread, rows, space)


def gradient_once(gradient, theta, grad, net, data, order, first, batch, gather, with_loss, space):
    """Call `gradient` from Python."""
    return gradient(theta, grad, net, data, order, first, batch, gather, with_loss, space)
