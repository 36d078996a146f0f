"""The mean of each entrant on a board, with its interval and its place in the order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optbench.analysis.boards.board_pairs import Sample
from optbench.analysis.boards.board_topics import BoardTopic
from optbench.analysis.boards.board_values import VALUE_RANGES
from optbench.analysis.statistics.contrasts import Contrasts, entrant_contrasts
from optbench.contracts import Array


@dataclass(frozen=True)
class BoardMeans:
    """The mean of each entrant on a board, every array of shape (S,).

    Attributes:
        topic: What the board is about.
        sample: Its values.
    """

    topic: BoardTopic
    sample: Sample

    @cached_property
    def contrasts(self) -> Contrasts:
        """The means with their errors."""
        contrasts = entrant_contrasts(self.sample.values, self.sample.clusters)
        return contrasts.with_least_units(self.sample.least_units)

    @cached_property
    def values(self) -> Array:
        """The means, rounded so that equal runs tie."""
        return np.round(self.contrasts.estimate, 12)

    @cached_property
    def has_value(self) -> Array:
        """Whether each entrant has a value on each workload, shape (S, workloads)."""
        topic = self.topic
        return np.asarray(np.isfinite(topic.table.on(topic.columns)).any(axis=2))

    @cached_property
    def workloads(self) -> Array:
        """Number of workloads on which each entrant has a value."""
        return np.asarray(self.has_value.sum(axis=1))

    @property
    def is_known(self) -> Array:
        """Whether each entrant has a value at all."""
        return self.workloads > 0

    @property
    def has_all(self) -> Array:
        """Whether no entrant has values on more workloads."""
        return np.asarray(self.workloads == self.workloads.max())

    @cached_property
    def order(self) -> Array:
        """Indices of the entrants, best first; those that miss workloads come last."""
        known = np.where(np.isnan(self.values), -np.inf, self.values)
        return np.lexsort((-known, ~self.has_all))

    def interval(self, level: float) -> tuple[Array, Array]:
        """Return both ends of the intervals, cut to the possible values.

        Args:
            level: Error rate of each interval.
        """
        ends = self.contrasts.with_least_error(self.sample.least_errors).interval(level)
        low, high = (np.clip(end, *VALUE_RANGES[self.topic.table.name]) for end in ends)
        return low, high
