"""Where a validation loss comes from: a weak model, a failed optimizer, or overfitting.

``L_val - L_ref = (floor - L_ref) + (L_train - floor) + (L_val - L_train)``: bias, optimization gap
and variance. *Floor* is the lowest training loss that any run reached on that dataset and network:
what the model can do. Only what remains above it is the optimizer's. L_ref is the loss that a good
model would have; unless given, the lowest median validation loss of the study on that dataset,
whatever the network. With one network a study cannot show bias, then.

A term is called high when the lower end of its bootstrap interval exceeds delta, 10% of
L_0 - L_ref.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optbench.analysis import metrics, scoring
from optbench.analysis.leaderboard import BiasVariance, Estimate
from optbench.analysis.statistics import bootstrap_draws, tail_probability
from optbench.analysis.table import Table
from optbench.contracts import Array

HIGH = 0.1


def bias_variance(
    table: Table, references: Mapping[str, float] | None = None, rng_seed: int = 0
) -> tuple[BiasVariance, ...]:
    """The decomposition of every entrant on every workload, from medians over seeds.

    Args:
        table: the study.
        references: dataset -> L_ref.
        rng_seed: of the bootstrap over seeds.
    """
    if not table.cells:
        return ()
    floors, refs = _floors(table), _references(table, references or {})
    places = tuple(np.array(list(table.cells)).T)
    train, val = table.train_loss[places], table.val_loss[places]
    samples = _bootstrap_medians(train, val, rng_seed)
    initial = table.initial_loss
    found = []
    for i, (s, w) in enumerate(table.cells):
        workload = table.workloads[w]
        reference = refs[workload.dataset]
        found.append(
            _row(
                table.labels[s],
                table.workload_labels[w],
                reference,
                floors[workload.dataset, workload.network],
                HIGH * max(float(initial[w]) - reference, 0.0),
                (float(metrics.median(train[i])), float(metrics.median(val[i]))),
                None if samples is None else (samples[0][:, i], samples[1][:, i]),
                table.n_seeds - 1,
            )
        )
    return tuple(found)


def _floors(table: Table) -> dict[tuple[str, str], float]:
    lowest = np.min(np.where(np.isnan(table.train), np.inf, table.train), axis=1)
    floors: dict[tuple[str, str], float] = {}
    for (_, w, _), loss in zip(table.place.tolist(), lowest.tolist(), strict=True):
        key = (table.workloads[w].dataset, table.workloads[w].network)
        floors[key] = min(floors.get(key, np.inf), loss)
    return floors


def _references(table: Table, given: Mapping[str, float]) -> dict[str, float]:
    medians = metrics.median(table.val_loss)
    lowest = np.nanmin(medians, axis=0)
    found: dict[str, float] = {}
    for workload, loss in zip(table.workloads, lowest.tolist(), strict=True):
        found[workload.dataset] = min(found.get(workload.dataset, np.inf), loss)
    return {name: given.get(name, loss) for name, loss in found.items()}


def _bootstrap_medians(train: Array, val: Array, rng_seed: int) -> tuple[Array, Array] | None:
    """Medians of resampled seeds, shape (B, cells), of training and validation loss, paired.

    Missing seeds count as repeats of the first: a cell that lacks some is nearly finished anyway.
    """
    n = train.shape[1]
    if n < 2:
        return None
    train = np.where(np.isnan(train), train[:, :1], train)
    val = np.where(np.isnan(val), val[:, :1], val)
    rng = np.random.default_rng([rng_seed, 3])
    index = bootstrap_draws(rng, scoring.draws_for(train.size * 4, most=1000), [n])[0][:, 0]
    return _medians(train[:, index]).T, _medians(val[:, index]).T


def _medians(x: Array) -> Array:
    """Median over the last axis; infinite when either of the middle two is."""
    ordered = np.sort(x, axis=-1)
    n = x.shape[-1]
    return np.asarray((ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2)


def _row(
    label: str,
    workload: str,
    reference: float,
    floor: float,
    delta: float,
    ends: tuple[float, float],
    samples: tuple[Array, Array] | None,
    df: int,
) -> BiasVariance:
    train, val = ends
    lost = not np.isfinite(val)
    weak = floor - reference if np.isfinite(floor) and np.isfinite(reference) else None
    bias = Estimate(value=weak, low=weak, high=weak)
    if lost:
        gap, variance = Estimate(value=np.inf), Estimate(value=None)
    elif samples is None:
        gap, variance = Estimate(value=train - floor), Estimate(value=val - train)
    else:
        gap = _estimate(train - floor, samples[0] - floor, df)
        with np.errstate(invalid="ignore"):
            variance = _estimate(val - train, samples[1] - samples[0], df)
    terms = {"bias": bias, "optimization": gap, "variance": variance}
    high = [name for name, term in terms.items() if term.low is not None and term.low > delta]
    verdict = " + ".join(high) or ("none high" if samples is not None else "unknown")
    return BiasVariance(
        label=label,
        workload=workload,
        reference=reference,
        floor=floor,
        delta=delta,
        bias=bias,
        optimization=gap,
        variance=variance,
        verdict="diverged" if lost else verdict,
    )


def _estimate(value: float, samples: Array, df: int) -> Estimate:
    samples = np.where(np.isnan(samples), np.inf, samples)
    tail = tail_probability(df)
    low, high = (float(metrics.quantile(samples, q)) for q in (tail, 1 - tail))
    return Estimate(value=value, low=min(low, value), high=max(high, value))
