"""The rows of a leaderboard: frozen records of numbers, intervals and places.

One rule for numbers: ``math.inf`` means *never* (a target that was missed, the loss of a run that
diverged), ``None`` means *unknown* (no target, or one seed and so no interval). NaN never occurs.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from optbench.analysis.cost_axes import CostAxis
from optbench.contracts import Array, Value
from optbench.records import Workload

Number = float | None
"""A number of a record: infinite for *never*, None for *unknown*."""


def number(value: float) -> Number:
    """Return a float for a record: None for NaN."""
    return None if math.isnan(value) else float(value)


def numbers(values: Array) -> list[Any]:
    """Return `number` of every entry, in nested lists of the shape of `values`."""
    entries = values.astype(object)
    entries[np.isnan(values)] = None
    return list(entries.tolist())


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of all records of a leaderboard: frozen, keyword-only, strict when read.

    The garbage collector skips them (``gc=False``), as no record can contain itself.
    """


class Estimate(Record, frozen=True, kw_only=True):
    """A number with its 95% interval; the interval is None where one seed cannot give any."""

    value: Number
    low: Number = None
    high: Number = None


class Spread(Record, frozen=True, kw_only=True):
    """Median and quartiles over the evaluation seeds; a diverged run counts as infinite loss."""

    median: Number
    q25: Number
    q75: Number


class Rate(Record, frozen=True, kw_only=True):
    """`count` of `total`, with the 95% Wilson interval of the rate."""

    count: int
    total: int
    rate: float
    low: float
    high: float


class EdgeMark(Record, frozen=True, kw_only=True):
    """The best trial still lay at the edge of a search range after it had been widened."""

    workload: str
    hyper: str
    side: str


class Times(Record, frozen=True, kw_only=True):
    """One quantity on each cost axis (inf: never, None: not known)."""

    updates: Number
    examples: Number
    epochs: Number
    seconds: Number


class AxisSummary(Record, frozen=True, kw_only=True):
    """Time to target of one entrant over all workloads, on one cost axis.

    Attributes:
        solved: workloads on which the median seed reached the target.
        workloads: workloads that have a target and that anyone solved.
        ratio: median over those of time / best time of any entrant, at least 1; inf where missed.
        profile: performance profile integrated over 1 <= tau <= 4, divided by 3, in [0, 1].
    """

    axis: CostAxis
    solved: int
    workloads: int
    ratio: Number
    profile: Number


class OverallRow(Record, frozen=True, kw_only=True):
    """One entrant over all workloads; rows come best score first.

    Attributes:
        rank: 1-based position in the order of scores (not a claim: `place` is the claim).
        place: first and last place that the pairwise tests leave open, 1-based.
        tie_groups: letters of the tie groups it is in, e.g. ``"ab"``; two entrants that share a
            letter cannot be told apart.
        score: inter-quartile mean of the score over workloads and seeds, in [0, 1].
        stability: mean over runs of the progress kept (`metrics.kept_progress`), in [0, 1].
        divergence: evaluation runs that did not end finite (failed ones included).
        failed: evaluation runs that ended in an error of the plugin.
        mean_rank: Friedman rank averaged over workloads, 1 is best.
        wins: workloads on which it has the best (or equal best) score.
        workloads: workloads it was judged on.
        partial: True when that is not all of them.
        edges: marks of search ranges that were too narrow.
        times: time to target, one summary a cost axis.
    """

    label: str
    optimizer: str
    rank: int
    place: tuple[int, int]
    tie_groups: str
    score: Estimate
    stability: Estimate
    divergence: Rate
    failed: int
    mean_rank: Number
    wins: int
    workloads: int
    partial: bool
    edges: tuple[EdgeMark, ...]
    times: tuple[AxisSummary, ...]


class WorkloadRow(Record, frozen=True, kw_only=True):
    """One entrant on one workload, judged on the evaluation seeds.

    Attributes:
        configuration: the chosen configuration, as the command line spells it.
        hyper: its hyperparameter values.
        score: mean over seeds, in [0, 1].
        seed_spread: inter-quartile range of the final log validation loss.
        time: median over seeds of the cost to reach the target.
        reached: seeds that reached it.
        log_area: mean of log validation loss over log cost, one value a cost axis.
        divergence: evaluation runs that did not end finite (failed ones included).
        failed: evaluation runs that ended in an error of the plugin.
        trial_divergence: tuning runs that did not end finite.
        lr_width: decades of lr around the best with a loss at most 1.1 times the best loss.
        lr_width_at_edge: True when that interval ends at a trial with the smallest or largest lr.
        lr_sensitivity: mean over lr of min(loss, initial loss) - best loss.
        spikes: mean over seeds of the count of losses over twice the running median.
        worst_rise: worst over seeds of loss / least loss before it.
    """

    label: str
    configuration: str
    hyper: dict[str, Value]
    score: Estimate
    train_loss: Spread
    val_loss: Spread
    test_loss: Spread
    test_metric: Spread
    seed_spread: Number
    time: Times
    reached: int
    seeds: int
    log_area: Times
    divergence: Rate
    failed: int = 0
    trial_divergence: Rate
    trials: int
    lr_width: Number
    lr_width_at_edge: bool
    lr_sensitivity: Number
    spikes: Number
    worst_rise: Number
    edges: tuple[EdgeMark, ...]


class WorkloadBoard(Record, frozen=True, kw_only=True):
    """One workload: rows best score first.

    Attributes:
        target: validation loss to reach; None when unknown.
        target_frozen: False when it was derived from this very study.
        initial_loss: median validation loss before training.
        best_loss: lowest test loss of any run: with `initial_loss` it spans the score.
    """

    label: str
    workload: Workload
    target: Number
    target_level: str
    target_frozen: bool
    initial_loss: Number
    best_loss: Number
    rows: tuple[WorkloadRow, ...]


class Pair(Record, frozen=True, kw_only=True):
    """Two entrants compared; `first` is the one with the higher score.

    Attributes:
        improvement: probability that a run of `first` scores above one of `second`, averaged over
            common workloads, ties one half; with its bootstrap interval.
        p_value: two-sided Wilcoxon signed-rank over workloads.
        p_holm: the same after Holm's correction over all pairs.
        separated: p_holm < 0.05.
        wins, losses, ties: workloads on which `first` is better, worse, equal.
    """

    first: str
    second: str
    improvement: Estimate
    p_value: float
    p_holm: float
    separated: bool
    wins: int
    losses: int
    ties: int


class TieGroup(Record, frozen=True, kw_only=True):
    """Entrants of which no two can be told apart, best score first, and the places they share."""

    letter: str
    labels: tuple[str, ...]
    place: tuple[int, int]


class CriticalDifference(Record, frozen=True, kw_only=True):
    """Friedman and Nemenyi over workloads (N counts workloads, not seeds).

    Attributes:
        labels: entrants by mean rank, best first; those judged on every workload only.
        mean_ranks: their mean ranks.
        n: workloads.
        chi2, p_value: Friedman's statistic and its p-value.
        f: Iman and Davenport's F.
        q: critical value of the studentized range / sqrt 2 at alpha = 0.05.
        cd: critical difference of mean ranks.
        bars: groups (as labels) whose mean ranks lie within `cd`.
    """

    labels: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    n: int
    chi2: float
    p_value: float
    f: Number
    q: float
    cd: float
    bars: tuple[tuple[str, ...], ...]


class Verdict(Record, frozen=True, kw_only=True):
    """One sentence derived from the numbers, about `label` (``""``: about the study)."""

    label: str
    text: str
