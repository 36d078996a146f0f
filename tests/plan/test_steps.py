"""Planning: adaptive, pure, keyed by content, with every name checked once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from optbench.contracts import Rule, hyper
from optbench.engine.specs import make_entrant
from optbench.errors import ConfigError
from optbench.plan import (
    StudyPlan,
    StudyRecord,
    advance,
    build_plan,
    planned_runs,
    record_cell,
    restore_cell,
)
from optbench.records import (
    TUNING_SEED,
    Cell,
    RunResult,
    RunSpec,
    StudyProtocol,
)
from optbench.registry import Registry, default_registry
from optbench.suites import Suite, Target
from tests.records.factories import make_curve, make_result


class Plain(Rule):
    """Descent with one hyperparameter to tune."""

    name = "plain"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 1.0))
    mu: float = hyper(0.5, "momentum", low=0, high=1)

    @staticmethod
    def update(theta: Any, grad: Any, t: Any, h: Any) -> Any:
        return (theta - h.lr * grad,)


class FullOnly(Plain):
    """Defined on full batches only."""

    name = "full-only"
    needs = frozenset({"full-batch"})


@pytest.fixture
def registry() -> Registry:
    """The built-in datasets, initializers and schedules, and only two optimizers, of this file."""
    registry = Registry()
    for kind in ("datasets", "initializers", "schedules"):
        registry._entries[kind] = dict(default_registry().entries(kind))

    from optbench.registry.hookspecs import hookimpl

    class Module:
        @hookimpl
        def optbench_register_optimizers(self) -> list[Any]:
            return [Plain, FullOnly]

    registry.register(Module())
    return registry


def fake(spec: RunSpec, best_lr: float = 0.1) -> RunResult:
    """Return a result with a loss that is least at `best_lr`."""
    loss = math.log10(float(spec.hyper["lr"]) / best_lr) ** 2
    curve = make_curve({"examples": np.arange(3.0), "val_loss": np.full(3, loss)})
    return make_result(spec, curve, test_loss=loss)


def next_runs(plan: StudyPlan, results: Mapping[str, RunResult]) -> list[RunSpec]:
    """Return every run that can be trained now, each once; empty when the study is complete."""
    steps = [advance(cell, plan.protocol, results) for cell in plan.cells]
    return list({spec.key: spec for step in steps for spec in step.missing}.values())


def cells_of(plan: StudyPlan, results: Mapping[str, RunResult]) -> list[Cell]:
    """Return the state of every cell."""
    return [advance(cell, plan.protocol, results).cell for cell in plan.cells]


def finish(
    plan: StudyPlan, best_lr: float = 0.1
) -> tuple[dict[str, RunResult], list[list[RunSpec]]]:
    """Return all results of a study, and the runs of each round that it took."""
    results: dict[str, RunResult] = {}
    rounds: list[list[RunSpec]] = []
    while wanted := next_runs(plan, results):
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


def test_tuning_comes_first_then_the_evaluation_seeds(registry: Registry) -> None:
    """The chosen configuration is trained on seeds that no trial has used."""
    plan = make_plan(registry, StudyProtocol(budget=4, seeds=3, tuning_seeds=2))
    results, rounds = finish(plan)
    assert [len(wanted) for wanted in rounds] == [8, 3]
    assert planned_runs(plan.cells[0], plan.protocol) == 11
    assert {spec.seed for spec in rounds[0]} == {TUNING_SEED, TUNING_SEED + 1}
    assert [spec.seed for spec in rounds[1]] == [0, 1, 2]
    best = min(rounds[0], key=lambda spec: results[spec.key].test_loss)
    assert [spec.hyper for spec in rounds[1]] == [best.hyper] * 3


def test_the_range_is_widened_where_the_best_lies_at_its_edge(registry: Registry) -> None:
    """It is widened as often as the protocol allows; a best trial still at the edge is marked."""
    plan = make_plan(registry, StudyProtocol(budget=16, seeds=1, widen=2))
    results, rounds = finish(plan, best_lr=1e6)
    assert [len(wanted) for wanted in rounds] == [16, 8, 8, 1]
    spans = [[float(spec.hyper["lr"]) for spec in wanted] for wanted in rounds]
    for before, after in itertools.pairwise(spans[:3]):
        assert max(before) < min(after)
    (cell,) = cells_of(plan, results)
    assert cell.edges == {"lr": "high"}
    assert cell.chosen == {"lr": max(spans[2]), "mu": 0.5}
    assert len(cell.trials) == 32


def test_a_best_trial_inside_the_widened_range_is_no_longer_at_its_edge(
    registry: Registry,
) -> None:
    """The best learning rate lies beyond the declared range, and one widening finds it."""
    plan = make_plan(registry, StudyProtocol(budget=16, seeds=1, widen=1))
    results, _ = finish(plan, best_lr=5.0)
    (cell,) = cells_of(plan, results)
    assert cell.edges == {}
    assert cell.chosen is not None
    assert 1 < float(cell.chosen["lr"]) < 30


def test_nothing_to_tune_means_no_trials(registry: Registry) -> None:
    """A single configuration goes straight to the evaluation seeds."""
    plan = make_plan(registry, optimizers=("plain[lr=0.3]",))
    results, rounds = finish(plan)
    assert [len(wanted) for wanted in rounds] == [3]
    (cell,) = cells_of(plan, results)
    assert cell.trials == ()
    assert cell.chosen == {"lr": 0.3, "mu": 0.5}
    assert planned_runs(plan.cells[0], plan.protocol) == 3


def test_every_workload_gets_the_same_configurations(registry: Registry) -> None:
    """The trials of an entrant are drawn once and shared by its cells."""
    plan = make_plan(registry, datasets=("iris", "moons"))
    first, second = plan.cells
    assert first.points is second.points
    assert len(first.points) == plan.protocol.budget


def test_a_study_continues_wherever_it_was_interrupted(registry: Registry) -> None:
    """With any part of the results, exactly the other runs remain."""
    plan = make_plan(registry, StudyProtocol(budget=4, seeds=2), datasets=("iris", "moons"))
    results, rounds = finish(plan)
    everything = [spec.key for wanted in rounds for spec in wanted]
    assert len(everything) == len(set(everything)) == len(results)
    for number in range(0, len(results), 3):
        stored = dict(itertools.islice(results.items(), number))
        trained: list[str] = []
        while wanted := next_runs(plan, stored):
            trained += [spec.key for spec in wanted]
            stored |= {spec.key: results[spec.key] for spec in wanted}
        assert sorted(trained) == sorted(set(results) - set(everything[:number]))
        assert cells_of(plan, stored) == cells_of(plan, results)


def test_an_unfinished_cell_has_its_finished_trials(registry: Registry) -> None:
    """Complete trials are in it, and nothing is chosen yet."""
    plan = make_plan(registry)
    first = next_runs(plan, {})[0]
    (cell,) = cells_of(plan, {first.key: fake(first)})
    assert (len(cell.trials), cell.chosen, cell.evaluation) == (1, None, ())


def test_selection_by_time_needs_a_target_and_uses_it(registry: Registry) -> None:
    """Planning refuses a workload without a target; the trial that reaches it first is chosen."""
    protocol = StudyProtocol(budget=4, seeds=1, select="time", widen=0)
    suite = Suite(datasets=("iris",), optimizers=("plain",), regimes=("batch",), protocol=protocol)
    with pytest.raises(ConfigError, match="select=time needs a target for iris, 32-32 relu"):
        build_plan(suite, registry)
    targets = {("iris", "32-32 relu"): Target(easy=0.3, medium=0.3, hard=0.3)}
    (cell,) = build_plan(suite, registry, targets).cells

    def sooner_but_higher_with_small_lr(spec: RunSpec) -> RunResult:
        lr = float(spec.hyper["lr"])
        examples = np.arange(10_000.0)
        losses = np.where(examples > 9000 * lr, 0.29 - lr / 10, 1.0)
        return make_result(spec, make_curve({"examples": examples, "val_loss": losses}))

    trials = advance(cell, protocol, {}).missing
    results = {spec.key: sooner_but_higher_with_small_lr(spec) for spec in trials}
    soonest = min(trials, key=lambda spec: float(spec.hyper["lr"]))
    assert advance(cell, protocol, results).cell.chosen == soonest.hyper
    by_loss = msgspec.structs.replace(protocol, select="val_loss")
    assert advance(cell, by_loss, results).cell.chosen != soonest.hyper


def test_two_entrants_with_the_same_values_share_their_runs(registry: Registry) -> None:
    """A run is identified by its content, not by its entrant."""
    plan = make_plan(registry, optimizers=("plain", "plain[mu=0.5]"))
    assert len(next_runs(plan, {})) == plan.protocol.budget


def test_an_optimizer_for_full_batches_is_left_out_elsewhere(registry: Registry) -> None:
    """It competes where it is defined, and the plan says where it is left out."""
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
    """The error is one line with the nearest name or the allowed values."""
    with pytest.raises(ConfigError, match=message):
        make_plan(registry, **more)


def test_an_entrant_keeps_what_was_given(registry: Registry) -> None:
    """Given values and schedules are part of its label, and fixed."""
    entrant = make_entrant("plain[mu=0.9, warmup=0.1]", registry=registry)
    assert entrant.label == "plain[mu=0.9,warmup=0.1]"
    assert entrant.given == {"mu": 0.9}
    assert entrant.control.warmup == 0.1


def test_a_study_is_kept_by_keys_and_restored(registry: Registry) -> None:
    """The record in the store gives the same cells again, without any plugin."""
    plan = make_plan(registry, StudyProtocol(budget=16, seeds=2, widen=1))
    results, _ = finish(plan, best_lr=1e6)
    cells = cells_of(plan, results)
    assert cells[0].edges == {"lr": "high"}
    record = StudyRecord(
        suite="x", protocol=plan.protocol, cells=tuple(record_cell(cell) for cell in cells)
    )
    read = msgspec.json.decode(msgspec.json.encode(record), type=StudyRecord)
    assert set(read.keys()) == set(results)
    assert [restore_cell(cell, results) for cell in read.cells] == cells
    partial = restore_cell(read.cells[0], {})
    assert (partial.trials, partial.evaluation) == ((), ())
