"""The code of a plugin is part of a run's content key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import optbench
from optbench import PluginError, RunSpec
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.execution import LocalExecutor
from optbench.execution.worker import describe_mismatch, fingerprints_of
from optbench.registry import Registry, default_registry, fresh_registry
from optbench.registry.fingerprints import fingerprint
from optbench.registry.scoped import ScopedRegistry

SOURCE = """
import numpy as np
import optbench

class Half(optbench.Schedule):
    '''Half of the learning rate.'''
    name = "half"
    source = "own work"
    variant = "none other is known"

    @staticmethod
    def factor(s, final):
        return np.full_like(s, {factor})

@optbench.hookimpl
def optbench_register_schedules():
    return [Half]
"""


DESCENT = """
import optbench

class Descent(optbench.Rule):
    '''Plain descent.'''
    name = "mine"
    lr: float = optbench.hyper(0.1, "learning rate", low=0)

    @staticmethod
    def update(theta, grad, t, h):
        return (theta - h.lr * grad,)
"""


def spec_of(optimizer: str) -> RunSpec:
    """Return a short run of an optimizer."""
    workload = make_workload(dataset="iris", epochs=1)
    return make_spec(entrant=make_entrant(optimizer), workload=workload)


def plant(path: Path, factor: float = 0.5) -> str:
    """Write the plugin to a file, load it, and return the path."""
    path.write_text(SOURCE.format(factor=factor))
    default_registry().load_once(str(path))
    return str(path)


@pytest.fixture(autouse=True)
def registry_of_its_own() -> Iterator[None]:
    """Each test has its own plugins."""
    with fresh_registry():
        yield


def test_the_fingerprint_follows_the_source(tmp_path: Path) -> None:
    """An edited plugin is a new plugin to the store of runs."""

    def of(folder: str, source: str) -> str:
        path = tmp_path / folder / "mine.py"
        path.parent.mkdir()
        path.write_text(source)
        registry = Registry()
        registry.load_named(str(path))
        return fingerprint(registry.optimizer("mine"))

    source = DESCENT
    assert of("a", source) == of("b", source)
    assert of("c", source.replace("0.1", "0.2")) != of("d", source)


def test_the_fingerprint_follows_the_version_of_what_is_wrapped() -> None:
    """A run of another release of a wrapped library is another run."""

    def of(version: str) -> str:
        return fingerprint(type("Wrapped", (optbench.Rule,), {"version": version}))

    assert of("1.0") == of("1.0")
    assert of("1.0") != of("1.1")


def test_a_schedule_of_a_plugin_trains(tmp_path: Path) -> None:
    """A schedule that halves the rate trains like half of the rate."""
    plant(tmp_path / "half.py")
    result = optbench.train("sgd[lr=0.2,schedule=half]", dataset="iris", epochs=1)
    plain = optbench.train("sgd[lr=0.1]", dataset="iris", epochs=1)
    assert result.params_hash == plain.params_hash
    assert result.spec.configuration == "sgd[lr=0.2,schedule=half]"


def test_the_code_of_a_schedule_is_part_of_the_key(tmp_path: Path) -> None:
    """An edited schedule makes another run; the stored form of the run reads back."""
    plant(tmp_path / "half.py")
    first = spec_of("sgd[schedule=half]")
    assert msgspec.json.decode(msgspec.json.encode(first), type=RunSpec) == first
    with fresh_registry():
        plant(tmp_path / "other.py", factor=0.25)
        second = spec_of("sgd[schedule=half]")
    assert first.key != second.key
    assert msgspec.structs.replace(second, schedule_code=first.schedule_code) == first


def test_a_builtin_schedule_leaves_the_key_as_it_was() -> None:
    """Runs that were stored before schedules were plugins keep their keys."""
    spec = spec_of("sgd[schedule=cosine]")
    assert "schedule_code" not in msgspec.json.decode(msgspec.json.encode(spec))
    fixed = RunSpec(optimizer="sgd", hyper={"lr": 0.1}, dataset="iris", engine=1)
    assert fixed.key == "c32cef7c2331d00c6364"


def test_a_worker_with_another_schedule_is_refused(tmp_path: Path) -> None:
    """Such a worker would train something else under the same key."""
    plant(tmp_path / "half.py")
    planned = spec_of("sgd[schedule=half]")
    assert describe_mismatch(fingerprints_of([planned]), ScopedRegistry()) == ""
    edited = msgspec.structs.replace(planned, schedule_code="0" * 12)
    assert (
        describe_mismatch(fingerprints_of([edited]), ScopedRegistry())
        == "its schedule 'half' has different source code"
    )


def test_a_foreign_schedule_runs_in_worker_processes(tmp_path: Path) -> None:
    """Python of other distributions does not run in the driver; the numbers are the same."""
    plugin = plant(tmp_path / "half.py")
    with LocalExecutor(1, plugins=[plugin]) as executor:
        assert not executor._fits_thread(spec_of("sgd[schedule=half]"))
        assert executor._fits_thread(spec_of("sgd[schedule=cosine]"))
        (result,) = executor.map([spec_of("sgd[lr=0.2,schedule=half]")])
    plain = optbench.train("sgd[lr=0.1]", dataset="iris", epochs=1)
    assert result.params_hash == plain.params_hash


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("warmup = 1.0", "declares warmup = 1.0, not a number >= 0 and < 1"),
        ("warmup = 'long'", "declares warmup = 'long'"),
        ("needs = frozenset({'rng'})", "which a schedule cannot have"),
        ("power: float = optbench.hyper(2.0)", "which a schedule cannot have"),
    ],
)
def test_a_faulty_schedule_is_refused(tmp_path: Path, declaration: str, message: str) -> None:
    """The error comes when the plugin is loaded, and names it."""
    path = tmp_path / "half.py"
    path.write_text(
        SOURCE.format(factor=1).replace('name = "half"', f'name = "half"; {declaration}')
    )
    with pytest.raises(
        PluginError, match=f"'half' {message}" if "declares" in message else message
    ):
        Registry().load_named(str(path))
