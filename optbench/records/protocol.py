"""The protocol of a study, and its entrants."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from optbench.contracts import Value
from optbench.records.spec import StepControl

MAX_SEEDS = 1_000_000
"""Largest number of evaluation seeds; they are 0, 1, ..."""
TUNING_SEED = MAX_SEEDS
"""First tuning seed. Evaluation seeds lie below it, so no seed is used for both."""


def is_evaluation(seed: int) -> bool:
    """Return whether a run with this seed is an evaluation run; otherwise it is a tuning run."""
    return seed < TUNING_SEED


class StudyProtocol(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How configurations are chosen and evaluated; the same for every entrant.

    The fields, with their limits and descriptions, are the only list of protocol keys: suites, the
    options of the command line and comparisons of studies are derived from them.

    Attributes:
        ruleset: What is tuned: ``"defaults"`` nothing, ``"lr"`` the learning rate, ``"full"``
            everything that declares a search range.
        budget: Trials of an entrant on each workload (1 with ``"defaults"``).
        tuning_seeds: Seeds of each trial.
        seeds: Evaluation seeds of the chosen configuration, disjoint from the tuning seeds.
        select: ``"val_loss"`` (final validation loss) or ``"time"`` (examples to the target).
        widen: How often a search range is extended when the best trial lies at its edge.
        dtype: ``"float32"`` or ``"float64"``.
        grid_points: Evaluations along a run.
    """

    ruleset: Annotated[
        Literal["defaults", "lr", "full"],
        Meta(description="What is tuned: nothing, the learning rate, everything."),
    ] = "lr"
    budget: Annotated[
        int, Meta(ge=1, le=10_000, description="Trials of an optimizer on each workload.")
    ] = 8
    tuning_seeds: Annotated[int, Meta(ge=1, le=1000, description="Seeds of each trial.")] = 1
    seeds: Annotated[
        int, Meta(ge=1, le=MAX_SEEDS, description="Evaluation seeds of the chosen configuration.")
    ] = 5
    select: Annotated[
        Literal["val_loss", "time"],
        Meta(description="Choose by final validation loss, or by examples to the target."),
    ] = "val_loss"
    widen: Annotated[
        int,
        Meta(ge=0, le=5, description="Times a range is extended if the best lies at its edge."),
    ] = 1
    dtype: Annotated[Literal["float32", "float64"], Meta(description="Precision.")] = "float32"
    grid_points: Annotated[int, Meta(ge=2, le=10_000, description="Evaluations along a run.")] = 40


class Entrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An optimizer as entered in a study, with the values that the user fixed.

    Attributes:
        label: Label in the leaderboard, e.g. ``"adam[beta1=0.95]"``; unique in a study.
        optimizer: Name of the optimizer.
        given: Hyperparameters fixed by the user; they are never tuned.
        control: Schedule and clipping.
    """

    label: str
    optimizer: str
    given: dict[str, Value] = {}
    control: StepControl = StepControl()
