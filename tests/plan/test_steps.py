"""Planning: adaptive, pure, keyed by content, with every name checked once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from optbench.contracts import Rule, Value, hyper
from optbench.errors import ConfigError
from optbench.plan import (
    CellPlan,
    Edges,
    StudyPlan,
    StudyRecord,
    build_plan,
    cells_of,
    make_entrant,
    next_runs,
    planned_runs,
    record_cell,
    restore_cell,
)
from optbench.records import TUNING_SEED, RunResult, RunSpec, StudyProtocol, Trial
from optbench.registry import Registry, default_registry
from optbench.suites import Suite
from tests.records.factories import make_result


class Plain(Rule):
    """Descent with one hyperparameter to tune."""

    name = "plain"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1.0))
    mu: float = hyper(0.5, "momentum", low=0, high=1)

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> Any:
        return (theta - h.lr * grad,)


class FullOnly(Plain):
    """Declared for full batches."""

    name = "full-only"
    needs = frozenset({"full-batch"})


@pytest.fixture
def registry() -> Registry:
    """The built-in datasets and initializers, and two optimizers of this file alone."""
    made = Registry()
    for kind in ("datasets", "initializers"):
        made._entries[kind] = dict(default_registry().entries(kind))

    from optbench.registry.hookspecs import hookimpl

    class Module:
        @hookimpl
        def optbench_register_optimizers(self) -> list[Any]:
            return [Plain, FullOnly]

    made.register(Module())
    return made


class FakeTuning:
    """Three trials, the loss decides; the range is widened as long as the largest lr is best."""

    def __init__(self, points: Sequence[float] = (0.01, 0.1, 1.0)) -> None:
        self._points = points

    def points(self, cell: CellPlan) -> list[dict[str, Value]]:
        return [{"lr": lr, "mu": 0.5} for lr in self._points]

    def select(self, cell: CellPlan, trials: Sequence[Trial]) -> Trial:
        return min(trials, key=lambda trial: trial.results[0].test_loss)

    def edges(
        self, cell: CellPlan, trials: Sequence[Trial], best: Trial, widened: Sequence[Edges]
    ) -> Edges:
        largest = max(float(trial.hyper["lr"]) for trial in trials)
        return {"lr": "high"} if best.hyper["lr"] == largest else {}

    def widened_points(
        self, cell: CellPlan, edges: Edges, widened: Sequence[Edges]
    ) -> list[dict[str, Value]]:
        return [{"lr": 10.0 * 10 ** len(widened), "mu": 0.5}]


def fake(spec: RunSpec, best_lr: float = 0.1) -> RunResult:
    """A result whose loss is least at `best_lr`."""
    loss = abs(float(spec.hyper["lr"]) - best_lr)
    return make_result(spec, test_loss=loss)


def finish(
    plan: StudyPlan, tuning: FakeTuning, best_lr: float = 0.1
) -> tuple[dict[str, RunResult], list[list[RunSpec]]]:
    """Train what is next until nothing is; also the rounds it took."""
    results: dict[str, RunResult] = {}
    rounds: list[list[RunSpec]] = []
    while wanted := next_runs(plan, results, tuning):
        rounds.append(wanted)
        results |= {spec.key: fake(spec, best_lr) for spec in wanted}
    return results, rounds


def make_plan(registry: Registry, protocol: StudyProtocol | None = None, **more: Any) -> StudyPlan:
    values: dict[str, Any] = {
        "datasets": ("iris",),
        "optimizers": ("plain",),
        "regimes": ("batch",),
        "protocol": protocol or StudyProtocol(seeds=3),
        **more,
    }
    return build_plan(Suite(**values), registry)


def test_a_plan_is_the_product_of_entrants_and_workloads(registry: Registry) -> None:
    """Every optimizer meets every dataset, network, initializer and regime."""
    plan = make_plan(
        registry,
        datasets=("iris", "moons"),
        regimes=("batch", "mini-batch", "sgd"),
        initializers=("he-normal", "zeros"),
        optimizers=("plain", "plain[lr=0.5,schedule=cosine]"),
    )
    assert len(plan.cells) == 2 * 3 * 2 * 2
    assert [e.label for e in plan.entrants] == ["plain", "plain[lr=0.5,schedule=cosine]"]
    assert len(plan.workloads) == 12
    assert len({cell.template.key for cell in plan.cells}) == 24


def test_tuning_comes_first_then_fresh_seeds(registry: Registry) -> None:
    """Trials, then the chosen configuration on seeds that no trial has seen."""
    plan = make_plan(registry, StudyProtocol(seeds=3, tuning_seeds=2))
    _, rounds = finish(plan, FakeTuning())
    assert [len(wanted) for wanted in rounds] == [6, 3]
    assert planned_runs(plan, plan.cells[0], FakeTuning()) == 9
    tuning_seeds = {spec.seed for spec in rounds[0]}
    assert tuning_seeds == {TUNING_SEED, TUNING_SEED + 1}
    assert [spec.seed for spec in rounds[1]] == [0, 1, 2]
    assert {spec.hyper["lr"] for spec in rounds[1]} == {0.1}


def test_the_range_is_widened_where_the_best_lies_at_its_edge(registry: Registry) -> None:
    """As often as the protocol allows; what still lies at the edge is marked."""
    plan = make_plan(registry, StudyProtocol(seeds=1, widen=2))
    results, rounds = finish(plan, FakeTuning(), best_lr=1e6)
    assert [[spec.hyper["lr"] for spec in wanted] for wanted in rounds[1:]] == [
        [10.0],
        [100.0],
        [100.0],
    ]
    (cell,) = cells_of(plan, results, FakeTuning())
    assert cell.edges == {"lr": "high"}
    assert cell.chosen == {"lr": 100.0, "mu": 0.5}
    assert len(cell.trials) == 5
    results, rounds = finish(
        make_plan(registry, StudyProtocol(seeds=1)), FakeTuning(), best_lr=10.0
    )
    (cell,) = cells_of(make_plan(registry, StudyProtocol(seeds=1)), results, FakeTuning())
    assert cell.chosen is not None
    assert cell.chosen["lr"] == 10.0


def test_nothing_to_tune_means_no_trials(registry: Registry) -> None:
    """A single configuration goes straight to the evaluation seeds."""
    plan = make_plan(registry)
    results, rounds = finish(plan, FakeTuning([0.3]))
    assert [len(wanted) for wanted in rounds] == [3]
    (cell,) = cells_of(plan, results, FakeTuning([0.3]))
    assert cell.trials == ()
    assert cell.chosen == {"lr": 0.3, "mu": 0.5}
    assert planned_runs(plan, plan.cells[0], FakeTuning([0.3])) == 3


def test_a_study_goes_on_wherever_it_was_interrupted(registry: Registry) -> None:
    """With any part of the results, what remains is exactly the rest."""
    plan = make_plan(registry, StudyProtocol(seeds=2), datasets=("iris", "moons"))
    results, rounds = finish(plan, FakeTuning())
    everything = [spec.key for wanted in rounds for spec in wanted]
    assert len(everything) == len(set(everything)) == len(results)
    for keep in range(0, len(results), 3):
        kept = dict(itertools.islice(results.items(), keep))
        trained: list[str] = []
        while wanted := next_runs(plan, kept, FakeTuning()):
            trained += [spec.key for spec in wanted]
            kept |= {spec.key: results[spec.key] for spec in wanted}
        assert sorted(trained) == sorted(set(results) - set(everything[:keep]))
        assert cells_of(plan, kept, FakeTuning()) == cells_of(plan, results, FakeTuning())


def test_an_unfinished_cell_shows_what_it_has(registry: Registry) -> None:
    """Trials that are complete are there, the choice is open."""
    plan = make_plan(registry)
    first = next_runs(plan, {}, FakeTuning())[0]
    (cell,) = cells_of(plan, {first.key: fake(first)}, FakeTuning())
    assert (len(cell.trials), cell.chosen, cell.evaluation) == (1, None, ())


def test_two_entrants_with_the_same_values_share_their_runs(registry: Registry) -> None:
    """A run is known by its content, not by who asked for it."""
    plan = make_plan(registry, optimizers=("plain", "plain[mu=0.5]"))
    wanted = next_runs(plan, {}, FakeTuning())
    assert len(wanted) == 3


def test_an_optimizer_for_full_batches_is_left_out_elsewhere(registry: Registry) -> None:
    """It competes where it is defined, and the plan says where it is not."""
    plan = make_plan(registry, optimizers=("full-only", "plain"), regimes=("batch", "sgd"))
    assert [cell.entrant.label for cell in plan.cells] == ["full-only", "plain", "plain"]
    assert plan.left_out == ("full-only is defined on full batches only: not in sgd",)
    with pytest.raises(ConfigError, match="nothing to train"):
        make_plan(registry, optimizers=("full-only",), regimes=("sgd",))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"datasets": ("irsi",)}, "unknown dataset 'irsi'; did you mean 'iris'"),
        ({"optimizers": ("plian",)}, "unknown optimizer 'plian'; did you mean 'plain'"),
        ({"initializers": ("he-norma",)}, "did you mean 'he-normal'"),
        ({"optimizers": ("plain[lr=-1]",)}, "lr=-1"),
        ({"optimizers": ("plain[lr=1]", "plain[lr=1.0]")}, "entered twice"),
    ],
)
def test_a_wrong_name_or_value_is_refused_before_anything_is_trained(
    registry: Registry, more: Mapping[str, Any], message: str
) -> None:
    """One line, with what would have been right."""
    with pytest.raises(ConfigError, match=message):
        make_plan(registry, **more)


def test_an_entrant_keeps_what_was_given(registry: Registry) -> None:
    """Given values and schedules are part of its label, and fixed."""
    entrant = make_entrant("plain[mu=0.9, warmup=0.1]", registry)
    assert entrant.label == "plain[mu=0.9,warmup=0.1]"
    assert entrant.given == {"mu": 0.9}
    assert entrant.control.warmup == 0.1


def test_a_study_is_kept_by_keys_and_restored(registry: Registry) -> None:
    """What the store keeps gives the same cells again, without any plugin."""
    plan = make_plan(registry, StudyProtocol(seeds=2, widen=1))
    results, _ = finish(plan, FakeTuning(), best_lr=1e6)
    cells = cells_of(plan, results, FakeTuning())
    record = StudyRecord(
        suite="x", protocol=plan.protocol, cells=tuple(record_cell(cell) for cell in cells)
    )
    read = msgspec.json.decode(msgspec.json.encode(record), type=StudyRecord)
    assert set(read.keys()) == set(results)
    assert [restore_cell(cell, results) for cell in read.cells] == cells
    partial = restore_cell(read.cells[0], {})
    assert (partial.trials, partial.evaluation) == ((), ())
