"""The divergence rule, which decides when a run is stopped early and why."""

from __future__ import annotations

import math

LOSS_RATIO = 10.0
"""Ratio of training loss to initial loss above which an evaluation counts as diverging."""
PATIENCE = 3
"""Number of consecutive diverging evaluations after which a run has diverged."""


class DivergenceRule:
    """Decides after each evaluation whether a run has diverged.

    A run has diverged as soon as its training or validation loss is not finite, or when its
    training loss exceeds `LOSS_RATIO` times the initial one at `PATIENCE` consecutive evaluations.

    Args:
        train_loss: Training loss before the first update.
        val_loss: Validation loss before the first update.

    Example:
        >>> rule = DivergenceRule(2.0, 2.0)
        >>> [rule.reason(loss, 2.0, updates=10) for loss in (30.0, 30.0)]
        ['', '']
        >>> rule.reason(30.0, 2.0, updates=30)
        'loss 30 is over 10 x the initial 2'
    """

    def __init__(self, train_loss: float, val_loss: float) -> None:
        self._initial = _finite_together(train_loss, val_loss)
        self._strikes = 0

    def reason(self, train_loss: float, val_loss: float, updates: int) -> str:
        """Return the reason why the run has diverged, or an empty string if it has not.

        Args:
            train_loss: Training loss at this evaluation.
            val_loss: Validation loss at this evaluation.
            updates: Number of updates so far.
        """
        loss = _finite_together(train_loss, val_loss)
        if not math.isfinite(loss):
            return f"loss not finite after {updates} updates"
        self._strikes = self._strikes + 1 if loss > LOSS_RATIO * self._initial else 0
        if self._strikes < PATIENCE:
            return ""
        return f"loss {loss:.3g} is over {LOSS_RATIO:g} x the initial {self._initial:.3g}"


def _finite_together(train_loss: float, val_loss: float) -> float:
    """Return the training loss, or NaN if the validation loss is not finite."""
    return train_loss if math.isfinite(val_loss) else math.nan
