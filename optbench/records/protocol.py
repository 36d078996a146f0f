"""How a study compares: the protocol, and who competes."""

from __future__ import annotations

from typing import Literal

import msgspec

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
    """How configurations are chosen and judged; the same for every entrant.

    Attributes:
        ruleset: what is tuned: ``"defaults"`` nothing, ``"lr"`` the learning rate, ``"full"``
            everything that declares a search range.
        budget: trials an entrant has on each workload (1 with ``"defaults"``).
        tuning_seeds: seeds each trial is trained with.
        seeds: fresh seeds the chosen configuration is judged on, disjoint from the tuning seeds.
        select: ``"val_loss"`` (final validation loss) or ``"time"`` (examples to the target).
        widen: how often a search range is extended when the best trial lies at its edge.
        dtype: ``"float32"`` or ``"float64"``.
        grid_points: evaluations along a run.
    """

    ruleset: Literal["defaults", "lr", "full"] = "lr"
    budget: int = 8
    tuning_seeds: int = 1
    seeds: int = 5
    select: Literal["val_loss", "time"] = "val_loss"
    widen: int = 1
    dtype: str = "float32"
    grid_points: int = 40


class Entrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who competes: an optimizer, with the values that the user fixed (those are never tuned).

    Attributes:
        label: as the leaderboard shows it, e.g. ``"adam[beta1=0.95]"``; unique in a study.
        optimizer: name of the optimizer.
        given: hyperparameters fixed by the user.
        control: schedule and clipping.
    """

    label: str
    optimizer: str
    given: dict[str, Value] = {}
    control: StepControl = StepControl()
