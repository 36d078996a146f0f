"""The store: nothing lost, nothing overwritten, every fault named."""

from __future__ import annotations

import contextlib
import copy
import gc
import math
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from optbench.contracts import Value
from optbench.errors import StoreError
from optbench.records import CURVE_COLUMNS, RunResult, RunSpec, Status, StoredRun
from optbench.records.packing import pack_result, pack_spec, unpack_curve, unpack_result
from optbench.store import Store
from optbench.store import store as store_module
from optbench.store.database import SCHEMA, checksum
from optbench.store.rows import COLUMNS
from tests.records import factories


def make_result(seed: int = 0, rows: int = 40, status: Status = Status.OK) -> RunResult:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(len(CURVE_COLUMNS), rows))
    return factories.make_result(
        factories.make_run_spec(hyper={"lr": 0.1, "n": 3, "on": True}, seed=seed),
        factories.make_curve(dict(zip(CURVE_COLUMNS, table, strict=True))),
        status,
        test_loss=float(rng.normal()),
        test_metric=0.5,
        params_hash=f"hash{seed}",
        grad_evals=12,
        seconds=0.25,
        loop="compiled",
    )


def assert_same(left: RunResult, right: RunResult) -> None:
    """The same in every bit, NaN being equal to NaN."""
    assert pack_result(left) == pack_result(right)
    assert left.spec == right.spec


def test_a_result_comes_back_bit_for_bit(tmp_path: Path) -> None:
    """What was measured is what is read, whether the run was good, diverged or failed."""
    results = [make_result(0), make_result(1, 3, Status.DIVERGED), make_result(2, 0, Status.FAILED)]
    with Store(tmp_path / "runs.sqlite") as store:
        for result in results:
            store.put(result)
    with Store(tmp_path / "runs.sqlite", create=False) as store:
        found = {result.key: result for result in store.results()}
        assert store.count() == len(found) == 3
    for result in results:
        assert_same(found[result.key], result)


def test_results_travel_as_bytes_without_pickle() -> None:
    """The form that workers send holds all but the parameters; damaged bytes are refused."""
    sent = replace(make_result(3), params=[(np.ones((2, 2)), np.ones(2))])
    assert_same(unpack_result(pack_result(sent)), sent)
    assert unpack_result(pack_result(sent)).params is None
    for damaged in (b"", b"\x00\x00", pack_result(sent)[:40], pack_result(sent)[:-3]):
        with pytest.raises(StoreError):
            unpack_result(damaged)
    with pytest.raises(StoreError, match="do not divide"):
        unpack_curve((), b"12345678")


def test_the_first_result_of_a_run_stays(tmp_path: Path) -> None:
    """A key is written once; a second driver's copy changes nothing."""
    with Store(tmp_path / "runs.sqlite") as store:
        store.put(make_result(0))
        store.put(replace(make_result(0), params_hash="other"))
        assert [result.params_hash for result in store.results()] == ["hash0"]
        assert store.count() == 1


def test_runs_are_found_by_key(tmp_path: Path) -> None:
    """By whole keys, also more than fit one query, and by the beginning of a key."""
    results = [make_result(seed, 2) for seed in range(1200)]
    results[0] = make_result(0, 2, Status.FAILED)
    with Store(tmp_path / "runs.sqlite") as store:
        for result in results:
            store.put(result)
        keys = [result.key for result in results]
        assert {r.key for r in store.results([*keys, "unknown"])} == set(keys) == store.keys()
        assert store.keys(failed=False) == set(keys[1:])
        assert keys[5] in store.keys(keys[5][:6])
        assert store.keys("%") == set()


def test_a_result_waits_half_a_second_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process sees a result soon, without a commit for each."""
    clock = [100.0]
    monkeypatch.setattr("optbench.store.store.time.monotonic", lambda: clock[0])
    path = tmp_path / "runs.sqlite"
    with Store(path) as store, Store(path) as reader:
        store.put(make_result(0))
        assert reader.count() == 0
        clock[0] += store_module.COMMIT_SECONDS
        store.tick()
        assert reader.count() == 1


def test_studies_and_sessions_are_kept(tmp_path: Path) -> None:
    """The last study and the command of the session that trained last come back."""
    with Store(tmp_path / "runs.sqlite") as store:
        assert store.last_study() is None
        assert store.last_session() is None
        store.begin_session("optbench run", {"python": "3"})
        store.put(make_result(0))
        store.save_study(b"one")
        store.save_study(b"two")
        store.flush()
        store.begin_session("optbench run again", {})
        assert store.last_study() == b"two"
        assert store.last_session() == ("optbench run", {"python": "3"})


def test_merge_takes_what_is_new_and_names_conflicts(tmp_path: Path) -> None:
    """Runs of two machines come together; one that differs is reported, ours stays."""
    with Store(tmp_path / "a.sqlite") as ours, Store(tmp_path / "b.sqlite") as theirs:
        for seed in (0, 1):
            ours.put(make_result(seed))
        theirs.put(make_result(1))
        theirs.put(replace(make_result(0), params_hash="differs"))
        theirs.put(make_result(2))
        conflicts = ours.conflicts(theirs)
        assert ours.merge(theirs) == 1
        assert [conflict.key for conflict in conflicts] == [make_result(0).key]
        assert msgspec.json.decode(conflicts[0].spec)["optimizer"] == "some"
        assert ours.count() == 3


# -- faults ---------------------------------------------------------------------------------------


def filled(path: Path, runs: int = 50) -> Path:
    with Store(path) as store:
        for seed in range(runs):
            store.put(make_result(seed))
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello, I am a text", "is not a store"),
        (b"SQLite format 3\x00" + bytes(20), "is truncated"),
    ],
)
def test_a_foreign_file_is_named_and_left_alone(
    tmp_path: Path, content: bytes, message: str
) -> None:
    """Whatever lies in the store's place is refused, not overwritten."""
    path = tmp_path / "runs.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=message) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """A valid SQLite file that is not ours is not touched."""
    path = tmp_path / "runs.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE notes (text)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_a_truncated_store_is_named_and_left_alone(tmp_path: Path, share: float) -> None:
    """Half a file is no store; what there is of it stays for rescue."""
    path = filled(tmp_path / "runs.sqlite")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(StoreError, match="is truncated"):
        Store(path)
    assert path.read_bytes() == whole[: int(len(whole) * share)]


def test_a_damaged_page_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    """Garbage inside the file ends in one line, not in wrong numbers or a traceback."""
    path = filled(tmp_path / "runs.sqlite")
    data = bytearray(path.read_bytes())
    data[4096:-4096] = os.urandom(len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"runs\.sqlite"), Store(path) as store:
        list(store.results())


def test_a_newer_store_is_refused_and_an_older_one_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going back is refused; going forward is one step after the other, in one transaction."""
    path = filled(tmp_path / "runs.sqlite", 3)

    def set_version(version: int) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute(f"PRAGMA user_version = {version}")

    set_version(SCHEMA + 1)
    with pytest.raises(StoreError, match="newer optbench"):
        Store(path)
    set_version(SCHEMA - 1)
    monkeypatch.setattr(store_module, "MIGRATIONS", {})
    with pytest.raises(StoreError, match="cannot be migrated"):
        Store(path)

    def half(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE added (x)")
        raise sqlite3.OperationalError("in the middle")

    monkeypatch.setattr(store_module, "MIGRATIONS", {SCHEMA - 1: half})
    with pytest.raises(StoreError, match="in the middle"):
        Store(path)
    whole = {SCHEMA - 1: lambda db: db.execute("CREATE TABLE added (x)") and None}
    monkeypatch.setattr(store_module, "MIGRATIONS", whole)
    with Store(path) as store:
        assert store.count() == 3
        assert next(store._select("SELECT count(*) FROM added")) == (0,)


def test_a_store_of_the_first_schema_gives_what_it_gave(tmp_path: Path) -> None:
    """Whatever the tables are now: every run, the study and the session come back unchanged."""
    path = tmp_path / "runs.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript((Path(__file__).parents[1] / "faults" / "schema_1.sql").read_text())
    expected = [
        ("ok", "", 0.25, 0.5, 2),
        ("diverged", "loss not finite after 3 updates", math.nan, math.nan, 1),
        ("failed", "ValueError: no good", math.nan, math.nan, 0),
    ]
    for _ in range(2):  # the first opening migrates, the second finds it done
        with Store(path) as store:
            found = {result.spec.seed: result for result in store.results()}
            assert store.last_study() == b'{"suite":"smoke"}'
            assert store.last_session() == ("optbench run smoke", {"python": "3.11.7"})
            assert store.keys() == {result.key for result in found.values()}
        assert sorted(found) == [0, 1, 2]
        for seed, (status, reason, loss, metric, rows) in enumerate(expected):
            assert_same(found[seed], first_schema_result(seed, status, reason, loss, metric, rows))


def first_schema_result(
    seed: int, status: str, reason: str, loss: float, metric: float, rows: int
) -> RunResult:
    """What schema_1.sql holds, in today's terms."""
    hyper: dict[str, Value] = {"lr": 0.1, "n": 3, "on": True}
    columns = ["epoch", "updates", "examples", "seconds"]
    columns += ["train_loss", "val_loss", "train_metric", "val_metric"]
    return factories.make_result(
        factories.make_run_spec(hyper=hyper, seed=seed, engine=1),
        factories.make_curve({name: i + np.arange(rows) / 4 for i, name in enumerate(columns)}),
        Status(status),
        reason=reason,
        test_loss=loss,
        test_metric=metric,
        params_hash=f"hash{seed}",
        grad_evals=12,
        seconds=0.25,
        loop="compiled",
    )


def test_no_folder_or_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    """The message names the path."""
    (tmp_path / "runs.sqlite").mkdir()
    for path in (tmp_path / "nowhere" / "runs.sqlite", tmp_path / "runs.sqlite"):
        with pytest.raises(StoreError, match=str(path)):
            Store(path)
    with pytest.raises(StoreError):
        Store(tmp_path / "absent.sqlite", create=False)
    assert not (tmp_path / "absent.sqlite").exists()


def test_a_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    """The error says so in one line, and the store opens again with all that was committed."""
    path = filled(tmp_path / "runs.sqlite", 20)
    script = f"""
    import resource
    from pathlib import Path
    from test_store_helper import make_result
    from optbench.errors import StoreError
    from optbench.store import Store
    try:
        with Store(Path({str(path)!r})) as store:
            for seed in range(20, 2000):
                store.put(make_result(seed))
                if seed == 40:
                    store.flush()
                    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    except StoreError as problem:
        print(problem)
    """
    done = run_script(tmp_path, script)
    assert "disk" in done.stdout, done.stderr
    assert "committed" in done.stdout
    assert done.stdout.count("\n") == 1
    with Store(path) as store:
        assert store.count() >= 41


def run_script(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_store_helper.py").write_text(Path(__file__).read_text())
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_kill_9_loses_at_most_what_was_not_committed(tmp_path: Path) -> None:
    """However a driver dies, the store opens again and every run in it is whole."""
    path = tmp_path / "runs.sqlite"
    script = f"""
    import itertools, sys, time
    from pathlib import Path
    from test_store_helper import make_result
    from optbench.store import Store
    with Store(Path({str(path)!r})) as store:
        start = store.count()
        for seed in itertools.count(start):
            store.put(make_result(seed))
            if seed % 20 == 0:
                store.flush()
                print(seed + 1, flush=True)
            time.sleep(0.0005)
    """
    (tmp_path / "test_store_helper.py").write_text(Path(__file__).read_text())
    promised = 0
    for delay in (0.0, 0.05, 0.13):
        driver = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert driver.stdout is not None
        promised = int(driver.stdout.readline())
        time.sleep(delay)
        driver.send_signal(signal.SIGKILL)
        lines = driver.stdout.read().split()
        promised = int(lines[-1]) if lines else promised
        driver.wait()
        driver.stdout.close()
        with Store(path) as store:
            found = {result.spec.seed: result for result in store.results()}
        assert set(range(promised)) <= set(found)
        for seed, result in found.items():
            assert_same(result, make_result(seed))
    assert promised > 20


def test_two_drivers_share_a_file(tmp_path: Path) -> None:
    """Both write all they have; no run is stored twice and none is missing."""
    path = tmp_path / "runs.sqlite"
    problems: list[BaseException] = []

    def drive() -> None:
        try:
            with Store(path) as store:
                for seed in range(100):
                    store.put(make_result(seed, 5))
                    if seed % 5 == 0:
                        store.flush()
        except BaseException as problem:
            problems.append(problem)

    drivers = [threading.Thread(target=drive) for _ in range(3)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert not problems
    with Store(path) as store:
        assert store.count() == 100
    assert [p.name for p in tmp_path.iterdir()] == ["runs.sqlite"]


def test_outcomes_read_their_curves_when_asked(tmp_path: Path) -> None:
    """The last row is at hand, the rest comes from the file, also once the store is closed."""
    results = [make_result(0), make_result(1, 3, Status.DIVERGED), make_result(2, 0, Status.FAILED)]
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        for result in results:
            store.put(result)
        found = dict(store.outcomes([r.key for r in results] + ["unknown"]))
    assert set(found) == {result.key for result in results}
    for result in results:
        stored = found[result.key]
        assert stored.curve.columns == CURVE_COLUMNS
        assert stored.curve.rows == result.curve.rows
        assert stored.final("nothing") != stored.final("nothing")
        for name in CURVE_COLUMNS:
            assert stored.final(name) == result.final(name) or not result.curve.rows
        assert_same(stored, result)
        names = ("val_loss", "nothing")
        np.testing.assert_array_equal(stored.curve.table(names), result.curve.table(names))
    with Store(path) as store:
        (gone,) = dict(store.outcomes([results[0].key])).values()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM runs WHERE key = ?", (results[0].key,))
    with pytest.raises(StoreError, match="no longer in it"):
        _ = gone.curve["val_loss"]


def test_a_failed_run_makes_room_for_the_next_result(tmp_path: Path) -> None:
    """In one statement, so that neither a kill nor another driver can come between."""
    failed, good = make_result(0, 0, Status.FAILED), make_result(0)
    assert failed.key == good.key
    with Store(tmp_path / "runs.sqlite") as store:
        for result in (failed, good, failed, make_result(0, 3)):
            store.put(result)
            store.flush()
        (kept,) = store.results()
    assert_same(kept, good)


def test_a_run_under_the_key_of_another_is_left_out_by_every_reader(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Swapped rows would be a swapped leaderboard."""
    one, other = make_result(0), make_result(1)
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        store.put(one)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.create_function("checksum", -1, checksum)
        db.execute("UPDATE runs SET key = ?", (other.key,))
        db.execute(f"UPDATE runs SET checksum = checksum({', '.join(COLUMNS)})")
    with Store(path) as store, Store(tmp_path / "else.sqlite") as another:
        for read in (
            lambda: list(store.results()),
            lambda: list(store.results([other.key])),
            lambda: list(store.outcomes([other.key])),
            lambda: [None] * another.merge(store),
        ):
            caplog.clear()
            assert read() == []
            assert "it is another run" in caplog.text
        assert another.count() == 0


def test_an_outcome_can_be_sent_elsewhere_and_notices_a_change(tmp_path: Path) -> None:
    """Pickled it takes its numbers along; trained again in between, it says so."""
    failed = make_result(0, 2, Status.FAILED)
    with Store(tmp_path / "runs.sqlite") as store:
        store.put(failed)
        (outcome,) = dict(store.outcomes([failed.key])).values()
        assert_same(pickle.loads(pickle.dumps(outcome)), failed)
        (outcome,) = dict(store.outcomes([failed.key])).values()
        store.put(make_result(0))
        store.flush()
        with pytest.raises(StoreError, match="trained again"):
            _ = outcome.curve["val_loss"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc to count open files in")
def test_a_forgotten_study_closes_its_store(tmp_path: Path) -> None:
    """Without the collector's help."""
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        store.put(make_result(0))

    def read() -> None:
        with Store(path) as store:
            (outcome,) = dict(store.outcomes([make_result(0).key])).values()
        assert outcome.curve.rows == len(outcome.curve["val_loss"])

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
    """Its result says where the run is stored; copies, changes and pickles have the same spec."""
    good = make_result(0)
    with Store(tmp_path / "runs.sqlite") as store:
        store.put(good)
        ((key, stored),) = store.outcomes([good.key], late={good.key})
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


LATE_DAMAGE = {
    "it is another run": make_result(1).spec,
    "this is not a run": b"{}",
    "its spec is str": "text",
    "no longer in it": None,
}


@pytest.mark.parametrize("message", LATE_DAMAGE)
def test_a_late_spec_that_is_damaged_is_refused_by_name(tmp_path: Path, message: str) -> None:
    """Not at once, but before anybody can use it; the rest of the row was checked before."""
    good, damage = make_result(0), LATE_DAMAGE[message]
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        store.put(good)
        ((_, found),) = store.outcomes([good.key], late={good.key})
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        if damage is None:
            db.execute("DELETE FROM runs")
        else:
            spec = pack_spec(damage) if isinstance(damage, RunSpec) else damage
            db.execute("UPDATE runs SET spec = ?", (spec,))
    for _ in range(2):
        with pytest.raises(StoreError, match=f"{path}: run {good.key} is .*{message}"):
            _ = found.spec


@pytest.mark.parametrize("column", ["spec", "status", "reason", "seconds", "columns", "curve"])
def test_every_value_of_a_run_is_verified(
    tmp_path: Path, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that is not what was stored is named and left out, and makes room for another."""
    path = tmp_path / "runs.sqlite"
    key = make_result(0).key
    with Store(path) as store:
        store.put(make_result(0))
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        value = b"123" if column in ("curve", "status") else "text"
        db.execute(f"UPDATE runs SET {column} = ?", (value if column != "reason" else b"",))
    with Store(path) as store:
        assert list(store.outcomes([key], late={key})) == []
        assert list(store.results()) == []
        assert f"{path}: run {key} is damaged" in caplog.text
        assert store.remove_damaged() == 1
        store.put(make_result(0))
        assert [result.key for result in store.results()] == [key]
        assert store.remove_damaged() == 0


def test_any_flipped_bit_of_a_row_is_found(tmp_path: Path) -> None:
    """One bit in a number is enough: the run is left out, and no other run is."""
    path = tmp_path / "runs.sqlite"
    with Store(path) as store:
        for seed in range(3):
            store.put(make_result(seed))
        store.begin_session("optbench run", {"cores": 2})
        store.save_study(b"the study")
    key = make_result(1).key
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        (curve,) = db.execute("SELECT curve FROM runs WHERE key = ?", (key,)).fetchone()
        for bit in (0, 7, 8 * len(curve) - 1):
            flipped = bytearray(curve)
            flipped[bit // 8] ^= 1 << bit % 8
            db.execute("UPDATE runs SET curve = ? WHERE key = ?", (bytes(flipped), key))
            db.commit()
            with Store(path) as store:
                keys = {result.key for result in store.results()}
            assert keys == {make_result(seed).key for seed in (0, 2)}
        db.execute("UPDATE studies SET record = ?", (b"the studz",))
        db.execute("UPDATE sessions SET command = 'optbench sun'")
    with Store(path) as store:
        with pytest.raises(StoreError, match="the study in it is damaged; run its command again"):
            store.last_study()
        assert not store.is_last_study(b"the study")
        assert store.last_session() is None


def test_a_fifo_in_the_place_of_a_store_is_refused(tmp_path: Path) -> None:
    """Reading it would wait for ever."""
    path = tmp_path / "runs.sqlite"
    os.mkfifo(path)
    with pytest.raises(StoreError, match="not a regular file"):
        Store(path)
