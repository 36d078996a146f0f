"""The losses between which scores lie, and the targets, of every workload of a study."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optbench.analysis.derived_targets import targets_of
from optbench.analysis.study_arrays import StudyArrays
from optbench.contracts import Array
from optbench.suites import TARGET_LEVEL, Target, Targets

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Scales:
    """Scale of the scores of each part of the data, one value for each of W workloads.

    Attributes:
        guess: Loss of guessing; score 0.
        best: Best known loss; score 1. NaN if unknown.
        from_study: Whether `best` is taken from this study, since no frozen one is known.
        target: Validation loss to reach; NaN if unknown.
        target_frozen: Whether `target` was frozen beforehand.
        records: Targets of all levels; None if unknown.
    """

    guess: dict[Part, Array]
    best: dict[Part, Array]
    from_study: dict[Part, Array]
    target: Array
    target_frozen: tuple[bool, ...]
    records: tuple[Target | None, ...]

    def on(self, columns: Sequence[int]) -> Scales:
        """Return the scales of some workloads.

        Args:
            columns: Indices of the workloads.
        """
        index = list(columns)
        return Scales(
            guess={part: losses[index] for part, losses in self.guess.items()},
            best={part: losses[index] for part, losses in self.best.items()},
            from_study={part: known[index] for part, known in self.from_study.items()},
            target=self.target[index],
            target_frozen=tuple(self.target_frozen[i] for i in index),
            records=tuple(self.records[i] for i in index),
        )


def scales_of(study: StudyArrays, known: Targets) -> Scales:
    """Return the scales of a study.

    Args:
        study: The runs, which know the loss of guessing. Runs stored before it was measured have
            their loss before training instead.
        known: Frozen losses; what they lack is derived from the study.
    """
    keys = [(w.dataset, w.network) for w in study.workloads]
    is_known = tuple(key in known for key in keys)
    frozen = {part: _best(known, keys, part) for part in PARTS}
    complete = all(is_known) and not any(np.isnan(best).any() for best in frozen.values())
    derived = {} if complete else targets_of(study)
    both = {**derived, **known}
    targets = [both[key].loss(TARGET_LEVEL) if key in both else math.nan for key in keys]
    return Scales(
        guess={part: _guess(study, part) for part in PARTS},
        best={
            part: np.where(np.isnan(best), _best(derived, keys, part), best)
            for part, best in frozen.items()
        },
        from_study={part: np.isnan(best) for part, best in frozen.items()},
        target=np.array(targets, dtype=float),
        target_frozen=is_known,
        records=tuple(both.get(key) for key in keys),
    )


def _best(targets: Targets, keys: list[tuple[str, str]], part: Part) -> Array:
    name = f"best_{part}"
    values = [getattr(targets[key], name) if key in targets else math.nan for key in keys]
    return np.array(values, dtype=float)


def _guess(study: StudyArrays, part: Part) -> Array:
    """Return the loss of guessing on each workload, shape (W,)."""
    measured = np.array([getattr(run, f"guess_{part}_loss") for run in study.runs])
    initial = (study.train if part == "train" else study.val)[:, 0]
    guess = study.workload_medians(measured)
    return np.where(np.isnan(guess), study.workload_medians(initial), guess)
