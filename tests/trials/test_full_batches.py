"""Reports of one workload that is counted twice under two names.

A batch size at or above the number of training examples is full batch, and a batch of one example
is SGD. Where a study has both names, it would train the same runs twice, count them as independent
evidence, and draw them as two regimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import optbench
from optbench.engine.specs import make_workload
from optbench.plan import build_plan
from optbench.registry import default_registry
from optbench.suites import Suite, parse_suite
from tests.cli import study_helpers

N_TRAIN = len(optbench.load_dataset("iris").x_train)


def suite_of(**fields: Any) -> Suite:
    """Return a suite of plain SGD on iris."""
    document: Mapping[str, Any] = {"datasets": ["iris"], "optimizers": ["sgd"], **fields}
    return parse_suite(document, "suite")


@pytest.mark.parametrize("size", [N_TRAIN, N_TRAIN + 1, 10**9])
def test_a_batch_of_everything_has_one_name(size: int) -> None:
    """Three spellings are one workload, with one label and therefore the same seeds and runs."""
    full = make_workload(dataset="iris", regime="batch")
    assert make_workload(dataset="iris", batch_size=size) == full
    assert full.batch_size == N_TRAIN


def test_one_example_less_is_a_mini_batch() -> None:
    """The bound is exact."""
    workload = make_workload(dataset="iris", batch_size=N_TRAIN - 1)
    assert (workload.regime, workload.batch_size) == ("mini-batch", N_TRAIN - 1)


def test_a_batch_of_one_example_has_one_name() -> None:
    """The same kind at the other end."""
    one = make_workload(dataset="iris", batch_size=1)
    assert one == make_workload(dataset="iris", regime="sgd")
    assert make_workload(dataset="iris", batch_size=2).regime == "mini-batch"


def test_the_runs_are_the_same_runs() -> None:
    """The content key is the same, so that the store trains them once."""
    runs = [
        optbench.train("sgd", dataset="iris", epochs=2, regime=regime, batch_size=size)
        for regime, size in (("batch", 32), ("mini-batch", N_TRAIN), ("mini-batch", 5000))
    ]
    assert len({run.key for run in runs}) == 1


def test_an_optimizer_of_full_batches_takes_a_batch_of_everything() -> None:
    """It is defined there, whatever the regime is called."""
    names = default_registry().entries("optimizers")
    name = next(n for n, entry in names.items() if "full-batch" in entry.item.needs)
    assert optbench.train(name, dataset="iris", epochs=1, batch_size=500).spec.regime == "batch"


def test_a_study_has_each_workload_once_and_says_so_once() -> None:
    """Whichever of the two names comes first."""
    for regimes in (["batch", "mini-batch"], ["mini-batch", "batch"]):
        plan = build_plan(suite_of(regimes=regimes, batch_size=500), default_registry())
        assert [workload.regime for workload in plan.workloads] == ["batch"]
        assert len(plan.cells) == plan.protocol.replicates
        (line,) = plan.left_out
        assert f"batch_size=500 on iris: an update of all {N_TRAIN} training examples" in line


def test_other_epochs_are_another_workload() -> None:
    """Only what is equal in everything is one."""
    epochs = {"batch": 100, "mini-batch": 10}
    suite = suite_of(regimes=["batch", "mini-batch"], batch_size=500, epochs=epochs)
    plan = build_plan(suite, default_registry())
    assert [workload.epochs for workload in plan.workloads] == [100, 10]
    assert {workload.regime for workload in plan.workloads} == {"batch"}


def test_two_spellings_of_one_initializer_are_one_workload() -> None:
    """A value that is the default may be given or not."""
    value = make_workload(dataset="iris", initializer="constant").initializer_hyper["value"]
    names = ["constant", f"constant[value={value}]"]
    plan = build_plan(suite_of(regimes=["batch"], initializers=names), default_registry())
    assert len(plan.workloads) == 1
    assert "the suite has it twice; it is trained once" in plan.left_out[0]


def test_the_command_says_it_once(tmp_path: Path) -> None:
    """From the command line, with both regimes and a batch that is too large."""
    words: list[str | Path] = ["run", *study_helpers.TINY, "-o", "sgd", "-d", "iris"]
    words += ["-r", "mini-batch", "--batch-size", "500", "--out", tmp_path]
    outcome = study_helpers.optbench_process(*words, "--ruleset", "defaults")
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("is regime batch, and is listed as such") == 1
    assert outcome.err.count("note: mini-batch with batch_size=500 on iris") == 1
    assert "left out" not in outcome.err
    runs = optbench.load_study(tmp_path).runs
    assert {(run.spec.regime, run.spec.batch_size) for run in runs} == {("batch", N_TRAIN)}


def test_a_sweep_over_batch_sizes_says_which_are_full_batch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The points stay, and they are one workload."""
    with caplog.at_level("INFO", logger="optbench"):
        result = optbench.sweep(
            {"batch_size": [1, 32, 200, 300]}, "sgd", dataset="iris", epochs=1, seeds=1
        )
    said = [record.getMessage() for record in caplog.records if "full batch" in record.getMessage()]
    assert said == [
        f"batch_size=200, 300: full batch, the {N_TRAIN} training examples of iris in every update"
    ]
    rows = result.rows()
    assert [row["batch_size"] for row in rows] == [1, 32, 200, 300]
    assert "mini-batch" in result.fixed
    assert "sgd" not in result.fixed
