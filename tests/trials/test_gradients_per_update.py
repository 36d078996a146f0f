"""Reports of a schedule that ends early, because an update takes more gradients than one.

A method that looks twice (SAM, extragradient, Heun) or searches along a line makes fewer updates
with the same gradients. Its rate must follow the schedule over the updates that the run makes.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

import optbench
from optbench import Array, StepContext, Stepper, hyper
from optbench.engine.specs import make_entrant
from optbench.records import RunResult
from optbench.registry import default_registry
from optbench.schedules import factors

REGISTRY = default_registry()
SCHEDULES = sorted(REGISTRY.entries("schedules"))


class Looking(Stepper):
    """Gradient descent that notes its rates, and looks as often as `looks` says."""

    name = "looking"
    source = "own work"
    variant = "no momentum"
    needs = frozenset({"closure", "total_steps", "rng"})
    lr: float = hyper(0.01, "learning rate", low=0)

    looks: ClassVar[int] = 1
    runs: ClassVar[list[list[tuple[float, int, int]]]] = []
    """Rate, promised number of updates and a random number at each update, for each run."""

    def init(self, params: list[Array], context: StepContext) -> list[tuple[float, int, int]]:
        """Start the notes of another run; the last ones are those of the run itself."""
        self.runs.append([])
        self.promised = context.total_steps
        return self.runs[-1]

    def extra(self, t: int) -> int:
        """Return how many further gradients step `t` takes."""
        return self.looks - 1

    def step(
        self, params: list[Array], grads: list[Array], state: Any, context: StepContext
    ) -> None:
        """Note, look, and move along the last gradient."""
        draw = int(context.rng.integers(1000))
        state.append((float(context.h.lr), context.total_steps, draw))
        for _ in range(self.extra(context.t)):
            context.closure()
        for theta, grad in zip(params, grads, strict=True):
            theta[...] -= context.h.lr * grad


class Twice(Looking):
    """Two gradients an update, like SAM."""

    name = "twice"
    looks = 2


class Thrice(Looking):
    """Three gradients an update."""

    name = "thrice"
    looks = 3


class SometimesTwice(Looking):
    """A second gradient at every tenth update, like Sophia."""

    name = "sometimes-twice"

    def extra(self, t: int) -> int:
        """Return 1 for steps 1, 11, 21 and so on."""
        return int(t % 10 == 1)


class Searching(Looking):
    """Up to seven gradients an update, like a line search."""

    name = "searching"

    def extra(self, t: int) -> int:
        """Return a number that looks like chance."""
        return (t * t * 7 + 3 * t) % 11 % 7


def run_of(cls: type[Looking], **given: Any) -> tuple[RunResult, list[tuple[float, int, int]]]:
    """Train, and return the result with the notes of the run."""
    Looking.runs.clear()
    defaults: dict[str, Any] = {"lr": 1.0, "dataset": "iris", "regime": "batch", "epochs": 30}
    result = optbench.train(cls, **(defaults | given))
    assert result.status == "ok", result.reason
    return result, Looking.runs[-1]


def formula(schedule: str, updates: int, **given: float) -> list[float]:
    """Return the factors of a run with this number of updates."""
    entrant = make_entrant("sgd", {"schedule": schedule, **given})
    return list(factors(REGISTRY.schedule(schedule), entrant.control, updates).tolist())


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("cls", [Looking, Twice, Thrice])
@pytest.mark.parametrize("given", [{}, {"warmup": 0.2, "final": 0.1}], ids=["own", "given"])
def test_the_rate_follows_the_formula(cls: type[Looking], schedule: str, given: Any) -> None:
    """At every update of a run of 31 gradients; the last update has the last factor."""
    result, notes = run_of(cls, schedule=schedule, epochs=31, **given)
    updates = -(-31 // cls.looks)
    assert result.final("updates") == len(notes) == updates
    rates = [rate for rate, _, _ in notes]
    np.testing.assert_allclose(rates, formula(schedule, updates, **given), rtol=0, atol=1e-12)


@pytest.mark.parametrize("epochs", [1, 2, 3])
@pytest.mark.parametrize("cls", [Looking, Twice, Thrice])
def test_batches_of_unequal_size_count_by_their_examples(cls: type[Looking], epochs: int) -> None:
    """The last batch of an epoch is short; the run ends with its examples, not its batches."""
    result, notes = run_of(
        cls, schedule="linear", regime="mini-batch", batch_size=25, epochs=epochs
    )
    expected = formula("linear", int(result.final("updates")))
    np.testing.assert_allclose([rate for rate, _, _ in notes], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("epochs", [1, 2, 3, 30])
@pytest.mark.parametrize("cls", [Looking, Twice, Thrice])
def test_the_promised_number_of_updates_is_made(cls: type[Looking], epochs: int) -> None:
    """Also with a constant rate, and from the first update on."""
    result, notes = run_of(cls, epochs=epochs)
    assert {total for _, total, _ in notes} == {int(result.final("updates"))}


@pytest.mark.parametrize("cls", [SometimesTwice, Searching])
@pytest.mark.parametrize("epochs", [30, 100, 400])
def test_a_varying_number_is_estimated(cls: type[Looking], epochs: int) -> None:
    """The rate ends within one costly update of the end, and never goes far from the formula."""
    _, notes = run_of(cls, schedule="linear", epochs=epochs)
    rates = np.array([rate for rate, _, _ in notes])
    updates = len(rates)
    assert rates[-1] <= 7 / epochs + 1 / updates
    spent = np.cumsum([0, *(1 + cls().extra(t) for t in range(1, updates))])
    np.testing.assert_allclose(rates, 1 - spent / epochs, rtol=0, atol=7 / epochs + 1e-12)
    assert abs(notes[0][1] - updates) <= 0.2 * updates
    assert notes[-1][1] in (updates, updates + 1)


def test_the_rehearsal_leaves_no_trace() -> None:
    """The run draws the same numbers, computes as many gradients, and starts where it would."""

    class Plain(Twice):
        """Does not go by the number of updates."""

        name = "plain"
        needs = frozenset({"closure", "rng"})

        def init(self, params: list[Array], context: StepContext) -> Any:
            """Start the notes of another run."""
            self.runs.append([])
            return self.runs[-1]

        def step(
            self, params: list[Array], grads: list[Array], state: Any, context: StepContext
        ) -> None:
            """Note, look, and move along the last gradient."""
            state.append((float(context.h.lr), 0, int(context.rng.integers(1000))))
            context.closure()
            for theta, grad in zip(params, grads, strict=True):
                theta[...] -= context.h.lr * grad

    constant, plain = run_of(Plain)
    assert len(Looking.runs) == 1, "nothing goes by the number of updates, so none is rehearsed"
    scheduled, notes = run_of(Plain, schedule="step")
    assert len(Looking.runs) == 2
    assert [draw for _, _, draw in notes] == [draw for _, _, draw in plain]
    assert constant.grad_evals == scheduled.grad_evals == 30
    np.testing.assert_array_equal(
        constant.curve["train_loss"][:8], scheduled.curve["train_loss"][:8]
    )


def test_a_run_that_does_not_look_is_not_rehearsed() -> None:
    """Its number of updates is known."""

    class Once(Looking):
        """Uses what it is given."""

        name = "once"
        needs = frozenset({"rng", "total_steps"})

    _, notes = run_of(Once, schedule="cosine")
    assert len(Looking.runs) == 1
    assert {total for _, total, _ in notes} == {30}


@pytest.mark.parametrize("regime", ["batch", "mini-batch"])
@pytest.mark.parametrize("cls", [Looking, Twice, Thrice, SometimesTwice])
def test_layer_health_has_the_size_of_an_update(cls: type[Looking], regime: str) -> None:
    """It is measured over the last update before each point, however many gradients that took."""
    result, _ = run_of(cls, lr=0.1, regime=regime, epochs=30 if regime == "batch" else 9)
    measured = ~np.isnan(result.curve["layer1.mean"])
    ratios = result.curve["layer1.update_ratio"][measured][1:]
    assert np.isfinite(ratios).all(), ratios
    assert len(ratios) >= 2
    plain, _ = run_of(
        cls, lr=0.1, regime=regime, epochs=30 if regime == "batch" else 9, health=False
    )
    for column in ("updates", "examples", "train_loss", "val_loss"):
        np.testing.assert_array_equal(result.curve[column], plain.curve[column])


def test_sophia_ends_with_the_schedule() -> None:
    """The built-in optimizer that looks at every tenth update."""
    seen: list[float] = []
    sophia = REGISTRY.optimizer("sophia")

    class Watched(sophia):  # type: ignore[misc, valid-type]
        """Sophia with its rates noted."""

        name = "watched"

        def step(self, params: Any, grads: Any, state: Any, context: StepContext) -> Any:
            """Note the rate."""
            if context.t == 1:
                seen.clear()
            seen.append(float(context.h.lr))
            return super().step(params, grads, state, context)

    result = optbench.train(Watched, dataset="iris", schedule="linear", lr=0.01, epochs=20)
    updates = int(result.final("updates"))
    assert len(seen) == updates < 60
    expected = 1 - np.arange(updates) / updates
    np.testing.assert_allclose(np.divide(seen, 0.01), expected, rtol=0, atol=2.5 / updates)
    assert seen[-1] / 0.01 <= 2 / updates


def test_a_trajectory_makes_the_steps_that_it_is_asked_for() -> None:
    """Its steps are updates, so that nothing has to be estimated."""
    Looking.runs.clear()
    optbench.trajectory(
        Thrice, lambda x: (float(x @ x), 2 * x), np.ones(2), 10, lr=1.0, schedule="linear"
    )
    assert [rate for rate, _, _ in Looking.runs[-1]] == pytest.approx(formula("linear", 10))
