"""The score: how far a run came from guessing towards the best known loss, on a log scale.

Both ends of the scale are fixed for a dataset and network, so no run changes the score of another
one. A board takes the mean over seeds, then replicates, then workloads; nothing else is made of
scores.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from optbench.analysis.statistics import metrics
from optbench.contracts import Array
from optbench.tuning.trials import SOLVED

LEAST_PROGRESS = math.log(1 / 0.98)
"""Progress in log loss below which no entrant learned."""
HIGHEST_SCORE = 1.2
"""Score at which a run that beats the best known loss is cut."""


def frozen_score(loss: npt.ArrayLike, guess: npt.ArrayLike, best: npt.ArrayLike) -> Array:
    """Return the progress of runs from guessing to the best known loss, on a log scale.

    ``score = (log L_guess - log L) / (log L_guess - log L_best)``, cut to [0, 1.2]. So 0 is "no
    better than guessing", however large the loss was before training, and 1 "as good as the best
    known". No loss counts below L_guess / 1000: then the problem is solved. The score of a run
    depends on no other run, so it does not move when seeds or entrants are added.

    Args:
        loss: Losses, any shape; infinite for a lost run, NaN where there was no run.
        guess: Loss of always guessing the class frequencies, or the mean; broadcast to `loss`.
        best: Best known loss, likewise. Where it is not 2% below `guess`, or either is NaN, no
            entrant learned, and every score is 0.

    Returns:
        Scores of the shape of `loss`; 0 for a lost run, NaN where there was no run.

    Example:
        >>> frozen_score([0.01, 0.1, 1.0, 50.0, float("inf")], guess=1.0, best=0.01).tolist()
        [1.0, 0.5, 0.0, 0.0, 0.0]
    """
    loss = np.asarray(loss, dtype=float)
    start = metrics.log_loss(guess)
    lowest = start + math.log(SOLVED)
    span = start - np.maximum(metrics.log_loss(best), lowest)
    with np.errstate(divide="ignore", invalid="ignore"):
        progress = (start - np.maximum(metrics.log_loss(loss), lowest)) / span
        progress = np.where(span >= LEAST_PROGRESS, progress, 0.0)
    return np.where(np.isnan(loss), np.nan, np.clip(progress, 0, HIGHEST_SCORE))
