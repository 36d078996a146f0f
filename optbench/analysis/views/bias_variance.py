"""Where a validation loss comes from: a weak model, a failed optimizer, or overfitting.

``L_val - L_ref = (floor - L_ref) + (L_train - floor) + (L_val - L_train)``: bias, optimization gap
and variance. *Floor* is the lowest training loss with which any run ended on that dataset and
network: what the model can do. Only the gap above it is due to the optimizer. L_ref is the loss of
a good model: the lowest median validation loss of the study on that dataset, on any network. So a
study of one network cannot show bias.

A term is called high if the lower end of its bootstrap interval exceeds delta, 10% of L_0 - L_ref.
"""

from __future__ import annotations

import math

import numpy as np

from optbench.analysis.board_rows import Estimate, number
from optbench.analysis.statistics import metrics
from optbench.analysis.statistics.bootstrap import (
    bootstrap_draws,
    bootstrap_rng,
    draws_for,
    tail_probability,
)
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.view_records import BiasVariance
from optbench.contracts import Array

HIGH = 0.1
"""A term above this share of the way from initial to reference loss is high."""
BLOCK_CELLS = 1024
"""Cells that are resampled together; all at once would need more memory than the study."""


def bias_variance(study: StudyArrays) -> tuple[BiasVariance, ...]:
    """Return the decomposition of every entrant on every workload, from medians over seeds."""
    if not study.cells:
        return ()
    floors, refs = _floors(study), _references(study)
    cells = list(study.cells)
    places = tuple(np.array(cells).T)
    workloads = [study.workloads[w] for _, w in cells]
    floor = np.array([floors[w.dataset, w.network] for w in workloads])
    reference = np.array([refs[w.dataset] for w in workloads])
    terms = _terms(study.train_loss[places], study.val_loss[places], floor)
    delta = HIGH * np.fmax(study.initial_loss[places[1]] - reference, 0.0)
    lost = ~np.isfinite(metrics.median(study.val_loss[places]))
    return tuple(
        _row(
            study.labels[s],
            study.workload_labels[w],
            float(reference[i]),
            float(floor[i]),
            float(delta[i]),
            {name: tuple(part[:, i].tolist()) for name, part in terms.items()},
            bool(lost[i]),
        )
        for i, (s, w) in enumerate(cells)
    )


def _floors(study: StudyArrays) -> dict[tuple[str, str], float]:
    floors: dict[tuple[str, str], float] = {}
    by_workload = np.fmin.reduce(study.train_loss, axis=(0, 2), initial=np.inf).tolist()
    for workload, loss in zip(study.workloads, by_workload, strict=True):
        key = (workload.dataset, workload.network)
        floors[key] = min(floors.get(key, np.inf), loss)
    return floors


def _references(study: StudyArrays) -> dict[str, float]:
    medians = metrics.median(study.val_loss)
    lowest = np.nanmin(medians, axis=0)
    references: dict[str, float] = {}
    for workload, loss in zip(study.workloads, lowest.tolist(), strict=True):
        references[workload.dataset] = min(references.get(workload.dataset, np.inf), loss)
    return references


def _terms(train: Array, val: Array, floor: Array) -> dict[str, Array]:
    """Return optimization gap and variance of every cell: value, low and high, shape (3, cells).

    Training and validation loss are resampled together. Missing seeds count as repeats of the
    first, since a cell that lacks some is nearly finished. One seed gives NaN for low and high.
    """
    n = train.shape[1]
    train = np.where(np.isnan(train), train[:, :1], train)
    val = np.where(np.isnan(val), val[:, :1], val)
    values = _gaps(metrics.median(train), metrics.median(val), floor)
    if n < 2:
        unknown = np.full(len(train), np.nan)
        return {name: np.stack([value, unknown, unknown]) for name, value in values.items()}
    rng = bootstrap_rng()
    draws = draws_for(train.size * 4, most=1000)
    index = np.sort(bootstrap_draws(rng, draws, [n])[0][:, 0], axis=1)
    index, drawn = np.unique(index, axis=0, return_inverse=True)  # few are distinct
    drawn = drawn.ravel()  # NumPy 2.0.0 gives a column
    tail = tail_probability(n - 1)
    parts = [
        _ends(
            train[i : i + BLOCK_CELLS],
            val[i : i + BLOCK_CELLS],
            floor[i : i + BLOCK_CELLS],
            index,
            drawn,
            tail,
        )
        for i in range(0, len(train), BLOCK_CELLS)
    ]
    ends = {name: np.concatenate([part[name] for part in parts], axis=1) for name in values}
    return {
        name: np.stack([value, np.fmin(ends[name][0], value), np.fmax(ends[name][1], value)])
        for name, value in values.items()
    }


def _ends(
    train: Array, val: Array, floor: Array, index: Array, drawn: Array, tail: float
) -> dict[str, Array]:
    """Return both ends of the intervals of some cells, shape (2, cells).

    Args:
        train: Training losses, shape (cells, n).
        val: Validation losses, shape (cells, n).
        floor: Lowest training loss of each cell's problem.
        index: The distinct bootstrap draws.
        drawn: Which of them each draw is.
        tail: Probability beyond either end.
    """
    samples = _gaps(_medians(train[:, index]), _medians(val[:, index]), floor[:, None])
    return {
        name: np.stack(metrics.quantiles(gaps[:, drawn], (tail, 1 - tail)))
        for name, gaps in samples.items()
    }


def _gaps(train: Array, val: Array, floor: Array) -> dict[str, Array]:
    """Return the two terms that depend on the seeds; infinite where a loss is infinite."""
    with np.errstate(invalid="ignore"):
        gap, variance = train - floor, val - train
    return {
        "optimization": np.where(np.isfinite(train), gap, np.inf),
        "variance": np.where(np.isfinite(val), variance, np.inf),
    }


def _medians(x: Array) -> Array:
    """Return the median over the last axis, infinite if one of the middle two values is."""
    ordered = np.sort(x, axis=-1)
    n = x.shape[-1]
    return np.asarray((ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2)


def _row(
    label: str,
    workload: str,
    reference: float,
    floor: float,
    delta: float,
    terms_of_seeds: dict[str, tuple[float, ...]],
    lost: bool,
) -> BiasVariance:
    bias = floor - reference if math.isfinite(floor) and math.isfinite(reference) else np.nan
    terms = {"bias": (bias, bias, bias), **terms_of_seeds}
    if lost:
        terms["variance"] = (np.nan, np.nan, np.nan)
    high = [name for name, (_, low, _) in terms.items() if low > delta]
    one_seed = math.isnan(terms["optimization"][1])
    verdict = " + ".join(high) or ("unknown" if one_seed else "none high")
    records = {
        name: Estimate(value=number(value), low=number(low), high=number(high))
        for name, (value, low, high) in terms.items()
    }
    return BiasVariance(
        label=label,
        workload=workload,
        reference=reference,
        floor=floor,
        delta=delta,
        verdict="diverged" if lost else verdict,
        **records,
    )
