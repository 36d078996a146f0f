"""Three-way verdicts on pairs: better, equal, or open, and what an open pair would need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from optbench.analysis.statistics.contrasts import Contrasts, t_quantiles
from optbench.analysis.statistics.multiplicity import adjusted_p_values, holm
from optbench.contracts import Array
from optbench.records import ALPHA, MAX_REPLICATES

Answer = Literal["better", "equal", "open"]
POWER = 0.8
"""Probability that the stated number of replicates decides an open pair."""
MOST_REPLICATES = MAX_REPLICATES
"""Largest number of replicates that is offered."""


class Decision(NamedTuple):
    """The verdict on one contrast.

    Attributes:
        difference, low, high: Estimate, with its interval of level ``1 - alpha`` by itself.
        p: p-value of a difference of 0, by itself.
        p_adjusted: p-value of a difference of 0, corrected for the family.
        p_equal: p-value of a difference at or beyond the region of practical equivalence,
            corrected for the family.
        answer: ``"equal"`` if the difference lies surely within the region; otherwise
            ``"better"`` if it is surely not 0 (its sign says which one); otherwise ``"open"``.
        needs: Replicates in all with which an open pair would be decided with 80% power; None for
            a decided pair, and if `MOST_REPLICATES` are not enough.
    """

    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    p_equal: float
    answer: Answer
    needs: int | None


class Closed(NamedTuple):
    """The verdict of an earlier look on a contrast that is not tested again.

    Attributes:
        answer: ``"better"``, ``"equal"``, or ``"open"`` if there are no further results.
        sign: Sign of the difference then, 1 or -1.
        p_adjusted, p_equal: As in `Decision`, at that look.
    """

    answer: Answer
    sign: float
    p_adjusted: float
    p_equal: float

    def agrees(self, estimate: float, region: float) -> bool:
        """Return whether an estimate from more replicates does not contradict this verdict."""
        if self.answer == "open":
            return True
        return abs(estimate) < region if self.answer == "equal" else self.sign * estimate > 0


def decide(
    contrasts: Contrasts,
    region: float,
    *,
    entrants: int | None = None,
    alpha: float = ALPHA,
    closed: Sequence[Closed | None] | None = None,
) -> list[Decision]:
    """Decide every contrast of a family.

    Two kinds of claims are made, each with a family-wise error rate of at most `alpha`: that a
    difference exists (`adjusted_p_values`), and that it lies within ``-region .. region`` (two
    one-sided tests with Holm's correction).

    At a further look at a growing study, verdicts of earlier looks stand. Only the open contrasts
    with further results are tested, and the claims that were made already count as the first steps
    of the step-down corrections. A contrast that more replicates contradict becomes open.

    Args:
        contrasts: The family, shape (P,).
        region: Half width of the region of practical equivalence, > 0.
        entrants: Number of entrants if the contrasts are all their pairs, on common workloads.
        alpha: Family-wise error rate.
        closed: Verdict of an earlier look on each contrast; None where it is tested now.
    """
    low, high = contrasts.interval(alpha)
    before = list(closed or [None] * len(contrasts.estimate))
    adjusted, equal, answers = answer_all(contrasts, region, entrants, alpha, before)
    needs = _needs(contrasts, region, alpha / max(answers.count("open"), 1))
    columns = (contrasts.estimate, low, high, contrasts.p_value, adjusted, equal)
    return [
        Decision(
            d,
            a,
            b,
            p,
            verdict.p_adjusted if verdict else p_adjusted,
            verdict.p_equal if verdict else p_equal,
            answer,
            need if answer == "open" else None,
        )
        for (d, a, b, p, p_adjusted, p_equal), answer, need, verdict in zip(
            np.stack(columns, axis=1).tolist(), answers, needs, before, strict=True
        )
    ]


def answer_all(
    contrasts: Contrasts,
    region: float,
    entrants: int | None,
    alpha: float,
    closed: Sequence[Closed | None],
) -> tuple[Array, Array, list[Answer]]:
    """Return both adjusted p-values and the verdict of every contrast; see `decide`."""
    answers_before = np.array([verdict.answer if verdict else "" for verdict in closed])
    adjusted = adjusted_p_values(
        contrasts, entrants, _carry_over(contrasts.p_value, answers_before, "better")
    )
    equal, testable = np.ones(len(contrasts.estimate)), contrasts.testable
    single = _carry_over(contrasts.equivalence_p_value(region), answers_before, "equal")
    equal[testable] = holm(single[testable])
    answers: list[Answer] = []
    for estimate, p, q, verdict in zip(
        contrasts.estimate.tolist(), adjusted.tolist(), equal.tolist(), closed, strict=True
    ):
        if verdict is not None:
            answers.append(verdict.answer if verdict.agrees(estimate, region) else "open")
        else:
            answers.append("equal" if q <= alpha else "better" if p <= alpha else "open")
    return adjusted, equal, answers


def _carry_over(p_values: Array, closed: Array, claim: Answer) -> Array:
    """Return p-values of 0 where a claim was made already, and of 1 where it is not tested."""
    return np.where(closed == "", p_values, np.where(closed == claim, 0.0, 1.0))


def _needs(contrasts: Contrasts, region: float, alpha: float) -> list[int | None]:
    """Return the fewest replicates in all that decide each contrast with `POWER`.

    What the estimate will be with n replicates is uncertain for two reasons: the true difference
    is known only up to its standard error, and the further replicates vary too. Given the estimate
    D of K replicates with variance v each, the estimate of n is normal around D with variance
    ``v (1/K - 1/n)``.
    """
    sizes = np.unique(np.round(np.geomspace(2, 1000, 200)).astype(int))
    sizes = sizes[sizes <= MOST_REPLICATES]
    needs: list[int | None] = []
    for estimate, error, df, now in zip(
        contrasts.estimate, contrasts.error, contrasts.df, contrasts.replicates, strict=True
    ):
        n = sizes[sizes > now]
        if not math.isfinite(error) or not len(n) or not alpha:
            needs.append(None)
            continue
        chance = decision_power(estimate, error, df, now, n, region, alpha)
        enough = np.flatnonzero(chance >= POWER)
        needs.append(int(n[enough[0]]) if len(enough) else None)
    return needs


def decision_power(
    estimate: float, error: float, df: float, now: int, later: Array, region: float, alpha: float
) -> Array:
    """Return the probability that a contrast is decided with more replicates.

    Args:
        estimate, error, df: The contrast at present.
        now: Its replicates at present.
        later: Numbers of replicates in all, above `now`.
        region: Half width of the region of practical equivalence.
        alpha: Two-sided level of its difference, one-sided level of its equivalence.

    Returns:
        Shape of `later`.
    """
    from scipy.special import ndtr

    width = error * np.sqrt(now / later)
    freedom = df * (later - 1) / (now - 1)
    ahead = np.maximum(error * np.sqrt(1 - now / later), 1e-300)
    apart = t_quantiles(freedom, 1 - alpha / 2) * width
    close = np.maximum(region - t_quantiles(freedom, 1 - alpha) * width, 0.0)
    separated = ndtr((estimate - apart) / ahead) + ndtr((-estimate - apart) / ahead)
    equal = ndtr((close - estimate) / ahead) - ndtr((-close - estimate) / ahead)
    both = ndtr((close - estimate) / ahead) - ndtr((apart - estimate) / ahead)
    both += ndtr((-apart - estimate) / ahead) - ndtr((-close - estimate) / ahead)
    return np.asarray(separated + equal - np.where(close > apart, both, 0.0))
