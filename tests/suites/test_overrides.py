"""Suites that options or arguments change: one list of fields, checked like a suite's file."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest

from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.registry import default_registry
from optbench.suites import NetworkChoice, Suite
from optbench.suites.overrides import SuiteChanges, change_suite, resolve_suite

SUITE = Suite(datasets=("iris",), networks=(NetworkChoice(hidden=(8,)),))


def test_every_field_can_be_changed() -> None:
    """Names are those of the suite and its protocol; networks are given by their parts."""
    fields = {*Suite.__struct_fields__, *StudyProtocol.__struct_fields__}
    parts = {"hidden", "activations"}
    assert {*get_type_hints(SuiteChanges)} - parts == fields - {
        "name", "summary", "networks", "protocol",
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
