"""Planning: adaptive, pure, keyed by content, with every name checked once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
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
    Cell,
    RunResult,
    RunSpec,
    Status,
    StudyProtocol,
)
from optbench.records.seeds import evaluation_seed, tuning_seed
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
        for entry in default_registry().entries(kind).values():
            registry._table.add(kind, entry)

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
    curve = make_curve({"examples": np.arange(3.0), "val_loss": np.array([1000.0, loss, loss])})
    return make_result(spec, curve, test_loss=loss, guess_val_loss=1.0)


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


def once(**fields: Any) -> StudyProtocol:
    """Return a protocol of one replicate with search points only, unless a field says otherwise."""
    return StudyProtocol(**{"replicates": 1, "refine_trials": 0, "retest_trials": 0, **fields})


def make_plan(registry: Registry, protocol: StudyProtocol | None = None, **more: Any) -> StudyPlan:
    values: dict[str, Any] = {
        "datasets": ("iris",),
        "optimizers": ("plain",),
        "regimes": ("batch",),
        "protocol": protocol or once(seeds=3),
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
    plan = make_plan(registry, once(budget=4, seeds=3, tuning_seeds=2))
    results, rounds = finish(plan)
    assert [len(wanted) for wanted in rounds] == [8, 3]
    assert planned_runs(plan.cells[0], plan.protocol) == 11
    label = plan.workloads[0].label
    assert {spec.seed for spec in rounds[0]} == {tuning_seed(label, 0, i) for i in range(2)}
    assert [spec.seed for spec in rounds[1]] == [evaluation_seed(label, 0, i) for i in range(3)]
    assert rounds[0][0].hyper == {"lr": 0.1, "mu": 0.5}
    best = min(rounds[0], key=lambda spec: results[spec.key].test_loss)
    assert [spec.hyper for spec in rounds[1]] == [best.hyper] * 3


def test_the_range_is_widened_where_the_best_lies_at_its_edge(registry: Registry) -> None:
    """It is widened as often as the protocol allows; a best trial still at the edge is marked."""
    plan = make_plan(registry, once(budget=17, seeds=1, widen=2))
    results, rounds = finish(plan, best_lr=1e6)
    assert [len(wanted) for wanted in rounds] == [17, 8, 8, 1]
    spans = [[float(spec.hyper["lr"]) for spec in wanted] for wanted in rounds]
    for before, after in itertools.pairwise(spans[:3]):
        assert max(before) < min(after)
    (cell,) = cells_of(plan, results)
    assert cell.edges == {"lr": "high"}
    assert cell.chosen == {"lr": max(spans[2]), "mu": 0.5}
    assert len(cell.trials) == 33
    assert [trial.is_default for trial in cell.trials] == [True, *[False] * 32]
    assert [trial.is_widened for trial in cell.trials] == [False] * 17 + [True] * 16


def test_a_best_trial_inside_the_widened_range_is_no_longer_at_its_edge(
    registry: Registry,
) -> None:
    """The best learning rate lies beyond the declared range, and one widening finds it."""
    plan = make_plan(registry, once(budget=17, seeds=1, widen=1))
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


def test_search_points_differ_between_workloads_and_not_between_entrants(
    registry: Registry,
) -> None:
    """So the luck of a grid averages out over workloads, and no entrant has more of it."""
    plan = make_plan(registry, datasets=("iris", "moons"), optimizers=("plain", "plain[mu=0.9]"))
    lrs = [[point["lr"] for point in cell.points] for cell in plan.cells]
    assert [len(each) for each in lrs] == [plan.protocol.budget] * 4
    assert lrs[0] == lrs[1]
    assert lrs[2] == lrs[3]
    assert not set(lrs[0][1:]) & set(lrs[2][1:])
    assert lrs[0][0] == lrs[2][0] == 0.1


def test_a_replicate_is_the_whole_pipeline_again(registry: Registry) -> None:
    """It has its own search points, tuning seeds and evaluation seeds; all entrants share them."""
    plan = make_plan(
        registry,
        once(budget=4, seeds=2, replicates=3),
        datasets=("iris", "moons"),
        optimizers=("plain", "plain[mu=0.9]"),
    )
    assert [cell.replicate for cell in plan.cells] == [0] * 4 + [1] * 4 + [2] * 4
    results, _ = finish(plan)
    cells = cells_of(plan, results)
    by_place: dict[tuple[str, int], set[int]] = {}
    for cell in cells:
        seeds = {run.spec.seed for trial in cell.trials for run in trial.runs}
        seeds |= {run.spec.seed for run in cell.evaluation}
        assert len(seeds) == 1 + 2
        place = (cell.workload.label, cell.replicate)
        assert by_place.setdefault(place, seeds) == seeds, "an entrant has seeds of its own"
    assert sum(map(len, by_place.values())) == len(set().union(*by_place.values())) == 6 * 3
    searched = [point["lr"] for cell in plan.cells[::2] for point in cell.points[1:]]
    assert len(set(searched)) == len(searched) == 6 * 3


def test_another_first_replicate_is_an_independent_study(registry: Registry) -> None:
    """Two such studies share no seed and no search point; the later one continues the first."""
    both, first, second = (
        make_plan(registry, once(budget=4, seeds=2, replicates=k, first_replicate=n))
        for k, n in ((4, 0), (2, 0), (2, 2))
    )
    assert [cell.replicate for cell in second.cells] == [2, 3]
    results = [finish(plan)[0] for plan in (both, first, second)]
    seeds = [{r.spec.seed for r in each.values()} for each in results]
    assert not seeds[1] & seeds[2]
    assert seeds[1] | seeds[2] == seeds[0]
    points = [{p["lr"] for c in plan.cells for p in c.points[1:]} for plan in (first, second)]
    assert not points[0] & points[1]
    assert set(results[1]) | set(results[2]) == set(results[0])


def noisy(spec: RunSpec, best_lr: float = 0.1) -> RunResult:
    """Return a result in which one learning rate is lost on every seed but the first."""
    result = fake(spec, best_lr)
    first = tuning_seed(spec.workload.label, 0, 0)
    lost = spec.seed != first and abs(math.log10(float(spec.hyper["lr"]) / best_lr)) < 0.2
    return replace(result, status=Status.DIVERGED) if lost else result


def test_the_best_trials_are_tried_again_and_the_steady_one_is_chosen(registry: Registry) -> None:
    """The trial that wins on the first seed is lost on all others, so the runner-up is chosen."""
    plan = make_plan(registry, once(budget=9, seeds=2, retest_trials=3, retest_seeds=2, widen=0))
    cell, protocol = plan.cells[0], plan.protocol
    results: dict[str, RunResult] = {}
    rounds = []
    while missing := advance(cell, protocol, results).missing:
        rounds.append(missing)
        results |= {spec.key: noisy(spec) for spec in missing}
    assert [len(wanted) for wanted in rounds] == [9, 6, 2]
    assert planned_runs(cell, protocol) == 17
    label = cell.workload.label
    assert {spec.seed for spec in rounds[1]} == {tuning_seed(label, 0, i) for i in (1, 2)}
    state = advance(cell, protocol, results).cell
    retested = [trial for trial in state.trials if trial.retest]
    order = sorted(state.trials, key=lambda trial: trial.results[0].final("val_loss"))
    assert {id(trial) for trial in retested} == {id(trial) for trial in order[:3]}
    assert [len(trial.runs) for trial in retested] == [3, 3, 3]
    assert state.trials[0].is_default
    assert state.trials[0] is order[0]
    steady = [t for t in order[:3] if all(run.status is Status.OK for run in t.runs)]
    assert state.chosen == steady[0].hyper
    without = msgspec.structs.replace(protocol, retest_trials=0)
    assert advance(cell, without, results).cell.chosen == order[0].hyper


def test_two_trials_lie_beside_the_best_one(registry: Registry) -> None:
    """They are a quarter of a spacing away, count as neither drawn nor widened, and may win."""
    plan = make_plan(registry, once(budget=9, seeds=1, refine_trials=2))
    results, rounds = finish(plan, best_lr=0.03)
    assert [len(wanted) for wanted in rounds] == [9, 2, 1]
    (cell,) = cells_of(plan, results)
    assert [trial.is_refined for trial in cell.trials] == [False] * 9 + [True] * 2
    best = min(cell.trials[:9], key=lambda trial: trial.results[0].final("val_loss"))
    (dimension,) = plan.cells[0].space.dimensions()
    distances = [
        dimension.coordinate_of(trial.hyper) - dimension.coordinate_of(best.hyper)
        for trial in cell.trials[9:]
    ]
    assert sorted(distances) == pytest.approx([-1 / 32, 1 / 32])
    winner = min(cell.trials, key=lambda trial: trial.results[0].final("val_loss"))
    assert winner.is_refined
    assert cell.chosen == winner.hyper


def test_the_better_half_of_a_retest_is_tried_on_twice_as_many_seeds(registry: Registry) -> None:
    """A trial that is lost on late seeds only is not chosen."""
    plan = make_plan(registry, once(budget=9, seeds=1, retest_trials=4, retest_seeds=2, widen=0))
    cell, protocol = plan.cells[0], plan.protocol
    label = cell.workload.label
    late = {tuning_seed(label, 0, i) for i in range(3, 7)}
    results: dict[str, RunResult] = {}
    rounds = []
    while missing := advance(cell, protocol, results).missing:
        rounds.append(missing)
        for spec in missing:
            result = fake(spec)
            unsteady = spec.seed in late and spec.hyper == cell.points[0]
            results[spec.key] = replace(result, status=Status.DIVERGED) if unsteady else result
    assert [len(wanted) for wanted in rounds] == [9, 8, 8, 1]
    assert {spec.seed for spec in rounds[2]} == late
    state = advance(cell, protocol, results).cell
    order = sorted(state.trials, key=lambda trial: trial.results[0].final("val_loss"))
    assert [len(trial.retest) for trial in order] == [6, 6, 2, 2, 0, 0, 0, 0, 0]
    assert order[0].is_default
    assert state.chosen == order[1].hyper


def test_every_entrant_has_the_same_budget(registry: Registry) -> None:
    """However many hyperparameters are tuned, trials and tuning runs are equally many."""
    protocol = StudyProtocol(ruleset="full", widen=0, replicates=1)
    plan = make_plan(registry, protocol, optimizers=("plain", "plain[mu=0.9]"))
    results, _ = finish(plan)
    runs = [sum(len(trial.runs) for trial in cell.trials) for cell in cells_of(plan, results)]
    assert runs == [27, 27]


@pytest.mark.parametrize(("fewer", "expected"), [(2, [5, 6]), (0, [5, 6, 7]), (9, [5, 6, 7])])
def test_steppers_may_have_fewer_replicates(fewer: int, expected: list[int]) -> None:
    """Theirs are the first ones; by default they have as many as the others."""
    suite = Suite(
        datasets=("iris",),
        optimizers=("sgd", "lamb"),
        regimes=("batch",),
        protocol=StudyProtocol(replicates=3, first_replicate=5, stepper_replicates=fewer),
    )
    cells = build_plan(suite, default_registry()).cells
    for name, numbers in (("sgd", [5, 6, 7]), ("lamb", expected)):
        assert [cell.replicate for cell in cells if cell.entrant.label == name] == numbers


def test_the_first_seeds_are_one_run_of_each_entrant_on_each_workload(registry: Registry) -> None:
    """So layer health costs little: it is recorded in the first replicate of this study only."""
    plan = make_plan(
        registry,
        once(budget=3, seeds=2, replicates=2, first_replicate=4),
        datasets=("iris", "moons"),
        optimizers=("plain", "plain[mu=0.9]"),
    )
    results, _ = finish(plan)
    seeds = set(plan.first_seeds)
    with_health = [
        (cell.entrant.label, cell.workload.label, cell.replicate, index)
        for cell in cells_of(plan, results)
        for index, run in enumerate(cell.evaluation)
        if run.spec.seed in seeds
    ]
    assert [(replicate, index) for *_, replicate, index in with_health] == [(4, 0)] * 4
    assert len(set(with_health)) == 4


def test_a_step_counts_what_is_done_and_what_follows(registry: Registry) -> None:
    """Finished, missing and later runs add up to the plan at every step."""
    protocol = StudyProtocol(budget=5, seeds=4, refine_trials=3, retest_trials=5, replicates=2)
    plan = make_plan(registry, protocol)
    cell, results = plan.cells[1], dict[str, RunResult]()
    counts = []
    while True:
        step = advance(cell, plan.protocol, results)
        counts.append((step.done, len(step.missing), step.later))
        assert sum(counts[-1]) == planned_runs(cell, plan.protocol) == 30
        if not step.missing:
            break
        results |= {spec.key: fake(spec) for spec in step.missing}
    assert counts == [
        (0, 5, 25),  # search points
        (5, 3, 22),  # beside the best one
        (8, 10, 12),  # the best five on two further seeds
        (18, 8, 4),  # the better two on four more
        (26, 4, 0),
        (30, 0, 0),
    ]


def test_fewer_trials_than_a_retest_wants_are_all_tried_again(registry: Registry) -> None:
    """With two trials and a retest of three, both are."""
    plan = make_plan(registry, once(budget=2, seeds=1, retest_trials=3, retest_seeds=1, widen=0))
    _, rounds = finish(plan)
    assert [len(wanted) for wanted in rounds] == [2, 2, 1]


def test_a_study_continues_wherever_it_was_interrupted(registry: Registry) -> None:
    """With any part of the results, exactly the other runs remain."""
    protocol = StudyProtocol(budget=4, seeds=2, retest_trials=2, retest_seeds=1, replicates=2)
    plan = make_plan(registry, protocol, datasets=("iris", "moons"))
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
    protocol = once(budget=4, seeds=1, select="time", widen=0)
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
    assert plan.left_out == ("full-only supports full batches only: left out in sgd",)
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
    plan = make_plan(registry, StudyProtocol(budget=17, seeds=2, widen=1, replicates=2))
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
