"""The divergence rule: which losses end a run, and what is said of it."""

from __future__ import annotations

import math

import pytest

from optbench.engine.divergence import LOSS_RATIO, PATIENCE, DivergenceRule

HIGH = 2 * LOSS_RATIO


def reasons(*losses: float, val_loss: float = 1.0) -> list[str]:
    """The reasons after each training loss, for a run that begins at a loss of 1."""
    rule = DivergenceRule(1.0, 1.0)
    return [rule.reason(loss, val_loss, updates) for updates, loss in enumerate(losses, start=1)]


def test_a_high_loss_ends_the_run_when_it_stays() -> None:
    """The rule waits for `PATIENCE` high losses in a row; the reason has both losses."""
    *before, last = reasons(*[HIGH] * PATIENCE)
    assert before == [""] * (PATIENCE - 1)
    assert last == "loss 20 is over 10 x the initial 1"


def test_a_run_that_recovers_goes_on() -> None:
    """A loss that is low again resets the count."""
    losses = [*[HIGH] * (PATIENCE - 1), 1.0]
    assert set(reasons(*losses * 3)) == {""}


def test_the_limit_itself_is_allowed() -> None:
    """A loss of exactly `LOSS_RATIO` times the initial one does not count."""
    assert set(reasons(*[LOSS_RATIO] * 2 * PATIENCE)) == {""}


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_run_at_once(loss: float) -> None:
    """This holds for the training loss and for the validation loss."""
    assert reasons(0.5, loss) == ["", "loss not finite after 2 updates"]
    assert reasons(0.5, val_loss=loss) == ["loss not finite after 1 update"]
