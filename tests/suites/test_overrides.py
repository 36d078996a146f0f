"""Suites that options or arguments change: one list of fields, checked like a suite's file."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest

from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.registry import default_registry
from optbench.suites import DatasetFamily, Draw, NetworkChoice, Suite, WorkloadChoice
from optbench.suites.overrides import SuiteChanges, change_suite, resolve_suite

SUITE = Suite(datasets=("iris",), networks=(NetworkChoice(hidden=(8,)),))


def test_every_field_can_be_changed() -> None:
    """Names are those of the suite and its protocol; networks are given by their parts."""
    fields = {*Suite.__struct_fields__, *StudyProtocol.__struct_fields__}
    parts = {"hidden", "activations", "workloads"}
    assert {*get_type_hints(SuiteChanges)} - parts == fields - {
        "name", "summary", "networks", "protocol", "workload", "draw",
    }  # fmt: skip


def test_none_and_empty_lists_change_nothing() -> None:
    """An option that is not given is one of these."""
    assert change_suite(SUITE, {"optimizers": None, "datasets": (), "epochs": None}) == SUITE


def test_networks_are_all_combinations() -> None:
    """What is not given stays as the suite has it."""
    both = change_suite(SUITE, {"hidden": [(4, 4), ()], "activations": ["tanh", "relu"]})
    assert [(n.hidden, n.activation) for n in both.networks] == [
        ((4, 4), "tanh"), ((4, 4), "relu"), ((), "tanh"), ((), "relu"),
    ]  # fmt: skip
    one = change_suite(SUITE, {"activations": ["tanh"]})
    assert one.networks == (NetworkChoice(hidden=(8,), activation="tanh"),)


def test_a_value_that_is_not_allowed_is_named() -> None:
    """With the place where it was given."""
    with pytest.raises(ConfigError, match=r"^compare: protocol\.budget is 0"):
        change_suite(SUITE, {"budget": 0}, "compare")


def test_a_suite_is_a_name_a_path_or_a_dict(tmp_path: Path) -> None:
    """All three are checked in the same way."""
    registry = default_registry()
    assert resolve_suite("smoke", registry).name == "smoke"
    path = tmp_path / "mine.toml"
    path.write_text('datasets = ["iris"]')
    assert resolve_suite(path, registry) == resolve_suite(str(path), registry)
    assert resolve_suite({"datasets": ["iris"]}, registry).datasets == ("iris",)
    with pytest.raises(ConfigError, match="did you mean 'datasets'"):
        resolve_suite({"dataset": ["iris"]}, registry)


LISTED = Suite(
    workload=(
        WorkloadChoice(dataset="iris", regime="batch", epochs=5),
        WorkloadChoice(dataset="digits", hidden=(8,), regime="sgd"),
    )
)


def test_listed_workloads_are_those_of_the_chosen_names() -> None:
    """With the other changes; a dataset that is not among them is trained as in any suite."""

    def workloads(changes: SuiteChanges) -> list[tuple[str, tuple[int, ...], str, int]]:
        suite = change_suite(LISTED, changes)
        return [(w.dataset, w.hidden, w.regime, w.epochs) for w in suite.workloads()]

    assert workloads({}) == [("iris", (32, 32), "batch", 5), ("digits", (8,), "sgd", 10)]
    assert workloads({"regimes": ["sgd"], "epochs": 3}) == [("digits", (8,), "sgd", 3)]
    assert workloads({"hidden": [(4,), ()], "regimes": ["batch"], "epochs": {"batch": 7}}) == [
        ("iris", (4,), "batch", 7), ("iris", (), "batch", 7),
    ]  # fmt: skip
    assert workloads({"datasets": ["iris"]}) == [("iris", (32, 32), "batch", 5)]
    assert workloads({"datasets": ["wine"], "regimes": ["batch"]}) == [
        ("wine", (32, 32), "batch", 10)
    ]
    with pytest.raises(ConfigError, match="nothing would be trained"):
        change_suite(LISTED, {"initializers": ["zeros"]})


def test_the_number_of_drawn_workloads_can_be_changed_and_no_axis() -> None:
    """Which is what the distribution is for."""
    draw = Draw(datasets=(DatasetFamily(name="moons"),), epochs={"sgd": 2}, regime="sgd")
    suite = Suite(name="mine", draw=draw)
    assert len(list(change_suite(suite, {"workloads": 7}).workloads())) == 7
    with pytest.raises(ConfigError, match="suite mine draws its workloads, so hidden cannot be"):
        change_suite(suite, {"hidden": [(8,)]})
    with pytest.raises(ConfigError, match="does not draw its workloads"):
        change_suite(SUITE, {"workloads": 7})
