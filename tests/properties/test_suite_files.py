"""Suites from files with any content: a plan, or one line that names file and key."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optbench.errors import ConfigError
from optbench.plan import build_plan
from optbench.records import DTYPES, REGIMES, StudyProtocol
from optbench.registry import default_registry
from optbench.suites import NetworkChoice, Suite, Target, find_suite, load_suite

REGISTRY = default_registry()
TARGET = Target(easy=0.5, medium=0.3, hard=0.1)


def toml(value: Any) -> str:
    """Return a value in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    return str(value)


def document(data: dict[str, Any]) -> str:
    """Return a TOML document with these keys."""
    return "".join(f"{toml(key)} = {toml(value)}\n" for key, value in data.items())


def refusal_of(path: Path) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(ConfigError) as caught:
        build_plan(load_suite(path), REGISTRY)
    text = str(caught.value)
    assert text.isprintable()
    assert text
    return text


words = st.text(max_size=6) | st.sampled_from(["all", "digits", "sgd", "adam[lr=0.1]", "batch"])
plain = (
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([0, 1, 10**6, 10**9, 10**30, datetime.date(2020, 1, 1)])
    | st.floats()
    | words
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from([*Suite.__struct_fields__, "epoch", "data-sets", ""]) | words
tables = st.dictionaries(
    st.sampled_from([*StudyProtocol.__struct_fields__, *NetworkChoice.__struct_fields__]) | words,
    values,
    max_size=4,
)


@given(st.dictionaries(keys, values | tables | st.lists(tables, max_size=2), max_size=5))
@example({"datasets": ["iris"], "protocol": {"seeds": 10**30}})
@example({"datasets": ["iris", "iris"]})
@example({"datasets": ["iris"], "networks": [{"hidden": [10**30]}]})
@example({"datasets": ["iris"], "epochs": {"sgd": True}})
@example({"datasets": ["iris"], "name": "\x1b[31m"})
@example({"datasets": [["iris"]]})
@example({"datasets": {"iris": 1}})
def test_a_file_is_a_suite_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    """Wrong values, wrong keys and nested nonsense: an error names the file."""
    path = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    path.write_text(document({"datasets": ["iris"], **data}), encoding="utf-8")
    try:
        suite = load_suite(path)
    except ConfigError as problem:
        message = str(problem)
        suite = None
    if suite is None:
        assert message.startswith(f"suite {path}: ")
        assert message.isprintable()
        mistaken = [key for key in data if key.strip() and key.isprintable() and key in message]
        assert mistaken or any(not key.isprintable() or not key.strip() for key in data)
    else:
        assert set(suite.regimes) <= set(REGIMES)
        assert suite.datasets


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "ignore")))
@example(b"")
@example(b"\xff\xfe\x00")
@example(b"\x00")
@example(b"datasets = [" + b"[" * 5000)
@example(b"a = {b = " * 3000)
@example(b'datasets = ["iris"]\ndatasets = ["moons"]')
@example(b"[protocol]\n[protocol]")
@example(b"batch_size = " + b"9" * 5000)
@example(b'\xef\xbb\xbf\xef\xbb\xbfdatasets = ["iris"]')
def test_bytes_that_are_not_a_suite_are_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Other encodings, broken TOML, deep nesting, keys given twice."""
    path = tmp_path_factory.getbasetemp() / "bytes.toml"
    path.write_bytes(content)
    assert refusal_of(path).startswith(f"suite {path}: ")


def test_paths_that_are_not_files_are_one_line(tmp_path: Path) -> None:
    """A folder, a missing file, a name that is impossible or too long."""
    for path in (tmp_path, tmp_path / "none.toml", tmp_path / f"{'x' * 300}.toml"):
        assert refusal_of(path).startswith(f"suite {path}: ")
    for name in ("a/\0.toml", "\0.toml"):
        with pytest.raises(ConfigError, match="suite "):
            find_suite(name, {})


def test_a_byte_order_mark_is_allowed(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    path = tmp_path / "marked.toml"
    path.write_bytes(b'\xef\xbb\xbfdatasets = ["iris"]')
    assert load_suite(path).datasets == ("iris",)


def unique(items: list[str]) -> st.SearchStrategy[list[str]]:
    """Draw one or two of these items."""
    return st.lists(st.sampled_from(items), min_size=1, max_size=2, unique=True)


protocols = st.fixed_dictionaries(
    {},
    optional={
        "ruleset": st.sampled_from(["defaults", "lr", "full"]),
        "budget": st.integers(1, 10_000),
        "tuning_seeds": st.integers(1, 1000),
        "seeds": st.integers(1, 1_000_000),
        "replicates": st.integers(1, 512),
        "first_replicate": st.integers(0, 511),
        "stepper_replicates": st.integers(0, 512),
        "refine_trials": st.integers(0, 1000),
        "retest_trials": st.integers(0, 100),
        "retest_seeds": st.integers(1, 1000),
        "select": st.sampled_from(["best_val_loss", "val_loss", "time"]),
        "widen": st.integers(0, 5),
        "dtype": st.sampled_from(DTYPES),
        "grid_points": st.integers(2, 10_000),
    },
)


@given(
    st.fixed_dictionaries(
        {"datasets": unique(["iris", "moons"])},
        optional={
            "summary": st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
            "initializers": unique(["he-normal", "zeros", "constant[value=0.1]"]),
            "regimes": unique(list(REGIMES)),
            "batch_size": st.integers(2, 80),  # 1 is sgd, and all examples are batch
            "epochs": st.integers(1, 10**6)
            | st.fixed_dictionaries({regime: st.integers(1, 10**6) for regime in REGIMES}),
            "optimizers": unique(["sgd", "adam[lr=0.01]", "sgd[schedule=cosine,lr=1]"]),
            "networks": st.lists(
                st.fixed_dictionaries(
                    {"hidden": st.lists(st.integers(1, 2000), max_size=2)},
                    optional={"activation": st.sampled_from(["relu", "tanh"])},
                ),
                min_size=1,
                max_size=1,
            ),
            "protocol": protocols,
        },
    )
)
def test_a_valid_suite_becomes_a_plan(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    """Every key is read as it was written, and the plan is the product of all axes."""
    path = tmp_path_factory.getbasetemp() / "valid.toml"
    path.write_text(document(data), encoding="utf-8")
    suite = load_suite(path)
    back = msgspec.json.decode(msgspec.json.encode(suite))
    for key, value in data.items():
        if key in ("protocol", "networks"):
            pairs = (
                [(back[key], value)] if key == "protocol" else zip(back[key], value, strict=True)
            )
            assert all(read.items() >= written.items() for read, written in pairs)
        else:
            assert back[key] == value
    chosen = msgspec.structs.replace(suite, optimizers=data.get("optimizers", ("sgd",)))
    targets = {
        (dataset, f"{'-'.join(map(str, network.hidden)) or 'linear'} {network.activation}"): TARGET
        for dataset in suite.datasets
        for network in suite.networks
    }
    plan = build_plan(chosen, REGISTRY, targets)
    product = len(suite.datasets) * len(suite.networks) * len(suite.initializers)
    cells = product * len(suite.regimes) * len(chosen.optimizers) * suite.protocol.replicates
    assert len(plan.cells) == cells
    assert plan.protocol == suite.protocol
    for cell in plan.cells:
        assert cell.workload.epochs == suite.epochs_of(cell.workload.regime)
