"""Drawn workloads: reproducible, nested, and as the distribution says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest

from optbench.errors import ConfigError
from optbench.plan import build_plan
from optbench.registry import default_registry
from optbench.suites import DatasetFamily, Draw, Range, parse_suite
from optbench.suites.draws import draw_workloads
from optbench.suites.overrides import change_suite, resolve_suite

DRAW = Draw(
    datasets=(
        DatasetFamily(name="moons", values={"n": Range(low=100, high=1000, log=True)}),
        DatasetFamily(name="blobs", weight=3, values={"spread": Range(low=1.0, high=5.0)}),
    ),
    epochs={"batch": 50, "mini-batch": Range(low=1, high=4)},
    depth=(0, 1, 2),
    width=Range(low=8, high=128, log=True),
    activation=("relu", "tanh"),
    regime=("batch", "mini-batch"),
    workloads=2000,
)


def test_the_first_workloads_of_a_larger_draw_are_those_of_a_smaller_one() -> None:
    """Also where a distribution is declared for one more quantity; another seed draws others."""
    few = list(draw_workloads(msgspec.structs.replace(DRAW, workloads=20), "x"))
    assert list(draw_workloads(DRAW, "x"))[:20] == few
    other = msgspec.structs.replace(DRAW, workloads=20, initializer=("zeros", "he-normal"))
    varied = list(draw_workloads(other, "x"))
    assert [w.dataset for w in varied] == [w.dataset for w in few]
    assert list(draw_workloads(msgspec.structs.replace(other, seed=1), "x")) != varied


FIRST = [
    "teacher-regression[n=1807,dimension=7,width=22,gain=0.653,noise=0.127,seed=294218132]",
    (9,),
    35,
]
SECOND = [
    "teacher[n=542,dimension=16,classes=9,width=17,gain=2.45,noise=0.18,seed=396307443]",
    (30, 30, 30, 30),
    8,
]


def test_the_draw_is_the_same_on_every_machine_and_in_every_version() -> None:
    """Two workloads, frozen: a change would end all comparisons with stored studies."""
    suite = resolve_suite("drawn", default_registry())
    first, second, *others = suite.workloads()
    assert [first.dataset, first.hidden, first.epochs] == FIRST
    assert [second.dataset, second.hidden, second.epochs] == SECOND
    assert len(others) == 98


def test_values_are_distributed_as_declared() -> None:
    """Weights, lists, and ranges on both scales, with both limits included."""
    drawn = list(draw_workloads(DRAW, "x"))
    families = Counter(w.dataset.partition("[")[0] for w in drawn)
    assert families["blobs"] / len(drawn) == pytest.approx(0.75, abs=0.03)
    assert Counter(len(w.hidden) for w in drawn)[0] / len(drawn) == pytest.approx(1 / 3, abs=0.04)
    widths = np.array([w.hidden[0] for w in drawn if w.hidden])
    assert (widths.min(), widths.max()) == (8, 128)
    assert np.median(np.log2(widths)) == pytest.approx(5, abs=0.15)
    epochs = Counter(w.epochs for w in drawn if w.regime == "mini-batch")
    assert set(epochs) == {1, 2, 3, 4}
    assert min(epochs.values()) / max(epochs.values()) > 0.7
    spreads = [float(w.dataset[13:-1]) for w in drawn if w.dataset.startswith("blobs")]
    assert np.mean(spreads) == pytest.approx(3, abs=0.15)


def test_quantities_are_independent() -> None:
    """One hash for each: no correlation between them, or between neighbours."""
    drawn = [w for w in draw_workloads(DRAW, "x") if w.hidden]
    columns = np.array([
        [w.hidden[0] for w in drawn], [w.activation == "tanh" for w in drawn],
        [w.regime == "batch" for w in drawn], [w.dataset.startswith("moons") for w in drawn],
    ], dtype=float)  # fmt: skip
    correlations = np.corrcoef(np.vstack([columns[:, 1:], columns[:, :-1]]))
    assert np.abs(correlations - np.eye(8)).max() < 0.09  # 3.3 standard errors, 28 pairs


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        ({"datasets": []}, "draw.datasets is empty"),
        ({"depth": -1}, "draw.depth has -1; a whole number from 0 to 1,000"),
        ({"depth": "two"}, "draw.depth has two"),
        ({"width": 0}, r"drawn workload 0: hidden\[0\] is 0"),
        ({"width": {"low": 9, "high": 3}}, "draw.width is from 9 to 3; low <= high"),
        ({"width": {"low": 0, "high": 3, "log": True}}, "draw.width is from 0 to 3; 0 < low"),
        ({"activation": []}, "draw.activation is empty"),
        ({"regime": "sgd"}, "draw.epochs has no number for regime 'sgd'"),
        ({"regime": "rapid"}, "draw.epochs has no number for regime 'rapid'"),
        ({"epochs": {"batch": 1.5}}, "epochs is a number, not a whole number"),
        (
            {"datasets": [{"name": "a", "weight": 0}]},
            r"draw.datasets\[0\].weight is 0; a number > 0",
        ),
        ({"datasets": [{"name": "a", "vaues": {}}]}, "did you mean 'values'"),
        ({"workloads": 0}, "draw.workloads is 0; a whole number from 1 to 10,000"),
    ],
)
def test_a_mistake_names_the_key(draw: dict[str, Any], message: str) -> None:
    """In one line, when the file is read."""
    good = {"datasets": [{"name": "moons"}], "regime": "batch", "epochs": {"batch": 1}}
    with pytest.raises(ConfigError, match=f"^x.toml: .*{message}"):
        parse_suite({"draw": {**good, **draw}}, "x.toml")


def test_a_suite_is_drawn_or_listed() -> None:
    """The statement about workloads like these is about the distribution alone."""
    draw = {"datasets": [{"name": "moons"}], "regime": "batch", "epochs": {"batch": 1}}
    with pytest.raises(ConfigError, match="a suite with draw has neither datasets nor workload"):
        parse_suite({"datasets": ["iris"], "draw": draw}, "x.toml")


def test_a_plan_of_drawn_workloads_says_so() -> None:
    """Every dataset is loaded with its values; a wrong one is refused."""
    registry = default_registry()
    suite = change_suite(resolve_suite("drawn", registry), {"workloads": 4})
    plan = build_plan(suite, registry)
    assert plan.drawn
    assert len({cell.workload.label for cell in plan.cells}) == 4
    assert not build_plan(resolve_suite("smoke", registry), registry).drawn
    draw = {
        "datasets": [{"name": "moons", "values": {"m": 3}}],
        "epochs": {"sgd": 1},
        "regime": "sgd",
    }
    with pytest.raises(ConfigError, match="unknown hyperparameter of moons 'm'"):
        build_plan(parse_suite({"draw": draw}, "x.toml"), registry)
