"""Curves left in a store: stacked many at once, they are what each alone would be."""

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
    names = (*CURVE_COLUMNS, HEALTH) if health else CURVE_COLUMNS
    table = np.random.default_rng(seed).normal(size=(len(names), rows))
    return factories.make_result(
        factories.make_run_spec(seed=seed),
        factories.make_curve(dict(zip(names, table, strict=True))),
    )


def stored(path: Path, results: list[RunResult]) -> list[Curve]:
    """The curves of these runs as a store gives them, in their order."""
    with Store(path) as store:
        for result in results:
            store.put(result)
        found = dict(store.lazy_results([result.key for result in results]))
    return [found[result.key].curve for result in results]


def one_by_one(curves: list[Curve], least: int = 0) -> np.ndarray:
    longest = max([least, *(curve.rows for curve in curves)])
    stacked = np.full((len(WANTED), len(curves), longest), np.nan)
    for i, curve in enumerate(curves):
        for j, name in enumerate(WANTED):
            if name in curve:
                stacked[j, i, : curve.rows] = curve[name]
    return stacked


def test_curves_of_any_kind_are_stacked_in_their_order(tmp_path: Path) -> None:
    """From two stores and from memory, with and without health, long, cut short and empty."""
    results = [make_result(i, (7, 3, 0, 7)[i % 4], health=i % 3 == 0) for i in range(24)]
    curves = [result.curve for result in results]
    mixed = stored(tmp_path / "a.sqlite", results[:10])
    mixed += stored(tmp_path / "b.sqlite", results[10:20]) + curves[20:]
    np.testing.assert_array_equal(stack(mixed, WANTED), one_by_one(curves))
    np.testing.assert_array_equal(stack(mixed[::-1], WANTED), one_by_one(curves[::-1]))
    np.testing.assert_array_equal(stack(mixed[:3] * 2, WANTED), one_by_one(curves[:3] * 2))
    assert stack([], WANTED).shape == (len(WANTED), 0, 0)
    assert stack(mixed, ()).shape == (0, 24, 7)
    np.testing.assert_array_equal(stack(mixed[2:3], WANTED, least=2), one_by_one(curves[2:3], 2))


def test_curves_at_hand_are_the_same_without_their_stores(tmp_path: Path) -> None:
    """From two stores and from memory, in their order; the files may go."""
    results = [make_result(i, (7, 3, 0)[i % 3], health=i % 2 == 0) for i in range(12)]
    mixed = stored(tmp_path / "a.sqlite", results[:5]) + stored(tmp_path / "b.sqlite", results[5:9])
    mixed += [result.curve for result in results[9:]]
    read = load_curves(mixed)
    for file in tmp_path.iterdir():
        file.unlink()
    assert load_curves(read) == read
    assert read == [result.curve for result in results]
    assert [pack_curve(curve) for curve in read] == [pack_curve(r.curve) for r in results]


def test_more_curves_than_are_read_at_once(tmp_path: Path) -> None:
    """None is missed and none taken for another."""
    results = [make_result(i, 2) for i in range(2 * CURVES_AT_ONCE + 1)]
    stacked = stack(stored(tmp_path / "runs.sqlite", results), WANTED)
    np.testing.assert_array_equal(stacked, one_by_one([result.curve for result in results]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DELETE FROM runs WHERE key = :key", "run {key} is no longer in it"),
        ("UPDATE runs SET curve = :other WHERE key = :key", "run {key} has been trained again"),
        ("UPDATE runs SET curve = 'text' WHERE key = :key", "run {key} is damaged: its curve is"),
    ],
)
def test_a_run_that_has_changed_is_named(tmp_path: Path, change: str, message: str) -> None:
    """Among many just as when it is read alone."""
    results = [make_result(i, 4) for i in range(5)]
    path = tmp_path / "runs.sqlite"
    curves = stored(path, results)
    key, other = results[2].key, pack_curve(make_result(9, 3).curve)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(change, {"key": key, "other": other})
    said = message.format(key=key)
    with pytest.raises(StoreError, match=said):
        stack(curves, WANTED)
    with pytest.raises(StoreError, match=said):
        curves[2].table(WANTED)
    np.testing.assert_array_equal(stack(curves[:2], WANTED), one_by_one(curves[:2]))
