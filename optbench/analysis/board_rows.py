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
    """A number with its 95% interval, which is None where a single seed gives none."""

    value: Number
    low: Number = None
    high: Number = None


class Spread(Record, frozen=True, kw_only=True):
    """Median and quartiles over the evaluation seeds; a lost run counts as infinite loss."""

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
    """A mark that the best trial lies at the edge of a search range, even after widening."""

    workload: str
    hyper: str
    side: str


class Times(Record, frozen=True, kw_only=True):
    """One quantity on each cost axis (inf: never, None: unknown)."""

    updates: Number
    examples: Number
    epochs: Number
    seconds: Number


class AxisSummary(Record, frozen=True, kw_only=True):
    """Time to target of one entrant over all workloads, on one cost axis.

    Attributes:
        solved: Workloads on which the median seed reached the target.
        workloads: Workloads with a target that at least one entrant reached.
        ratio: Median over these of time / best time of any entrant, at least 1; inf where missed.
        profile: Performance profile integrated over 1 <= tau <= 4, divided by 3, in [0, 1].
    """

    axis: CostAxis
    solved: int
    workloads: int
    ratio: Number
    profile: Number


class OverallRow(Record, frozen=True, kw_only=True):
    """One entrant over all workloads; rows come best score first.

    Attributes:
        rank: 1-based position on the ``final-loss`` board. It claims nothing; `place` does.
        place: First and last place that the pairs of that board leave open, 1-based.
        tie_groups: Its letters on that board, such as ``"ab"``; entrants that share a letter are
            not told apart.
        score: Its value on that board, with the interval over replicates.
        stability: Mean over runs of `metrics.kept_progress`, in [0, 1], without an interval.
        divergence: Evaluation runs that were lost: diverged or failed.
        failed: Evaluation runs that ended in an error of the plugin.
        wins: Workloads on which it has the best (or equal best) score.
        workloads: Number of workloads on which it was evaluated.
        partial: Whether it was evaluated on some workloads only.
        edges: Marks of search ranges that were too narrow.
        times: Time to target, one summary for each cost axis.
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
    wins: int
    workloads: int
    partial: bool
    edges: tuple[EdgeMark, ...]
    times: tuple[AxisSummary, ...]


class WorkloadRow(Record, frozen=True, kw_only=True):
    """One entrant on one workload, over the evaluation seeds.

    Attributes:
        configuration: The chosen configuration, as the command line spells it; with several
            replicates, that of the replicate with the median rate.
        hyper: Its hyperparameter values.
        configurations: The chosen configuration of each replicate.
        rate_low, rate_high: Least and largest rate that a replicate chose; None without a rate.
        score: Mean of the test score over seeds, then replicates, with its interval over
            replicates.
        seed_spread: Inter-quartile range of the final log validation loss.
        time: Median over seeds of the cost to reach the target.
        reached: Number of seeds that reached it.
        log_area: Mean of log validation loss over log cost, one value for each cost axis.
        divergence: Evaluation runs that were lost: diverged or failed.
        failed: Evaluation runs that ended in an error of the plugin.
        trial_divergence: Tuning runs that were lost.
        lr_width: Decades of lr around the best with a loss at most 1.1 times the best loss.
        lr_width_at_edge: Whether that interval ends at the smallest or largest lr tried.
        lr_sensitivity: Mean over lr of min(loss, initial loss) - best loss.
        spikes: Mean over seeds of the count of losses over twice the running median.
        worst_rise: Worst over seeds of loss / least loss before it, along the training curve.
    """

    label: str
    configuration: str
    hyper: dict[str, Value]
    configurations: tuple[str, ...] = ()
    rate_low: Number = None
    rate_high: Number = None
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
        target: Validation loss to reach; None if unknown.
        target_frozen: Whether it was frozen beforehand, not derived from this study.
        initial_loss: Median validation loss before training.
        guess_loss: Test loss of guessing, which has score 0.
        best_loss: Best known test loss, which has score 1.
        base_rate: Test accuracy of always predicting the largest class of the training part; None
            for regression, and in files of earlier versions.
    """

    label: str
    workload: Workload
    target: Number
    target_level: str
    target_frozen: bool
    initial_loss: Number
    guess_loss: Number = None
    best_loss: Number
    base_rate: Number = None
    rows: tuple[WorkloadRow, ...]


class CriticalDifference(Record, frozen=True, kw_only=True):
    """Values of the ``final-loss`` board on a line, and the entrants that are not told apart.

    Attributes:
        labels: Entrants, best first.
        values: Their values.
        bars: Groups of at least two labels without a verdict ``"better"`` among them.
        note: What the values and the bars are.
    """

    labels: tuple[str, ...]
    values: tuple[float, ...]
    bars: tuple[tuple[str, ...], ...]
    note: str


class Verdict(Record, frozen=True, kw_only=True):
    """One sentence derived from the numbers, about `label`, or about the study if that is empty."""

    label: str
    text: str
