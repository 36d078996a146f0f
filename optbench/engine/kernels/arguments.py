"""What compiled functions take: a network, a part of a dataset, buffers, the record of a run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optbench.contracts import Array
from optbench.records import CURVE_COLUMNS

CHUNK = 128
"""Number of rows that pass through the network at a time: few enough to stay in the cache."""
UPDATES, EXAMPLES = CURVE_COLUMNS.index("updates"), CURVE_COLUMNS.index("examples")
"""Columns of the table of a `Record`."""


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
        totals: CHUNK sums, float64.
    """

    acts: Array
    a_at: Array
    zs: Array
    delta: Array
    other: Array
    spare: Array
    one: Array
    totals: Array


class Record(NamedTuple):
    """What is measured along a run, filled as the run goes on.

    Attributes:
        table: one row of `CURVE_COLUMNS` for each evaluation, float64.
        best: parameters at the lowest validation loss so far.
        numbers: seconds of training, lowest validation loss, initial training loss; float64.
        counts: number of rows in `table`, consecutive evaluations that diverge, and whether the run
            has diverged; int64.
    """

    table: Array
    best: Array
    numbers: Array
    counts: Array


def empty_record(points: int, theta: Array) -> Record:
    """Return the record of a run that has not begun.

    Args:
        points: Largest number of evaluations.
        theta: Initial parameters, flat.
    """
    table = np.full((points, len(CURVE_COLUMNS)), np.nan)
    return Record(table, theta.copy(), np.array([0.0, np.inf, np.nan]), np.zeros(3, np.int64))
