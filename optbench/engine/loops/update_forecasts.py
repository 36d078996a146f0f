"""The number of updates that a run will make, if an update may take more than one gradient.

A run ends when it has computed as many per-example gradients as its epochs have, so an optimizer
that calls its closure makes fewer updates. Schedules, warm-up and ``total_steps`` go by their
number.
"""

from __future__ import annotations

from collections.abc import Sequence

from optbench.contracts import rate_of
from optbench.engine.problem import Problem
from optbench.schedules import factors

REHEARSED_UPDATES = 10
"""Largest number of updates that are rehearsed, to see how many gradients each of them takes."""
REHEARSED_FRACTION = 0.1
"""Largest fraction of the updates of a run that are rehearsed, if that is more than two updates."""


class UpdateForecast:
    """The number of updates of a run, from the gradients that its updates take.

    It is exact if every update takes the same number of gradients. Otherwise, the updates to come
    are expected to take the mean of those before.

    Args:
        problem: The run.
        rehearsed: Number of gradients that each of the first updates took in a rehearsal; empty if
            every update takes one.

    Attributes:
        total: Number of updates that the run is expected to make.
    """

    def __init__(self, problem: Problem, rehearsed: Sequence[int] = ()) -> None:
        self._problem = problem
        self._costs = list(rehearsed)
        self._spent = sum(rehearsed)
        self.total = self._expected(0, 0) if rehearsed else problem.total_updates

    def note(self, updates: int, cost: int, examples: int) -> int:
        """Take an update into account, and return `total`.

        Args:
            updates: Number of updates made, this one included.
            cost: Number of gradients that this one took.
            examples: Number of per-example gradients computed so far.
        """
        if not self._costs:
            return self.total
        if updates <= len(self._costs):
            self._spent -= self._costs[updates - 1]
            self._costs[updates - 1] = cost
        else:
            self._costs.append(cost)
        self._spent += cost
        self.total = max(updates, self._expected(updates, examples))
        return self.total

    def _expected(self, updates: int, examples: int) -> int:
        """Return the number of updates after which the examples of the run are used up."""
        problem = self._problem
        size = problem.spec.batch_size
        epochs, rest = divmod(updates, problem.updates_per_epoch)
        drawn = epochs * problem.n_train + rest * size
        left = problem.n_train * problem.spec.epochs - examples
        drawn += -(-left * len(self._costs) // self._spent)
        epochs, rest = divmod(drawn, problem.n_train)
        return min(epochs * problem.updates_per_epoch + -(-rest // size), problem.total_updates)


def rehearsed_updates(problem: Problem) -> int:
    """Return the number of updates to rehearse; 0 if the number of updates changes nothing."""
    needs, total = problem.optimizer.needs, problem.total_updates
    if "closure" not in needs:
        return 0
    scheduled = rate_of(problem.optimizer) is not None and bool(
        (factors(problem.schedule, problem.spec.control, total) != 1).any()
    )
    if not scheduled and "total_steps" not in needs:
        return 0
    return min(total, max(2, min(REHEARSED_UPDATES, int(total * REHEARSED_FRACTION))))
