"""Suites: every key of a TOML file is read, and every mistake is reported in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.suites import NetworkChoice, Suite, find_suite, load_suite, parse_suite


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    """Write a file, and return its path."""
    path = folder / name
    path.write_text(text)
    return path


def test_a_suite_needs_only_datasets(tmp_path: Path) -> None:
    """One line is a suite; everything else has defaults, and the file gives the name."""
    suite = load_suite(write(tmp_path, 'datasets = ["digits"]'))
    assert suite == Suite(name="mine", datasets=("digits",))


def test_everything_can_be_set(tmp_path: Path) -> None:
    """Every key of the documented form is read."""
    text = """
    summary = "Mine"
    datasets = ["a", "b"]
    initializers = ["zeros", "constant[value=0.1]"]
    regimes = ["batch", "sgd"]
    batch_size = 16
    epochs = { batch = 50, sgd = 5 }
    optimizers = ["adam", "sgd[lr=0.1]"]
    networks = [{ hidden = [8] }, { hidden = [], activation = "tanh" }]
    [protocol]
    ruleset = "full"
    budget = 4
    """
    suite = load_suite(write(tmp_path, text))
    assert suite.networks == (
        NetworkChoice(hidden=(8,)),
        NetworkChoice(hidden=(), activation="tanh"),
    )
    assert suite.protocol == StudyProtocol(ruleset="full", budget=4)
    assert [suite.epochs_of(regime) for regime in suite.regimes] == [50, 5]
    assert len(list(suite.workloads())) == 2 * 2 * 2 * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "datasets is missing or empty"),
        ("datasets = []", "datasets is missing or empty; nothing would be trained"),
        ('datasets = "digits"', "datasets is text, not a list"),
        ("datasets = [1]", r"datasets\[0\] is a whole number, not text"),
        ('datasets = ["a", "a"]', "datasets has 'a' twice"),
        ('datasets = ["a"]\nepoch = 3', "unknown key 'epoch'; did you mean 'epochs'"),
        ('datasets = ["a"]\nepochs = 0', "epochs is 0; a whole number from 1 to 1,000,000"),
        (
            'datasets = ["a"]\nepochs = { batch = 3 }',
            "epochs has no number for regime 'mini",
        ),
        (
            'datasets = ["a"]\nepochs = { bach = 3 }',
            "epochs has 'bach'; allowed: batch, mini-batch",
        ),
        ('datasets = ["a"]\nregimes = ["foo"]', r"regimes\[0\] has 'foo'; allowed: batch, mini-"),
        (
            'datasets = ["a"]\noptimizers = "some"',
            "optimizers has 'some'; allowed: \"all\", a list",
        ),
        ('datasets = ["a"]\nprotocol = 3', "protocol is a whole number, not a table"),
        ('datasets = ["a"]\n[protocol]\nruleset = "x"', "protocol.ruleset has 'x'; allowed: defa"),
        (
            'datasets = ["a"]\n[protocol]\nbuget = 1',
            "key in protocol 'buget'; did you mean 'budget",
        ),
        ('datasets = ["a"]\n[protocol]\nseeds = 0', "protocol.seeds is 0; a whole number from 1"),
        (
            'datasets = ["a"]\n[protocol]\ndtype = "f"',
            "dtype has 'f'; allowed: float32, float64",
        ),
        ('datasets = ["a"]\nnetworks = [{ hiden = 1 }]', r"networks\[0\] 'hiden'; did you mean"),
        ('datasets = ["a"]\nnetworks = [{ hidden = [0] }]', r"networks\[0\].hidden\[0\] is 0"),
        ('datasets = ["a"]\nepochs = { sgd = true }', "epochs.sgd is true or false, not a whole"),
        ('datasets = ["a"]\nepochs = "3"', "epochs is text, not a whole number or a table"),
        ('datasets = ["a"]\nepochs = 3.0', "epochs is a number, not a whole number"),
        ('datasets = ["a"]\nsummary = 2026-01-01', "summary is of type date, not text"),
        ('datasets = ["a"]\noptimizers = 3', "optimizers is a whole number, not text or a list"),
        (
            'datasets = ["a"]\n[protocol]\nselect = 3',
            "is a whole number, not text; allowed: best_val_loss, t",
        ),
        (f'datasets = ["a"]\nbatch_size = 0x{"f" * 9000}', "batch_size is too large; a whole num"),
        ("datasets = [", "not valid TOML"),
    ],
)
def test_a_mistake_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, message: str
) -> None:
    """The error is one line with the file, the key and what is allowed there."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_suite(path)
    assert str(caught.value).startswith(f"suite {path}: ")
    assert "\n" not in str(caught.value)


def test_a_workload_that_is_also_a_combination_is_trained_once() -> None:
    """A list may repeat what datasets, networks and regimes give together."""
    listed = {"dataset": "a", "hidden": [32, 32], "regime": "sgd", "epochs": 3}
    suite = parse_suite({"datasets": ["a"], "epochs": 3, "workload": [listed]}, "suite")
    assert [w.regime for w in suite.workloads()] == ["batch", "mini-batch", "sgd"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing files, folders and bytes that are not text are errors of the user."""
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.toml", ".", "binary.toml"):
        with pytest.raises(ConfigError, match="suite "):
            load_suite(tmp_path / name)


def test_suites_are_found_by_name_and_by_path(tmp_path: Path) -> None:
    """A name is looked up among the registered suites; anything like a path is a file."""
    path = write(tmp_path, 'datasets = ["a"]', "quick.toml")
    assert find_suite("quick", {"quick": path}) == find_suite(str(path), {})
    with pytest.raises(ConfigError, match="unknown suite 'quik'; did you mean 'quick'"):
        find_suite("quik", {"quick": path})


words = st.text("ab-[]\n", max_size=4)
plain = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
)
keys = st.sampled_from([*Suite.__struct_fields__, "other"])


@given(st.dictionaries(keys, values, max_size=5))
def test_any_document_is_a_suite_or_a_config_error(data: dict[str, Any]) -> None:
    """No content of a file raises another error."""
    try:
        outcome = ", ".join(
            map(str, parse_suite({"datasets": ["a"], **data}, "x.toml").workloads())
        )
    except ConfigError as problem:
        outcome = str(problem).removeprefix("x.toml: ")
    assert outcome
    assert "x.toml" not in outcome
