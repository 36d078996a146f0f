"""Curves on large parts: the sample, its record, and the losses that are measured on it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

import optbench
from optbench.data.splits import typed_parts
from optbench.engine.curve_parts import LARGE, TRAIN_ROWS, VAL_ROWS, curve_parts
from optbench.engine.guess_losses import guess_losses
from optbench.engine.problem import build_problem
from optbench.engine.training import train_problem
from optbench.records import RunSpec
from optbench.registry import default_registry
from optbench.store import Store
from tests.engine.spec_factory import spec_of

SIZES = {"blobs[n=7200]": (4320, 1440), "blobs[n=22000]": (13200, 4400)}
"""Numbers of training and validation examples of large datasets."""


@pytest.mark.parametrize(
    ("dataset", "rows"),
    [
        ("blobs[n=6000]", msgspec.UNSET),
        ("blobs[n=7200]", (TRAIN_ROWS, 1440)),
        ("blobs[n=22000]", (TRAIN_ROWS, VAL_ROWS)),
    ],
)
def test_the_spec_says_on_how_many_examples_the_curve_is_measured(
    dataset: str, rows: tuple[int, int] | msgspec.UnsetType
) -> None:
    """Only parts above the limit are sampled; a run without a sample keeps its key and JSON."""
    spec = spec_of(dataset=dataset, epochs=1000)  # so long that evaluations cost little beside it
    assert spec.curve_rows == rows
    fields = msgspec.json.decode(msgspec.json.encode(spec))
    assert ("curve_rows" in fields) == (rows is not msgspec.UNSET)
    assert msgspec.json.decode(msgspec.json.encode(spec), type=RunSpec) == spec
    unsampled = msgspec.structs.replace(spec, curve_rows=msgspec.UNSET)
    assert (unsampled.key == spec.key) == (rows is msgspec.UNSET)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dataset", SIZES)
def test_a_sample_has_rows_of_its_part_once_each_and_is_always_the_same(
    dataset: str, dtype: str
) -> None:
    """Inputs stay with their labels, and a part that is not large is complete."""
    source = default_registry().dataset_source(dataset)
    rows = spec_of(dataset=dataset).curve_rows
    assert rows is not msgspec.UNSET
    samples = curve_parts(source, dtype, rows)
    for part, sample, size, count in zip(
        typed_parts(source, dtype), samples, SIZES[dataset], rows, strict=False
    ):
        assert (len(part[0]), len(sample[0]), len(sample[1])) == (size, count, count)
        positions = {tuple(row): place for place, row in enumerate(part[0])}
        chosen = [positions[tuple(row)] for row in sample[0]]
        assert chosen == sorted(set(chosen))
        np.testing.assert_array_equal(sample[1], part[1][chosen])
        assert (count == size) == (size <= LARGE)
    curve_parts.cache_clear()
    for before, after in zip(samples, curve_parts(source, dtype, rows), strict=True):
        np.testing.assert_array_equal(before[0], after[0])


@pytest.mark.parametrize("kind", ["compiled", "stepped", "reference"])
@pytest.mark.parametrize("dataset", SIZES)
def test_the_curve_is_measured_on_the_sample_and_the_test_part_is_complete(
    dataset: str, kind: str
) -> None:
    """The last point of the curve is what NumPy computes; training uses every example."""
    spec = spec_of("sgd", dataset=dataset, dtype="float64", epochs=1, batch_size=100)
    problem = build_problem(spec, default_registry())
    result = train_problem(problem, kind)
    whole = train_problem(
        build_problem(msgspec.structs.replace(spec, curve_rows=msgspec.UNSET), default_registry()),
        kind,
    )
    assert result.params is not None
    assert spec.curve_rows is not msgspec.UNSET
    source = default_registry().dataset_source(dataset)
    train, val = curve_parts(source, "float64", spec.curve_rows)
    for part, measured in ((train, "train"), (val, "val")):
        expected = problem.network.evaluate(result.params, *part)
        got = result.final(f"{measured}_loss"), result.final(f"{measured}_metric")
        assert got == pytest.approx(expected, rel=1e-10)
    test = problem.network.evaluate(result.params, *typed_parts(source, "float64")[2])
    assert (result.test_loss, result.test_metric) == pytest.approx(test, rel=1e-10)
    assert result.params_hash == whole.params_hash
    assert result.final("train_loss") != whole.final("train_loss")
    assert result.final("train_loss") == pytest.approx(whole.final("train_loss"), rel=0.3)
    guesses = guess_losses(source, "float64", spec.curve_rows)
    assert (result.guess_train_loss, result.guess_val_loss) == guesses[:2]
    assert result.guess_test_loss == whole.guess_test_loss


def test_a_store_keeps_how_the_curve_was_measured(tmp_path: Path) -> None:
    """A result that is read again says so too."""
    result = optbench.train("sgd", dataset="blobs[n=7200]", epochs=1, health=False)
    with Store(tmp_path / "runs.sqlite") as store:
        store.put(result)
    with Store(tmp_path / "runs.sqlite", create=False) as store:
        assert [stored.spec.curve_rows for stored in store.results()] == [(TRAIN_ROWS, 1440)]
