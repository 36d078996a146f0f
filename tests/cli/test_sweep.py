"""``optbench sweep``: grids of one and two hyperparameters, kept and resumed."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import sqlite3
import warnings
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import optbench
from optbench.analysis.views.sweep_points import coverage, sweep_point
from optbench.cli import main
from optbench.execution import LocalExecutor
from optbench.records import RunResult
from optbench.store import Store
from optbench.study import Progress
from optbench.study.sweep_axes import parse_axis
from optbench.study.sweeping import plan_sweep, run_sweep
from tests.support.packages import need

TINY = ["-d", "iris", "--epochs", "2", "--hidden", "8", "--formats", "svg", "--jobs", "1"]


def sweep(*args: object) -> dict[str, Any]:
    """What ``optbench sweep --json`` says."""
    outcome = CliRunner().invoke(main, ["sweep", *map(str, args), *TINY, "--json"])
    assert outcome.exit_code == 0, outcome.stderr
    told: dict[str, Any] = json.loads(outcome.stdout)
    return told


def test_one_hyperparameter_is_swept_for_several_optimizers(tmp_path: Path) -> None:
    """Every value with every optimizer, summarised over seeds, as table and plot."""
    told = sweep("lr=0.01,0.1,1", "-o", "sgd", "-o", "adam", "--seeds", 3, "--out", tmp_path)
    assert len(told["points"]) == 6
    assert {(p["optimizer"], p["lr"]) for p in told["points"]} == {
        (o, lr) for o in ("sgd", "adam") for lr in (0.01, 0.1, 1)
    }
    for point in told["points"]:
        assert point["low"] <= point["median"] <= point["high"]
        assert point["seeds"] == 3
    assert (tmp_path / "sweep-lr.svg").stat().st_size > 0
    with (tmp_path / "sweep-lr.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 6


def test_a_point_is_what_train_gives(tmp_path: Path) -> None:
    """A sweep trains the same runs as `optbench.train`."""
    told = sweep("lr=0.5", "-o", "sgd", "--seeds", 1, "--out", tmp_path)
    run = optbench.train("sgd[lr=0.5]", "iris", (8,), epochs=2)
    assert told["points"][0]["median"] == run.final("val_loss")


def test_two_hyperparameters_make_a_heat_map(tmp_path: Path) -> None:
    """The product of both, and of the network's shape as well."""
    told = sweep(
        "layers=1..3:3", "initializer=he-normal,zeros", "-o", "adam", "--seeds", 2,
        "--out", tmp_path,
    )  # fmt: skip
    assert [(p["layers"], p["initializer"]) for p in told["points"]] == [
        (n, i) for n in (1, 2, 3) for i in ("he-normal", "zeros")
    ]
    assert (tmp_path / "sweep-layers-initializer.svg").is_file()


def test_what_is_stored_is_not_trained_again(tmp_path: Path) -> None:
    """A wider sweep trains only what is new, and the old points keep their numbers."""
    first = sweep("lr=0.01,0.1", "-o", "sgd", "--seeds", 2, "--out", tmp_path)
    with Store(tmp_path / "runs.sqlite") as store:
        before = {result.key: result.seconds for result in store.results()}
    wider = sweep("lr=0.01,0.1,1", "-o", "sgd", "--seeds", 2, "--out", tmp_path)
    with Store(tmp_path / "runs.sqlite") as store:
        after = {result.key: result.seconds for result in store.results()}
    assert len(before) == 4
    assert len(after) == 6
    assert before.items() <= after.items()
    assert wider["points"][:2] == first["points"]


class OneByOne(LocalExecutor):
    """Takes a run when the one before has ended."""

    def room(self) -> int:
        return 1 - self._in_threads


def test_an_interrupted_sweep_says_that_it_is_not_complete(tmp_path: Path) -> None:
    """Ctrl-C after two of three runs: two points, and the next execution trains the third."""
    plan = plan_sweep(
        [parse_axis("lr=0.01,0.1,1", ["sgd"])], ["sgd"], 1,
        {"dataset": "iris", "hidden": (8,), "epochs": 1},
    )  # fmt: skip
    trained: list[int] = []

    def interrupt(progress: Progress) -> None:
        if progress.result is not None:  # a slow machine also gets periodic updates
            trained.append(progress.trained)
        if progress.trained == 2:
            raise KeyboardInterrupt

    with Store(tmp_path / "runs.sqlite") as store:
        with OneByOne(1) as executor:
            points, complete = run_sweep(plan, store, executor, observer=interrupt)
        assert not complete
        assert len(points) == store.count() == 2
        with OneByOne(1) as executor:
            points, complete = run_sweep(plan, store, executor, observer=interrupt)
    assert complete
    assert len(points) == 3
    assert trained == [1, 2, 1]


class AllAtOnce(LocalExecutor):
    """Hands over everything together."""

    def collect(self, timeout: float, arrived: deque[RunResult]) -> None:
        while self._in_threads:
            super().collect(timeout, arrived)


def test_an_interrupted_sweep_keeps_what_is_finished(tmp_path: Path) -> None:
    """Ctrl-C after one run: it and those that had finished by then are in the store."""
    plan = plan_sweep(
        [parse_axis("lr=0.01,0.1,1", ["sgd"])], ["sgd"], 1,
        {"dataset": "iris", "hidden": (8,), "epochs": 1},
    )  # fmt: skip

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "runs.sqlite"
    with Store(path) as store, AllAtOnce(1) as executor:
        executor.prepare([spec for *_, seeds in plan.points for spec in seeds])
        points, complete = run_sweep(plan, store, executor, observer=interrupt)
        assert len(points) == store.count() == 3
        assert complete
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM runs WHERE key = ?", (plan.points[1][2][0].key,))
    seen: list[Progress] = []
    with Store(path) as store, LocalExecutor(1) as other:
        points, complete = run_sweep(plan, store, other, observer=seen.append)
    assert complete
    assert len(points) == 3
    assert seen[-1].trained == 1


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("lr=0.001..1:4", (0.001, 0.01, 0.1, 1.0)),
        ("layers=1..5:5", (1, 2, 3, 4, 5)),
        ("batch-size=1..64:4", (1, 4, 16, 64)),
        ("activation=relu, tanh", ("relu", "tanh")),
        ("beta1=0.9..0.999:3", (0.9, 0.99, 0.999)),
        ("epochs=5,10", (5, 10)),
    ],
)
def test_ranges_are_divided_as_the_values_count(text: str, values: tuple[object, ...]) -> None:
    """Rates by ratio, layers evenly, decays by the ratio of their distance from 1."""
    found = parse_axis(text, ["adam"]).values
    if isinstance(values[0], str):
        assert found == values
    else:
        np.testing.assert_allclose(np.array(found, float), np.array(values, float), rtol=0.01)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["lr"], "name=values"),
        (["lrr=1,2"], "did you mean 'lr'"),
        (["depth=1,2"], "did you mean 'layers'"),
        (["width=1,2"], "did you mean 'neurons'"),
        (["lr=1..0.1"], "low must be below high"),
        (["lr=0.1", "lr=0.2"], "two different"),
        (["lr=0.1", "epochs=1", "layers=2"], "two different"),
        (["lr=-1"], "lr=-1"),
        (["activation=relu..tanh"], "not a range"),
        (["layers=1,2", "beta9=1"], "beta9"),
    ],
)
def test_mistakes_are_one_line(args: list[str], message: str, tmp_path: Path) -> None:
    """Each says what is wrong and what is allowed, and nothing is trained."""
    out = ["--out", str(tmp_path / "none")]
    found = CliRunner().invoke(main, ["sweep", *args, "-o", "adam", *TINY, *out])
    assert found.exit_code == 1
    assert message in found.stderr
    assert found.stderr.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_the_interval_of_the_median_covers_it() -> None:
    """Over simulated draws the interval holds the true median as often as it says."""
    rng = np.random.default_rng(0)
    for n in (3, 5, 10):
        inside = max((k for k in range((n + 1) // 2) if coverage(n, k) >= 0.9), default=0)
        draws = np.sort(rng.normal(size=(20_000, n)), axis=1)
        held = (draws[:, inside] <= 0) & (draws[:, n - 1 - inside] >= 0)
        assert held.mean() == pytest.approx(coverage(n, inside), abs=0.01)


def test_diverged_seeds_count_as_infinite() -> None:
    """Most seeds diverged: so is the median; one of three: not the median, but the interval."""
    good = optbench.train("sgd", "iris", epochs=1)
    bad = optbench.train("sgd[lr=1e30]", "iris", epochs=3)
    assert bad.status is optbench.Status.DIVERGED
    mostly = sweep_point("sgd", {"lr": 1}, [good, bad, bad])
    once = sweep_point("sgd", {"lr": 1}, [good, good, bad])
    assert math.isinf(mostly.median)
    assert once.median == good.final("val_loss")
    assert math.isinf(once.high)
    assert (mostly.diverged, once.diverged) == (2, 1)


def test_a_sweep_too_large_is_refused_before_it_is_planned() -> None:
    """The number of runs is told instead."""
    axis = parse_axis("lr=1e-5..1:1000", ["sgd"])
    with pytest.raises(optbench.ConfigError, match="1,000,000 runs"):
        plan_sweep([axis], ["sgd"], 1000, {})


@pytest.mark.long
def test_a_sweep_is_trained_on_a_cluster(tmp_path: Path) -> None:
    """The same bits as on this machine, and no --jobs beside it."""
    distributed = need("distributed")
    with (
        warnings.catch_warnings(action="ignore"),  # a cluster this small has much to say
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
    ):
        words = ["sweep", "lr=0.1", "-o", "sgd", "--seeds", "2", *TINY[:-2], "--json"]
        words += ["--scheduler", cluster.scheduler_address]
        there = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "there")])
    assert there.exit_code == 0, there.stderr
    here = sweep("lr=0.1", "-o", "sgd", "--seeds", 2, "--out", tmp_path / "here")
    assert json.loads(there.stdout)["points"] == here["points"]
    refused = CliRunner().invoke(main, [*words, "--jobs", "1", "--out", str(tmp_path / "no")])
    assert refused.exit_code == 1
    assert "jobs are for this machine" in refused.stderr
