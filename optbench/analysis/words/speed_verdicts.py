"""The sentence that says how much sooner an entrant reaches the target than another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optbench.analysis.board_rows import Estimate
from optbench.analysis.run_metrics import RunMetrics
from optbench.analysis.study_arrays import StudyArrays
from optbench.analysis.views.speedups import Speedups, grid_steps, pooled_speedup, speedups
from optbench.analysis.words.prose import interval_text, short_names

MOST_COMPARED = 12
"""Number of lower-ranked entrants that are considered; the sentence names one of them."""


class _Gain(NamedTuple):
    """A gain in speed, ordered by how much it says."""

    is_average: bool
    low: float
    text: str


class SpeedComparison:
    """Finds the surest gain in speed of each entrant."""

    def __init__(self, study: StudyArrays, measured: RunMetrics) -> None:
        self._index = {label: s for s, label in enumerate(study.labels)}
        self._times = measured.times["examples"]
        self._steps = grid_steps(study, measured)
        self._workloads = short_names(study.workloads)

    def sooner_text(self, label: str, lower_ranked: Sequence[str]) -> str:
        """Return the surest gain in speed of an entrant over one of those ranked below it.

        An average over workloads comes before a single workload: among many workloads, some
        flatter by chance.

        Returns:
            Words such as ``2.0x sooner than sgd on digits (95% interval 1.7 to 2.4)``, or nothing
            if there is no gain whose interval lies above 1.
        """
        others = lower_ranked[:MOST_COMPARED]
        gains = [gain for other in others for gain in self._gains(label, other)]
        return max(gains).text if gains else ""

    def _gains(self, label: str, other: str) -> list[_Gain]:
        a, b = self._index[label], self._index[other]
        parts = speedups(self._times[a], self._times[b], self._steps[a], self._steps[b])
        candidates = []
        if not np.isnan(parts.low).all():
            candidates.append(self._best_workload(parts))
        known = int((~np.isnan(parts.value)).sum())
        if known > 1:
            scope = f"on average over {known} workloads that both always solve"
            candidates.append((pooled_speedup(parts), scope))
        gains = []
        for speedup, scope in candidates:
            if speedup.value is not None and speedup.low is not None and speedup.low > 1:
                text = f"{speedup.value:.1f}x sooner than {other} {scope}"
                text += interval_text(speedup, 1)
                gains.append(_Gain(scope.startswith("on average"), speedup.low, text))
        return gains

    def _best_workload(self, parts: Speedups) -> tuple[Estimate, str]:
        """Return the speedup on the workload where its interval begins highest, and its name."""
        w = int(np.nanargmax(parts.low))
        value, low, high = (float(part[w]) for part in (parts.value, parts.low, parts.high))
        return Estimate(value=value, low=low, high=high), f"on {self._workloads[w]}"
