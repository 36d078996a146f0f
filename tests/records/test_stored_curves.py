"""Curves that stay in a store: stacked together they equal the curves read one by one."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from optbench.errors import StoreError
from optbench.records import CURVE_COLUMNS, Curve, RunResult
from optbench.records.packing import pack_curve
from optbench.records.stored_curves import CURVES_AT_ONCE, load_curves, stack
from optbench.store import Store
from tests.records import factories

HEALTH = "layer1.dead"
WANTED = ("val_loss", "nothing", HEALTH, "epoch")


def make_result(seed: int, rows: int, health: bool = False) -> RunResult:
    """Return a result with a random curve, with or without a column of layer health."""
    names = (*CURVE_COLUMNS, HEALTH) if health else CURVE_COLUMNS
    table = np.random.default_rng(seed).normal(size=(len(names), rows))
    return factories.make_result(
        factories.make_run_spec(seed=seed),
        factories.make_curve(dict(zip(names, table, strict=True))),
    )


def stored_curves(path: Path, results: list[RunResult]) -> list[Curve]:
    """Store results, and return their curves as the store gives them, in their order."""
    with Store(path) as store:
        for result in results:
            store.put(result)
        by_key = dict(store.lazy_results([result.key for result in results]))
    return [by_key[result.key].curve for result in results]


def stack_one_by_one(curves: list[Curve], least: int = 0) -> np.ndarray:
    """Return what `stack` promises, from single columns of curves in memory."""
    longest = max([least, *(curve.rows for curve in curves)])
    stacked = np.full((len(WANTED), len(curves), longest), np.nan)
    for i, curve in enumerate(curves):
        for j, name in enumerate(WANTED):
            if name in curve:
                stacked[j, i, : curve.rows] = curve[name]
    return stacked


def test_curves_of_any_kind_are_stacked_in_their_order(tmp_path: Path) -> None:
    """From two stores and from memory, with and without layer health, long, short and empty."""
    results = [make_result(i, (7, 3, 0, 7)[i % 4], health=i % 3 == 0) for i in range(24)]
    curves = [result.curve for result in results]
    mixed = stored_curves(tmp_path / "a.sqlite", results[:10])
    mixed += stored_curves(tmp_path / "b.sqlite", results[10:20]) + curves[20:]
    np.testing.assert_array_equal(stack(mixed, WANTED), stack_one_by_one(curves))
    np.testing.assert_array_equal(stack(mixed[::-1], WANTED), stack_one_by_one(curves[::-1]))
    np.testing.assert_array_equal(stack(mixed[:3] * 2, WANTED), stack_one_by_one(curves[:3] * 2))
    assert stack([], WANTED).shape == (len(WANTED), 0, 0)
    assert stack(mixed, ()).shape == (0, 24, 7)
    np.testing.assert_array_equal(
        stack(mixed[2:3], WANTED, least=2), stack_one_by_one(curves[2:3], 2)
    )


def test_loaded_curves_no_longer_need_their_stores(tmp_path: Path) -> None:
    """From two stores and from memory, in their order; the files may be deleted."""
    results = [make_result(i, (7, 3, 0)[i % 3], health=i % 2 == 0) for i in range(12)]
    mixed = stored_curves(tmp_path / "a.sqlite", results[:5]) + stored_curves(
        tmp_path / "b.sqlite", results[5:9]
    )
    mixed += [result.curve for result in results[9:]]
    loaded = load_curves(mixed)
    for file in tmp_path.iterdir():
        file.unlink()
    assert load_curves(loaded) == loaded
    assert loaded == [result.curve for result in results]
    assert [pack_curve(curve) for curve in loaded] == [pack_curve(r.curve) for r in results]


def test_more_curves_than_are_read_at_once(tmp_path: Path) -> None:
    """No curve is missing or in the place of another."""
    results = [make_result(i, 2) for i in range(2 * CURVES_AT_ONCE + 1)]
    stacked = stack(stored_curves(tmp_path / "runs.sqlite", results), WANTED)
    np.testing.assert_array_equal(stacked, stack_one_by_one([result.curve for result in results]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DELETE FROM runs WHERE key = :key", "run {key} is no longer in it"),
        ("UPDATE runs SET curve = :other WHERE key = :key", "run {key} has been trained again"),
        ("UPDATE runs SET curve = 'text' WHERE key = :key", "run {key} is damaged: its curve is"),
    ],
)
def test_a_run_that_has_changed_is_named(tmp_path: Path, change: str, message: str) -> None:
    """Among many curves, and when it is read by itself."""
    results = [make_result(i, 4) for i in range(5)]
    path = tmp_path / "runs.sqlite"
    curves = stored_curves(path, results)
    key, other = results[2].key, pack_curve(make_result(9, 3).curve)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(change, {"key": key, "other": other})
    expected = message.format(key=key)
    with pytest.raises(StoreError, match=expected):
        stack(curves, WANTED)
    with pytest.raises(StoreError, match=expected):
        curves[2].table(WANTED)
    np.testing.assert_array_equal(stack(curves[:2], WANTED), stack_one_by_one(curves[:2]))
