"""Datasets with values in brackets: each combination is a dataset of its own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import optbench
from optbench import Array, ConfigError, DatasetSource, hyper
from optbench.contracts import family_of
from optbench.data.splits import prepare_dataset
from optbench.engine.specs import make_workload
from optbench.registry import default_registry
from optbench.registry.dataset_values import with_values
from optbench.registry.validation import find_fault


class Signs(DatasetSource):
    """Signs of numbers."""

    name = "signs"
    task = "binary"
    n: int = hyper(100, "number of examples", low=20, high=1000)
    shift: float = hyper(0.0, "shift of the threshold")
    kind: str = hyper("normal", "distribution", choices=("normal", "uniform"))
    loads = 0

    def load(self) -> tuple[Array, Array]:
        type(self).loads += 1
        h = self.h
        rng = np.random.default_rng(0)
        x = rng.normal(size=(h.n, 2)) if h.kind == "normal" else rng.uniform(-1, 1, (h.n, 2))
        return x, (x[:, 0] > h.shift).astype(int)


def test_the_name_has_the_values_that_differ_from_the_defaults() -> None:
    """In the order of their declarations, so that one dataset has one name."""
    named = with_values(Signs, {"kind": "uniform", "shift": 0.0, "n": 40})
    assert named.name == "signs[n=40,kind=uniform]"
    assert named is with_values(Signs, {"n": 40.0, "kind": "uniform"})
    assert family_of(named) is Signs
    assert with_values(Signs, {"n": 100}) is Signs
    assert named.summary() == Signs.summary()


def test_load_reads_the_values_and_is_called_once() -> None:
    """The class itself has the defaults."""
    assert len(Signs().load()[0]) == 100
    named: Any = with_values(Signs, {"n": 60})
    before = Signs.loads
    data = prepare_dataset(named)
    assert prepare_dataset(with_values(Signs, {"n": 60})) is data
    assert (len(data.x_train), data.name) == (36, "signs[n=60]")
    assert named.loads == before + 1
    assert data.content_hash != prepare_dataset(with_values(Signs, {"n": 61})).content_hash


@pytest.mark.parametrize(
    ("spelling", "match"),
    [
        ("moons[m=3]", "unknown hyperparameter of moons 'm'"),
        ("moons[n=3]", "moons: n=3 is not allowed; a whole number >= 50"),
        ("moons[noise=much]", "moons: noise=much is not allowed; a number"),
        ("digits[n=100]", "unknown hyperparameter of digits 'n'"),
        ("moon[n=100]", "did you mean 'moons'"),
        ("moons[n=100", "not of the form"),
    ],
)
def test_a_wrong_value_is_refused(spelling: str, match: str) -> None:
    """In one line, as for an optimizer."""
    with pytest.raises(ConfigError, match=match):
        optbench.load_dataset(spelling)


def test_a_faulty_declaration_is_refused() -> None:
    """When the plugin loads."""

    class Faulty(Signs):
        name = "faulty"
        n: int = hyper(5, low=20)

    assert "declares a default outside its own range" in find_fault(Faulty)


def test_a_workload_has_the_canonical_name() -> None:
    """Whatever order and spelling of numbers the user gives."""
    names = {
        make_workload(dataset=text, regime="batch").dataset
        for text in ("moons[noise=3e-1,n=400]", "moons[n=400,noise=0.3,seed=0]")
    }
    assert names == {"moons[n=400,noise=0.3]"}


def test_values_of_a_passed_class_are_fixed_by_a_partial() -> None:
    """As for optimizers and initializers."""
    family: Any = Signs
    result = optbench.train("sgd", dataset=functools.partial(family, n=50), epochs=1)
    assert result.spec.dataset == "signs[n=50]"


def test_each_combination_has_its_own_file_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose name has no brackets, and which is read back with the same numbers."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    registry = default_registry()
    hashes = []
    for name in ("moons[seed=12345]", "moons[seed=12346]") * 2:
        prepare_dataset.cache_clear()
        hashes.append(prepare_dataset(registry.dataset_source(name)).content_hash)
    assert hashes[:2] == hashes[2:]
    assert hashes[0] != hashes[1]
    files = [path.name for path in (tmp_path / "datasets").iterdir()]
    assert len(files) == 2
    assert all(name.startswith("moons-") and "[" not in name for name in files)
