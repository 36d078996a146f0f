"""The records of the views beside the ranking: profiles, tuning, regimes, initializers, losses."""

from __future__ import annotations

from optbench.analysis.board_rows import Estimate, Number, Record
from optbench.analysis.cost_axes import CostAxis


class Profile(Record, frozen=True, kw_only=True):
    """Performance profiles on one cost axis.

    Attributes:
        tau: Ratios to the best time, from 1 to 4.
        rho: Label -> share of workloads solved within tau times the best time.
        area: Label -> integral over tau / 3, in [0, 1].
        unsolved: Workloads that no entrant solved, which are left out.
        order: Labels by area, best first.
        flips: Pairs whose order changes when the named third entrant is left out.
    """

    axis: CostAxis
    tau: tuple[float, ...]
    rho: dict[str, tuple[float, ...]]
    area: dict[str, float]
    unsolved: tuple[str, ...]
    order: tuple[str, ...]
    flips: tuple[tuple[str, str, str], ...]


class TargetDistribution(Record, frozen=True, kw_only=True):
    """Empirical distribution of the cost to targets: the share of targets reached by then.

    Attributes:
        levels: Targets, as shares of the way from guessing to the best known loss, in log loss.
        cost: Examples seen as shares of the budget, ascending.
        reached: Label -> share of its (workload, seed, target) triples reached at each cost.
        triples: Label -> number of these triples.
    """

    levels: tuple[float, ...]
    cost: tuple[float, ...]
    reached: dict[str, tuple[float, ...]]
    triples: dict[str, int]


class Budget(Record, frozen=True, kw_only=True):
    """Expected best of the first k of n trials, from the trials already made.

    Attributes:
        workload: Label; ``""`` for the mean over all workloads.
        loss: Expected lowest validation loss for k = 1, 2, ...; empty for the mean over workloads.
        score: The same as a score in [0, 1].
    """

    label: str
    workload: str
    loss: tuple[float, ...]
    score: tuple[float, ...]


class LearningRateCurve(Record, frozen=True, kw_only=True):
    """Every trial of one entrant on one workload, by ascending learning rate.

    Attributes:
        rate: Name of the hyperparameter that is the rate.
        loss: Final validation loss of each trial (median over tuning seeds); inf if it diverged.
        chosen: The lr that was selected.
        initial_loss: Loss before training.
        only_lr: Whether only the rate differs between the trials.
    """

    label: str
    rate: str = "lr"
    workload: str
    lr: tuple[float, ...]
    loss: tuple[float, ...]
    chosen: Number
    initial_loss: Number
    only_lr: bool


class RegimeLoss(Record, frozen=True, kw_only=True):
    """One entrant in one regime, at equal examples and at equal updates.

    Attributes:
        at_examples, at_updates: Median validation loss at the common number of examples, updates.
        rank_at_examples, rank_at_updates: Rank among all entrants and regimes of the view.
    """

    label: str
    regime: str
    at_examples: float
    at_updates: float
    rank_at_examples: float
    rank_at_updates: float


class RankFlip(Record, frozen=True, kw_only=True):
    """Two regimes of one entrant, in an order that depends on what is equal.

    `first` leads at equal examples, `second` at equal updates. `clear` says that both orders hold
    beyond the spread of the seeds.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    clear: bool


class OrderFlip(Record, frozen=True, kw_only=True):
    """Two entrants, in an order by validation loss that differs between two regimes.

    The losses are those at equal examples, which are the ends of the runs only in the regime with
    the fewest. `first` leads in `regime`, `second` in `other_regime`; `clear` as in `RankFlip`.
    """

    first: str
    second: str
    regime: str
    other_regime: str
    clear: bool


class RegimeView(Record, frozen=True, kw_only=True):
    """The regimes side by side on one dataset, network and initializer.

    Attributes:
        label: What the regimes share, such as ``"digits | 32-32 relu | he-normal"``.
        examples, updates: The common cost at which the losses are compared.
        rows: One for each entrant and regime.
        flips: Regimes of one entrant in another order at equal examples than at equal updates.
        order_flips: Entrants in another order in one regime than in another.
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
        score: Mean score relative to the best run over all initializers; None if not trained.
        loss: Median final validation loss; None throughout if the matrix covers more than one
            dataset, network and regime.
        divergence: Share of evaluation runs that were lost.
    """

    labels: tuple[str, ...]
    initializations: tuple[str, ...]
    score: tuple[tuple[Number, ...], ...]
    loss: tuple[tuple[Number, ...], ...]
    divergence: tuple[tuple[Number, ...], ...]


class BiasVariance(Record, frozen=True, kw_only=True):
    """The parts of the validation loss of one entrant on one workload.

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
