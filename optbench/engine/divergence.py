"""The divergence rule, which decides when a run is stopped early and why."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from optbench.support.text import plural

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
        hint: What probably makes a loss not finite; empty if unknown.

    Example:
        >>> rule = DivergenceRule(2.0, 2.0)
        >>> [rule.reason(loss, 2.0, updates=10) for loss in (30.0, 30.0)]
        ['', '']
        >>> rule.reason(30.0, 2.0, updates=30)
        'loss 30 is over 10 x the initial 2'
    """

    def __init__(self, train_loss: float, val_loss: float, hint: str = "") -> None:
        self._initial = _finite_together(train_loss, val_loss)
        self._hint = f": {hint}" if hint else ""
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
            noun = plural(updates, "update", "updates")
            return f"loss not finite after {updates} {noun}{self._hint}"
        self._strikes = self._strikes + 1 if loss > LOSS_RATIO * self._initial else 0
        if self._strikes < PATIENCE:
            return ""
        return f"loss {loss:.3g} is over {LOSS_RATIO:g} x the initial {self._initial:.3g}"


def zero_eps(hyper: Mapping[str, object], dtype: str) -> str:
    """Return a hint if the term that keeps a division finite is zero, or an empty string.

    Args:
        hyper: Hyperparameters of the optimizer.
        dtype: Type of the parameters. In ``"float32"``, values below 1e-45 are zero.

    Example:
        >>> zero_eps({"lr": 0.1, "eps": 1e-50}, "float32")
        'eps=1e-50 is 0 in float32, so an update divides 0 by 0 where a gradient stays 0, as it \
does for a constant input'
    """
    for name in ("eps", "epsilon"):
        value = hyper.get(name)
        if isinstance(value, float | int) and not np.dtype(dtype).type(value):
            rounded = f"{name}={value:g}" + (f" is 0 in {dtype}" if value else "")
            return (
                f"{rounded}, so an update divides 0 by 0 where a gradient stays 0, as it does for "
                "a constant input"
            )
    return ""


def _finite_together(train_loss: float, val_loss: float) -> float:
    """Return the training loss, or NaN if the validation loss is not finite."""
    return train_loss if math.isfinite(val_loss) else math.nan
