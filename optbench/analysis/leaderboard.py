"""The frozen records that a comparison ends in: what the report renders and the JSON holds.

One rule for numbers: ``math.inf`` means *never* (a target that was missed, the loss of a run that
diverged), ``None`` means *not known* (no target, one seed and so no interval); NaN never occurs.
In JSON infinity is the string ``"inf"`` and None is ``null``; `from_json` reads both back.

Longer than other files because a schema is read as one piece; it holds no logic.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from optbench.contracts import Value
from optbench.records import StudyProtocol, Workload
from optbench.support import html

Number = float | None
Range = tuple[float, float]
Axis = Literal["updates", "examples", "epochs", "seconds"]
AXES: tuple[Axis, ...] = ("updates", "examples", "epochs", "seconds")
COLUMN_OF: dict[Axis, str] = {
    "updates": "updates",
    "examples": "examples",
    "epochs": "epoch",
    "seconds": "seconds",
}
"""The column of a curve in which each cost axis is logged."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of every record here: frozen, by keyword, strict when read; none can hold itself."""


class Estimate(_Record, frozen=True, kw_only=True):
    """A number with its 95% interval; the interval is None where one seed cannot give any."""

    value: Number
    low: Number = None
    high: Number = None


class Spread(_Record, frozen=True, kw_only=True):
    """Median and quartiles over the evaluation seeds; a diverged run counts as infinite loss."""

    median: Number
    q25: Number
    q75: Number


class Rate(_Record, frozen=True, kw_only=True):
    """`count` of `total`, with the 95% Wilson interval of the rate."""

    count: int
    total: int
    rate: float
    low: float
    high: float


class EdgeMark(_Record, frozen=True, kw_only=True):
    """The best trial still lay at the edge of a search range after it had been widened."""

    workload: str
    hyper: str
    side: str


class Times(_Record, frozen=True, kw_only=True):
    """One quantity on each cost axis (inf: never, None: not known)."""

    updates: Number
    examples: Number
    epochs: Number
    seconds: Number


class AxisSummary(_Record, frozen=True, kw_only=True):
    """Time to target of one entrant over all workloads, on one cost axis.

    Attributes:
        solved: workloads on which the median seed reached the target.
        workloads: workloads that have a target and that anyone solved.
        ratio: median over those of time / best time of any entrant, at least 1; inf where missed.
        profile: performance profile integrated over 1 <= tau <= 4, divided by 3, in [0, 1].
    """

    axis: Axis
    solved: int
    workloads: int
    ratio: Number
    profile: Number


class OverallRow(_Record, frozen=True, kw_only=True):
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


class WorkloadRow(_Record, frozen=True, kw_only=True):
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


class WorkloadBoard(_Record, frozen=True, kw_only=True):
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


class Pair(_Record, frozen=True, kw_only=True):
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


class TieGroup(_Record, frozen=True, kw_only=True):
    """Entrants of which no two can be told apart, best score first, and the places they share."""

    letter: str
    labels: tuple[str, ...]
    place: tuple[int, int]


class CriticalDifference(_Record, frozen=True, kw_only=True):
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


class Profile(_Record, frozen=True, kw_only=True):
    """Performance profiles on one cost axis.

    Attributes:
        tau: ratios to the best time, from 1 to 4.
        rho: label -> share of workloads solved within tau times the best time.
        area: label -> integral over tau / 3, in [0, 1].
        unsolved: workloads that nobody solved; left out.
        order: labels by area, best first.
        flips: pairs whose order changes when the named third entrant is left out.
    """

    axis: Axis
    tau: tuple[float, ...]
    rho: dict[str, tuple[float, ...]]
    area: dict[str, float]
    unsolved: tuple[str, ...]
    order: tuple[str, ...]
    flips: tuple[tuple[str, str, str], ...]


class Budget(_Record, frozen=True, kw_only=True):
    """Expected best of the first k of n trials, from the trials already made.

    Attributes:
        workload: label; ``""`` for the mean over all workloads.
        loss: expected lowest validation loss for k = 1, 2, ...; empty for the mean over workloads.
        score: the same as a score in [0, 1].
    """

    label: str
    workload: str
    loss: tuple[float, ...]
    score: tuple[float, ...]


class LearningRateCurve(_Record, frozen=True, kw_only=True):
    """Every trial of one entrant on one workload against its lr, ascending.

    Attributes:
        loss: final validation loss of each trial (median over tuning seeds); inf when diverged.
        chosen: the lr that was selected.
        initial_loss: loss before training.
        only_lr: True when nothing but lr differs between the trials.
    """

    label: str
    workload: str
    lr: tuple[float, ...]
    loss: tuple[float, ...]
    chosen: Number
    initial_loss: Number
    only_lr: bool


class RegimeLoss(_Record, frozen=True, kw_only=True):
    """One entrant in one regime, at equal examples and at equal updates.

    Attributes:
        at_examples, at_updates: median validation loss at the common number of examples, updates.
        rank_at_examples, rank_at_updates: rank among all entrants and regimes of the view.
    """

    label: str
    regime: str
    at_examples: float
    at_updates: float
    rank_at_examples: float
    rank_at_updates: float


class RankFlip(_Record, frozen=True, kw_only=True):
    """An entrant in two regimes, whose order depends on the view.

    `first` leads at equal examples, `second` at equal updates. `clear` when both orders hold
    beyond the spread of the seeds.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    clear: bool


class OrderFlip(_Record, frozen=True, kw_only=True):
    """Two entrants whose order (final validation loss) differs between two regimes.

    `first` leads in `regime`, `second` in `other_regime`; `clear` as in `RankFlip`.
    """

    first: str
    second: str
    regime: str
    other_regime: str
    clear: bool


class RegimeView(_Record, frozen=True, kw_only=True):
    """The regimes side by side on one dataset, network and initializer.

    Attributes:
        label: what is common, e.g. ``"digits | 32-32 relu | he-normal"``.
        examples, updates: the common cost at which the two views are taken (None for updates
            when no update count is common).
        rows: one for each entrant and regime.
        flips: same entrant in two regimes, or two entrants, between the views.
        order_flips: two entrants between regimes.
    """

    label: str
    regimes: tuple[str, ...]
    examples: float
    updates: float
    rows: tuple[RegimeLoss, ...]
    flips: tuple[RankFlip, ...]
    order_flips: tuple[OrderFlip, ...]


class Matrix(_Record, frozen=True, kw_only=True):
    """Optimizer x initializer. Row i is `labels[i]`, column j `initializations[j]`.

    Attributes:
        score: mean score, spanned by the best run over all initializers; None: not trained.
        loss: median final validation loss; given only when one dataset, network and regime share
            the matrix, else None throughout.
        divergence: share of evaluation runs that did not end finite.
    """

    labels: tuple[str, ...]
    initializations: tuple[str, ...]
    score: tuple[tuple[Number, ...], ...]
    loss: tuple[tuple[Number, ...], ...]
    divergence: tuple[tuple[Number, ...], ...]


class BiasVariance(_Record, frozen=True, kw_only=True):
    """Where the validation loss of one entrant on one workload comes from.

    ``val - reference = bias + optimization + variance``, each with its interval. `verdict` is
    ``"bias"``, ``"optimization"``, ``"variance"``, several of them joined by ``" + "``,
    ``"diverged"``, or ``"none high"``.
    """

    label: str
    workload: str
    reference: float
    floor: float
    delta: float
    bias: Estimate
    optimization: Estimate
    variance: Estimate
    verdict: str


class Verdict(_Record, frozen=True, kw_only=True):
    """One sentence derived from the numbers, about `label` (``""``: about the study)."""

    label: str
    text: str


class Leaderboard(_Record, frozen=True, kw_only=True):
    """A whole comparison. Every sequence is sorted, best first where there is a best.

    Attributes:
        title: name of the suite or study; free text.
        target_level: which frozen target is used: ``"easy"``, ``"medium"``, ``"hard"``.
        seeds: evaluation seeds an entrant has on a workload (the least over cells).
        overall: one row an entrant.
        pairs: every pair of entrants.
        profiles: one a cost axis; empty when no target is known.
        budgets, lr_curves: empty when nothing was tuned.
        regimes: empty unless two regimes share dataset, network and initializer.
        matrix: None unless there are two initializations.
        critical_difference: None with fewer than two entrants or workloads.
    """

    format: int = 1
    title: str = ""
    protocol: StudyProtocol
    ruleset: str
    target_level: str
    seeds: int
    runs: int
    overall: tuple[OverallRow, ...]
    tie_groups: tuple[TieGroup, ...]
    pairs: tuple[Pair, ...]
    workloads: tuple[WorkloadBoard, ...]
    profiles: tuple[Profile, ...]
    budgets: tuple[Budget, ...]
    lr_curves: tuple[LearningRateCurve, ...]
    regimes: tuple[RegimeView, ...]
    matrix: Matrix | None
    critical_difference: CriticalDifference | None
    bias_variance: tuple[BiasVariance, ...]
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...]

    def _repr_html_(self) -> str:
        """How a notebook shows it: the ranked table, then the sentences about the whole study."""
        rows = [
            (
                " to ".join(map(str, dict.fromkeys(row.place))),
                row.label,
                "–" if row.score.value is None else f"{row.score.value:.2f}",
                row.tie_groups,
                f"{row.divergence.rate:.0%}",
            )
            for row in self.overall
        ]
        head = ("place", "optimizer", "score", "ties", "runs lost")
        said = [verdict.text for verdict in self.verdicts if not verdict.label]
        return html.table(rows, head) + html.paragraphs(said)


def plain(value: Any) -> Any:
    """A record as dicts, lists and scalars that strict JSON can hold.

    Example:
        >>> plain(Estimate(value=math.inf))
        {'value': 'inf', 'low': None, 'high': None}
    """
    return msgspec.json.decode(_json(value))


def to_json(board: Leaderboard, indent: int = 1) -> bytes:
    """The leaderboard as JSON: infinity is ``"inf"``, what is not known is ``null``."""
    return msgspec.json.format(_json(board), indent=indent)


def _json(value: Any) -> bytes:
    return msgspec.json.encode(_spelt(value))


def _spelt(value: Any) -> Any:
    """The value with its infinities as text, which JSON would lose; NaN becomes ``null`` there."""
    if isinstance(value, float):
        return str(value) if math.isinf(value) else value
    if not isinstance(value, msgspec.Struct | dict | list | tuple) or not _may_be_infinite(value):
        return value
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return {key: _spelt(item) for key, item in value.items()}
    return [_spelt(item) for item in value]


_INFINITY, _MINUS_INFINITY = (msgspec.msgpack.encode(v)[1:] for v in (math.inf, -math.inf))


def _may_be_infinite(value: Any) -> bool:
    """Told by the eight bytes that MessagePack has for it: most parts hold none, and stay."""
    try:
        packed = msgspec.msgpack.encode(value)
    except OverflowError:  # an integer that only JSON can hold
        return True
    return _INFINITY in packed or _MINUS_INFINITY in packed


def from_json(text: bytes | str) -> Leaderboard:
    """Read what `to_json` wrote.

    Raises:
        msgspec.ValidationError: the text is JSON, but no leaderboard of this format.
        msgspec.DecodeError: the text is not JSON.
    """
    return msgspec.convert(msgspec.json.decode(text), Leaderboard, strict=False)
