"""Means of entrants and their differences, with standard errors from independent replicates.

A board has one value for each entrant, workload and replicate. Two statements are made from it,
and each has its own unit of replication:

- *On these workloads*: the workloads are fixed, and the replicates are a sample. Pass the values
  themselves, with `clusters` that name the workloads whose replicates depend on one another.
- *On workloads like these*: the workloads are a sample. Pass the `cluster_means` of the values:
  one workload, whose replicates are the clusters.

A difference is formed within a workload and replicate, where both entrants had the same initial
weights, batches and search points. Only what both entrants have is compared.

All arrays may have further axes in front, so that many studies are analyzed at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from optbench.analysis.grouping import indices_by_key
from optbench.contracts import Array


@dataclass(frozen=True)
class Contrasts:
    """Estimates of P quantities, with what is needed to test them one by one or jointly.

    Attributes:
        estimate: Shape (..., P); NaN where two entrants have nothing in common.
        error: Standard errors, shape (..., P); NaN with fewer than two replicates of a workload.
        df: Satterthwaite's degrees of freedom of `error`, shape (..., P); 0 without an error.
        residuals: Shape (..., U, P), one row for each independent unit (cluster x replicate). The
            sum of squares of a column is its squared standard error, and sums of products of two
            columns are covariances.
        replicates: Common replicates of each estimate (the fewest of any workload), shape (..., P).
    """

    estimate: Array
    error: Array
    df: Array
    residuals: Array
    replicates: Array

    @property
    def testable(self) -> Array:
        """Whether each estimate has a standard error, shape (..., P)."""
        return np.isfinite(self.error)

    @property
    def statistic(self) -> Array:
        """Student's t of each estimate; 0 for an estimate of exactly 0 without any variation."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self.estimate / self.error
        return np.where((self.estimate == 0) & (self.error == 0), 0.0, t)

    @property
    def p_value(self) -> Array:
        """Two-sided p-value of each estimate by itself; 1 where it cannot be tested."""
        from scipy.special import stdtr

        p = 2 * stdtr(np.maximum(self.df, 1e-9), -np.abs(self.statistic))
        return np.where(self.testable, p, 1.0)

    def equivalence_p_value(self, region: float) -> Array:
        """Return the p-values of two one-sided tests (Schuirmann 1987), each by itself.

        Args:
            region: Half width of the region of practical equivalence, > 0.

        Returns:
            p-values of a quantity at or beyond ``-region`` or ``region``, shape (..., P); 1 where
            it cannot be tested.
        """
        from scipy.special import stdtr

        with np.errstate(divide="ignore", invalid="ignore"):
            t = (region - np.abs(self.estimate)) / self.error
        p = np.where(np.isnan(t), 1.0, stdtr(np.maximum(self.df, 1e-9), -t))
        return np.where(self.testable, p, 1.0)

    def interval(self, alpha: float = 0.05) -> tuple[Array, Array]:
        """Return two-sided intervals of level ``1 - alpha``, each by itself.

        Returns:
            Lower and upper ends, shape (..., P); NaN without an error, and where `alpha` is 0.
        """
        if alpha <= 0:
            unknown = np.full(np.shape(self.estimate), np.nan)
            return unknown, unknown
        half = t_quantiles(self.df, 1 - alpha / 2) * self.error
        return self.estimate - half, self.estimate + half

    def take(self, columns: npt.ArrayLike) -> Contrasts:
        """Return some of the estimates.

        Args:
            columns: Indices, or booleans of shape (P,).
        """
        index = np.asarray(columns)
        parts = (self.estimate, self.error, self.df, self.residuals, self.replicates)
        return Contrasts(*(part[..., index] for part in parts))

    def with_least_units(self, least: int) -> Contrasts:
        """Return the same estimates; those of fewer units than `least` cannot be tested."""
        enough = self.replicates >= least
        error, df = np.where(enough, self.error, np.nan), np.where(enough, self.df, 0.0)
        return replace(self, error=error, df=df)

    def with_least_error(self, least: npt.ArrayLike) -> Contrasts:
        """Return the same estimates with standard errors of at least `least`, shape (..., P)."""
        return replace(self, error=np.maximum(self.error, least))  # NaN stays NaN


def t_quantiles(df: npt.ArrayLike, p: npt.ArrayLike) -> Array:
    """Return quantiles of Student's t; NaN where `df` is not positive."""
    from scipy.special import stdtrit

    positive = np.asarray(df) > 0
    return np.asarray(np.where(positive, stdtrit(np.where(positive, df, 1.0), p), np.nan))


def all_pairs(n: int) -> tuple[Array, Array]:
    """Return the first and second index of each of the n (n - 1) / 2 pairs."""
    return np.triu_indices(n, 1)


def pair_contrasts(
    values: Array, first: Array, second: Array, clusters: Sequence[Hashable] | None = None
) -> Contrasts:
    """Return the differences ``first - second``, averaged over replicates, then workloads.

    The variance of a mean over fixed workloads is the sum over clusters of the variance between
    replicates of the sum over the workloads of the cluster.

    Args:
        values: Shape (..., entrants, workloads, replicates); NaN where there is none.
        first, second: Indices of entrants, shape (P,).
        clusters: Cluster of each workload. Replicate r of two workloads of one cluster is one
            independent unit. By default every workload is a cluster of its own.
    """
    return _contrasts(values[..., first, :, :] - values[..., second, :, :], clusters)


def entrant_contrasts(values: Array, clusters: Sequence[Hashable] | None = None) -> Contrasts:
    """Return the mean of each entrant over its workloads; arguments as for `pair_contrasts`."""
    return _contrasts(values, clusters)


def cluster_means(values: Array, clusters: Sequence[Hashable]) -> Array:
    """Return values for a statement about workloads like these.

    Each cluster (a dataset, or a drawn workload) counts once, with the mean over its workloads and
    their replicates.

    Args:
        values: Shape (..., entrants, workloads, replicates).
        clusters: Cluster of each workload.

    Returns:
        Shape (..., entrants, 1, clusters).
    """
    means = _mean(values)
    columns = [_mean(means[..., members]) for members in indices_by_key(clusters)]
    return np.stack(columns, axis=-1)[..., None, :]


def _mean(values: Array) -> Array:
    """Return the mean over the last axis of what is not NaN; NaN where all is."""
    count = (~np.isnan(values)).sum(axis=-1)
    total = np.nansum(values, axis=-1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _contrasts(values: Array, clusters: Sequence[Hashable] | None) -> Contrasts:
    """Return contrasts of values that are differences already, (..., P, workloads, replicates)."""
    *batch, size, workloads, replicates = values.shape
    known = ~np.isnan(values)
    count = known.sum(axis=-1)  # (..., P, W)
    means = _mean(values)
    used = (count > 0).sum(axis=-1)[..., None]  # workloads of each contrast
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(count > 1, 1 / np.sqrt(count * (count - 1.0)), 0.0) / used
        centred = np.where(known, values - means[..., None], 0.0) * weight[..., None]
    groups = indices_by_key(range(workloads) if clusters is None else clusters)
    parts = np.stack([centred[..., group, :].sum(axis=-2) for group in groups])  # (C, ..., P, R)
    own = (parts**2).sum(axis=-1)  # variance that each cluster adds
    spare = np.stack([count[..., group].max(axis=-1) for group in groups]) - 1.0
    total, squares = own.sum(axis=0), (own**2 / np.maximum(spare, 1)).sum(axis=0)
    df = np.maximum(spare, 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(squares > 0, total**2 / squares, df)
    fewest = np.where(count > 0, count, replicates + 1).min(axis=-1, initial=replicates + 1)
    fewest = np.where(used[..., 0] > 0, fewest, 0)
    testable = fewest >= 2
    return Contrasts(
        estimate=_mean(means),
        error=np.where(testable, np.sqrt(total), np.nan),
        df=np.where(testable, df, 0.0),
        residuals=np.moveaxis(np.moveaxis(parts, 0, -2), -3, -1).reshape(
            *batch, len(groups) * replicates, size
        ),
        replicates=fewest,
    )
