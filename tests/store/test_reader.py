"""Results whose curves and specs stay in the store."""

from __future__ import annotations

import contextlib
import copy
import gc
import os
import pickle
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optbench.errors import StoreError
from optbench.records import CURVE_COLUMNS, RunSpec, Status, StoredRun
from optbench.records.packing import pack_spec
from optbench.store import Store
from tests.store.results import assert_same, make_result


def test_a_curve_is_read_from_the_store_at_each_use(tmp_path: Path) -> None:
    """Only its last row is in memory; the store may be closed by then."""
    results = [make_result(0), make_result(1, 3, Status.DIVERGED), make_result(2, 0, Status.FAILED)]
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        for result in results:
            store.put(result)
        stored_results = dict(store.lazy_results([r.key for r in results] + ["unknown"]))
    assert set(stored_results) == {result.key for result in results}
    for result in results:
        stored = stored_results[result.key]
        assert stored.curve.columns == CURVE_COLUMNS
        assert stored.curve.rows == result.curve.rows
        assert stored.final("nothing") != stored.final("nothing")
        for name in CURVE_COLUMNS:
            assert stored.final(name) == result.final(name) or not result.curve.rows
        assert_same(stored, result)
        names = ("val_loss", "nothing")
        np.testing.assert_array_equal(stored.curve.table(names), result.curve.table(names))
    with Store(path) as store:
        (gone,) = dict(store.lazy_results([results[0].key])).values()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM runs WHERE key = ?", (results[0].key,))
    with pytest.raises(StoreError, match="no longer in it"):
        _ = gone.curve["val_loss"]


def test_a_stored_curve_can_be_pickled_and_notices_a_change(tmp_path: Path) -> None:
    """A pickle has the numbers; a run that was trained again in between is an error."""
    failed = make_result(0, 2, Status.FAILED)
    with Store(tmp_path / "runs.sqlite") as store:
        store.put(failed)
        (stored,) = dict(store.lazy_results([failed.key])).values()
        assert_same(pickle.loads(pickle.dumps(stored)), failed)
        (stored,) = dict(store.lazy_results([failed.key])).values()
        store.put(make_result(0))
        store.flush()
        with pytest.raises(StoreError, match="trained again"):
            _ = stored.curve["val_loss"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc to count open files in")
def test_a_forgotten_study_closes_its_store(tmp_path: Path) -> None:
    """Without waiting for the garbage collector."""
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        store.put(make_result(0))

    def read() -> None:
        with Store(path) as store:
            (stored,) = dict(store.lazy_results([make_result(0).key])).values()
        assert stored.curve.rows == len(stored.curve["val_loss"])

    read()
    before = len(os.listdir("/proc/self/fd"))
    gc.disable()
    try:
        for _ in range(3):
            read()
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        gc.enable()


def test_a_spec_that_stays_in_the_store_is_read_at_each_use(tmp_path: Path) -> None:
    """The result says where its run is stored; copies and pickles have the same spec."""
    good = make_result(0)
    with Store(tmp_path / "runs.sqlite") as store:
        store.put(good)
        ((key, stored),) = store.lazy_results([good.key], lazy_specs={good.key})
    assert isinstance(stored.run, StoredRun)
    assert stored.key == stored.run.key == key == good.key
    assert stored.spec == stored.spec == good.spec
    assert f"run=StoredRun(key='{key}')" in repr(stored)
    for same in (stored, copy.copy(stored), replace(stored, curve=good.curve)):
        assert_same(same, good)
    pickled = pickle.loads(pickle.dumps(stored))
    assert pickled == good
    assert isinstance(pickled.run, RunSpec)
    assert replace(stored, run=make_result(1).spec).key == make_result(1).key


SPEC_DAMAGE = {
    "it is another run": make_result(1).spec,
    "this is not a run": b"{}",
    "its spec is str": "text",
    "no longer in it": None,
}


@pytest.mark.parametrize("message", SPEC_DAMAGE)
def test_a_damaged_spec_is_refused_by_name_when_it_is_read(tmp_path: Path, message: str) -> None:
    """Nobody can use it, though the rest of the row was sound."""
    good, damage = make_result(0), SPEC_DAMAGE[message]
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        store.put(good)
        ((_, stored),) = store.lazy_results([good.key], lazy_specs={good.key})
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        if damage is None:
            db.execute("DELETE FROM runs")
        else:
            spec = pack_spec(damage) if isinstance(damage, RunSpec) else damage
            db.execute("UPDATE runs SET spec = ?", (spec,))
    for _ in range(2):
        with pytest.raises(StoreError, match=f"{path}: run {good.key} is .*{message}"):
            _ = stored.spec
