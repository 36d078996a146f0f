"""Sensitivity of each optimizer to its learning rate, over the workloads of a regime.

Losses of different workloads share one scale: the part of the way, in log loss, from the loss
before training (0) to the lowest loss of any trial of any entrant on the workload (1). A trial that
diverged has 0. A loss far below all others has 1 as the lowest of the others has: as the end of the
scale, it would press them together at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from optbench.analysis.statistics import metrics
from optbench.analysis.view_records import LearningRateCurve
from optbench.contracts import Array

BINS = 12
"""Parts of equal width, in the log, into which the range of rates is divided."""
BAND = (0.1, 0.5, 0.9)
"""Quantiles of the trials in a part: lower edge, line and upper edge."""
FENCE = 1.5
"""Interquartile ranges below the lower quartile of the log losses where outliers begin (Tukey)."""


@dataclass(frozen=True)
class LearningRateProfile:
    """One optimizer: the part of the way that its trials came, against the learning rate.

    Attributes:
        label: The entrant.
        rate: Name of the hyperparameter that is the rate.
        trials: Rates and parts of all trials, shape (2, n), by workload.
        beyond: Which trials are outliers, below the loss that counts as 1, shape (n,).
        chosen: Rate that was chosen on each workload, and the part of the trial nearest to it,
            shape (2, W).
        lr: Rates at which trials are summarized, ascending, shape (P,): the middle of a part of the
            range, or each rate if there are few. Empty if the trials differ in more than the rate.
        low, mid, high: Quantiles of the trials there, shape (P,).
    """

    label: str
    rate: str
    trials: Array
    beyond: Array
    chosen: Array
    lr: Array
    low: Array
    mid: Array
    high: Array


def lr_profiles(curves: Iterable[LearningRateCurve]) -> dict[str, LearningRateProfile]:
    """Return the profile of each entrant with trials, by label.

    Args:
        curves: Curves of some workloads.
    """
    every = [curve for curve in curves if curve.initial_loss]
    lowest = lowest_of_each(every)
    labels = dict.fromkeys(curve.label for curve in every)
    return {
        label: _profile(label, [curve for curve in every if curve.label == label], lowest)
        for label in labels
    }


def lowest_of_each(curves: Sequence[LearningRateCurve]) -> dict[str, float]:
    """Return the lowest loss of any trial on each workload that is no outlier, by workload.

    Only trials that came below the loss before training count; without any, that loss is returned.
    """
    return {
        workload: _lowest_of_bulk([curve for curve in curves if curve.workload == workload])
        for workload in dict.fromkeys(curve.workload for curve in curves)
    }


def _lowest_of_bulk(curves: Sequence[LearningRateCurve]) -> float:
    losses = np.concatenate([np.array(curve.loss) for curve in curves])
    initial = float(curves[0].initial_loss or 0.0)
    better = losses[losses < initial]
    if not len(better):
        return initial
    logs = metrics.log_loss(better)
    lower, upper = np.quantile(logs, (0.25, 0.75))
    return float(better[logs >= lower - FENCE * (upper - lower)].min())


def part_of_way(loss: Array, initial: float, lowest: float) -> Array:
    """Return where losses lie between the initial loss (0) and the lowest one (1), in log loss.

    Example:
        >>> part_of_way(np.array([1.0, 0.1, 0.01, np.inf]), 1.0, 0.01).tolist()
        [0.0, 0.5, 1.0, 0.0]
    """
    start, end = metrics.log_loss(np.array([initial, lowest]))
    if not end < start:
        return np.zeros(len(loss))
    part = (start - metrics.log_loss(loss)) / (start - end)
    return np.where(np.isfinite(part), np.clip(part, 0, 1), 0.0)


def _profile(
    label: str, curves: Sequence[LearningRateCurve], lowest: dict[str, float]
) -> LearningRateProfile:
    rates = [np.array(curve.lr) for curve in curves]
    parts = [
        part_of_way(np.array(c.loss), float(c.initial_loss or 0.0), lowest[c.workload])
        for c in curves
    ]
    chosen = [
        (c.chosen, part[np.argmin(np.abs(np.log(lr / c.chosen)))])
        for c, lr, part in zip(curves, rates, parts, strict=True)
        if c.chosen
    ]
    beyond = [np.array(c.loss) < lowest[c.workload] for c in curves]
    trials = np.stack([np.concatenate(rates), np.concatenate(parts)])
    only_lr = all(curve.only_lr for curve in curves)
    lr, low, mid, high = _summary(*trials) if only_lr else (np.empty(0),) * 4
    return LearningRateProfile(
        label=label,
        rate=curves[0].rate,
        trials=trials,
        beyond=np.concatenate(beyond),
        chosen=np.array(chosen, dtype=float).reshape(-1, 2).T,
        lr=lr,
        low=low,
        mid=mid,
        high=high,
    )


def _summary(rates: Array, parts: Array) -> tuple[Array, Array, Array, Array]:
    """Return rates, and quantiles of the trials near each of them, shapes (P,)."""
    if len(np.unique(rates)) <= BINS:
        groups = [(rate, parts[rates == rate]) for rate in np.unique(rates)]
    else:
        edges = np.geomspace(rates.min(), rates.max(), BINS + 1)
        index = np.clip(np.searchsorted(edges, rates, side="right") - 1, 0, BINS - 1)
        middles = np.sqrt(edges[:-1] * edges[1:])
        groups = [(middles[i], parts[index == i]) for i in np.unique(index)]
    low, mid, high = np.array([np.quantile(own, BAND) for _, own in groups]).T
    return np.array([rate for rate, _ in groups]), low, mid, high
