"""The protocol of a study, and its entrants."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from optbench.contracts import Value
from optbench.records.spec import StepControl

MAX_SEEDS = 1_000_000
"""Largest number of evaluation seeds of a replicate."""
MAX_REPLICATES = 512
"""Largest number of replicates of a study; the last replicate has at most twice this number."""
MAX_RETEST_SEEDS = 1000
"""Largest number of further tuning seeds of a trial."""
TUNING_SEED = 2**29
"""First tuning seed; the last one is `EVALUATION_SEED` - 1."""
EVALUATION_SEED = 2**30
"""First evaluation seed of a study; no seed is used for both tuning and evaluation."""
OLD_TUNING_SEED = 1_000_000
"""First tuning seed of studies without replicates, whose evaluation seeds were 0, 1, ..."""


def is_evaluation(seed: int) -> bool:
    """Return whether a run with this seed is an evaluation run; otherwise it is a tuning run.

    Example:
        >>> is_evaluation(0), is_evaluation(2**29), is_evaluation(2**30)
        (True, False, True)
    """
    return seed < OLD_TUNING_SEED or seed >= EVALUATION_SEED


class StudyProtocol(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How configurations are chosen and evaluated; the same for every entrant.

    The fields, with their limits and descriptions, are the only list of protocol keys: suites, the
    options of the command line and comparisons of studies are derived from them.

    Attributes:
        ruleset: What is tuned: ``"defaults"`` nothing, ``"lr"`` the rate, ``"full"``
            everything that declares a search range.
        budget: Trials of an entrant on each workload in each replicate (1 with ``"defaults"``),
            the default configuration among them. With one more than a power of two, the search
            points of a single rate leave no gap in its range.
        tuning_seeds: Seeds of each trial.
        refine_trials: Number of further trials beside the best one, the same for every entrant.
        retest_trials: Number of best trials that are trained on further tuning seeds before one of
            them is chosen; 0 for none.
        retest_seeds: Number of these further seeds; the better half of four or more trials is then
            trained on twice as many more (at most `MAX_RETEST_SEEDS` in all).
        seeds: Evaluation seeds of the chosen configuration in each replicate, disjoint from the
            tuning seeds.
        replicates: Independent repetitions of tuning and evaluation on each workload.
        stepper_replicates: Replicates of optimizers that are Steppers, whose runs take many times
            as long as compiled ones; 0 for as many as the others have.
        first_replicate: Number of the first replicate; two studies with disjoint replicates share
            neither a seed nor a search point.
        select: ``"best_val_loss"`` (lowest validation loss along the run, where the test part is
            read), ``"val_loss"`` (final validation loss, test part read at the end) or ``"time"``
            (examples to the target).
        widen: How often a search range is extended when the best trial lies at its edge.
        dtype: ``"float32"`` or ``"float64"``.
        grid_points: Evaluations along a run.
    """

    ruleset: Annotated[
        Literal["defaults", "lr", "full"],
        Meta(description="What is tuned: nothing, the learning rate, everything."),
    ] = "lr"
    budget: Annotated[
        int, Meta(ge=1, le=10_000, description="Trials of each optimizer on each workload.")
    ] = 9
    tuning_seeds: Annotated[int, Meta(ge=1, le=1000, description="Seeds of each trial.")] = 1
    refine_trials: Annotated[
        int, Meta(ge=0, le=1000, description="Further trials beside the best one.")
    ] = 2
    retest_trials: Annotated[
        int,
        Meta(
            ge=0, le=100, description="Number of best trials that are trained on more tuning seeds."
        ),
    ] = 4
    retest_seeds: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_RETEST_SEEDS,
            description="Further tuning seeds of these trials; twice as many for the better half.",
        ),
    ] = 2
    seeds: Annotated[
        int, Meta(ge=1, le=MAX_SEEDS, description="Evaluation seeds of the chosen configuration.")
    ] = 5
    replicates: Annotated[
        int,
        Meta(
            ge=1, le=MAX_REPLICATES, description="Independent repetitions of tuning and evaluation."
        ),
    ] = 6
    stepper_replicates: Annotated[
        int,
        Meta(
            ge=0,
            le=MAX_REPLICATES,
            description="Replicates of Steppers, if fewer; 0 for as many as the others.",
        ),
    ] = 0
    first_replicate: Annotated[
        int,
        Meta(ge=0, le=MAX_REPLICATES - 1, description="Number of the first replicate."),
    ] = 0
    select: Annotated[
        Literal["best_val_loss", "val_loss", "time"],
        Meta(description="Choose by lowest or final validation loss, or by time to the target."),
    ] = "best_val_loss"
    widen: Annotated[
        int,
        Meta(
            ge=0,
            le=5,
            description="How often a range is extended if the best trial lies at its edge.",
        ),
    ] = 1
    dtype: Annotated[
        Literal["float32", "float64"], Meta(description="Floating-point precision.")
    ] = "float32"
    grid_points: Annotated[
        int, Meta(ge=2, le=10_000, description="Number of evaluations along a run.")
    ] = 40


class Entrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An optimizer as entered in a study, with the values that the user fixed.

    Attributes:
        label: Label in the leaderboard, e.g. ``"adam[beta1=0.95]"``; unique in a study.
        optimizer: Name of the optimizer.
        given: Hyperparameters fixed by the user; they are never tuned.
        control: Schedule and clipping.
        rate: Name of the optimizer's rate; ``""`` for an optimizer without one.
        kind: ``"rule"`` or ``"stepper"``; ``""`` in studies that were saved without it.
    """

    label: str
    optimizer: str
    given: dict[str, Value] = {}
    control: StepControl = StepControl()
    rate: str = "lr"
    kind: Literal["", "rule", "stepper"] = ""
