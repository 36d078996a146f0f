"""The records of the views beside the ranking: profiles, tuning, regimes, initializers, losses."""

from __future__ import annotations

from optbench.analysis.board_rows import Estimate, Number, Record
from optbench.analysis.cost_axes import CostAxis


class Profile(Record, frozen=True, kw_only=True):
    """Performance profiles on one cost axis.

    Attributes:
        tau: ratios to the best time, from 1 to 4.
        rho: label -> share of workloads solved within tau times the best time.
        area: label -> integral over tau / 3, in [0, 1].
        unsolved: workloads that nobody solved; left out.
        order: labels by area, best first.
        flips: pairs whose order changes when the named third entrant is left out.
    """

    axis: CostAxis
    tau: tuple[float, ...]
    rho: dict[str, tuple[float, ...]]
    area: dict[str, float]
    unsolved: tuple[str, ...]
    order: tuple[str, ...]
    flips: tuple[tuple[str, str, str], ...]


class Budget(Record, frozen=True, kw_only=True):
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


class LearningRateCurve(Record, frozen=True, kw_only=True):
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


class RegimeLoss(Record, frozen=True, kw_only=True):
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


class RankFlip(Record, frozen=True, kw_only=True):
    """An entrant in two regimes, whose order depends on the view.

    `first` leads at equal examples, `second` at equal updates. `clear` when both orders hold
    beyond the spread of the seeds.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    clear: bool


class OrderFlip(Record, frozen=True, kw_only=True):
    """Two entrants whose order (final validation loss) differs between two regimes.

    `first` leads in `regime`, `second` in `other_regime`; `clear` as in `RankFlip`.
    """

    first: str
    second: str
    regime: str
    other_regime: str
    clear: bool


class RegimeView(Record, frozen=True, kw_only=True):
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


class Matrix(Record, frozen=True, kw_only=True):
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


class BiasVariance(Record, frozen=True, kw_only=True):
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
