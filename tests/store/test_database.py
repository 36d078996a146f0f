"""The file of a store is recognised and migrated; any other file is left alone."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optbench.contracts import Value
from optbench.errors import StoreError
from optbench.records import RunResult, Status
from optbench.store import Store, database
from optbench.store.database import SCHEMA
from optbench.store.rows import COLUMNS
from tests.records import factories
from tests.store.results import assert_same, fill_store
from tests.support.waiting import PATIENCE


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
    """A file in the place of the store is refused, not overwritten."""
    path = tmp_path / "runs.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=message) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """A valid SQLite file that is not a store is not touched."""
    path = tmp_path / "runs.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE notes (text)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store(path)
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_read_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that fails at its first statement does not stay open."""
    path = tmp_path / "runs.sqlite"
    path.write_bytes(b"SQLite format 3\0" + 4096 * b"\xff")
    opened: list[sqlite3.Connection] = []

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(sqlite3.Connection(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr("sqlite3.connect", connect)
    with pytest.raises(sqlite3.DatabaseError):
        database.connect(path)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
def test_a_truncated_store_is_named_and_left_alone(tmp_path: Path, share: float) -> None:
    """Half a file is not a store; what remains of it can still be rescued."""
    path = fill_store(tmp_path / "runs.sqlite")
    data = path.read_bytes()
    part = data[: int(len(data) * share)]
    path.write_bytes(part)
    with pytest.raises(StoreError, match="is truncated"):
        Store(path)
    assert path.read_bytes() == part


@pytest.mark.parametrize("call", ["open", "stat"])
def test_a_store_that_another_driver_closes_meanwhile_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The pages of the log are in the file, whose header was first, and the log is gone."""
    path = fill_store(tmp_path / "runs.sqlite")
    log, copy, data = Path(f"{path}-wal"), tmp_path / "copy", path.read_bytes()
    copy.write_bytes(data)
    path.write_bytes(data[: len(data) // 2])
    log.write_bytes(b"the other half")
    real: Any = getattr(Path, call)

    def close_after(self: Path, *arguments: Any, **options: Any) -> Any:
        answer = real(self, *arguments, **options)
        if self == (path if call == "open" else log) and copy.exists():
            copy.replace(path)
            log.unlink()
        return answer

    monkeypatch.setattr(Path, call, close_after)
    with Store(path, create=False) as store:
        assert store.count() == 50
    assert not copy.exists()


def test_a_damaged_page_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    """Garbage in the file gives an error of one line, not wrong numbers or a traceback."""
    path = fill_store(tmp_path / "runs.sqlite")
    data = bytearray(path.read_bytes())
    data[4096:-4096] = os.urandom(len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"runs\.sqlite"), Store(path) as store:
        list(store.results())


def test_no_folder_or_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    """The message names the path."""
    (tmp_path / "runs.sqlite").mkdir()
    for path in (tmp_path / "nowhere" / "runs.sqlite", tmp_path / "runs.sqlite"):
        with pytest.raises(StoreError, match=str(path)):
            Store(path)
    with pytest.raises(StoreError):
        Store(tmp_path / "absent.sqlite", create=False)
    assert not (tmp_path / "absent.sqlite").exists()


def test_a_newer_store_is_refused_and_an_older_one_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Migrations run one after the other in one transaction; there is no way back."""
    path = fill_store(tmp_path / "runs.sqlite", 3)

    def set_version(version: int) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute(f"PRAGMA user_version = {version}")

    set_version(SCHEMA + 1)
    with pytest.raises(StoreError, match="newer optbench"):
        Store(path)
    set_version(SCHEMA - 1)
    monkeypatch.setattr(database, "MIGRATIONS", {})
    with pytest.raises(StoreError, match="cannot be migrated"):
        Store(path)

    def fail(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE added (x)")
        raise sqlite3.OperationalError("in the middle")

    monkeypatch.setattr(database, "MIGRATIONS", {SCHEMA - 1: fail})
    with pytest.raises(StoreError, match="in the middle"):
        Store(path)
    migrations = {SCHEMA - 1: lambda db: db.execute("CREATE TABLE added (x)") and None}
    monkeypatch.setattr(database, "MIGRATIONS", migrations)
    for _ in range(2):  # the second opening has nothing to migrate
        with Store(path) as store:
            assert store.count() == 3
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM added").fetchone() == (0,)
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA,)


def test_drivers_that_open_an_old_store_together_migrate_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one waits for the first, and finds the new schema."""
    path = fill_store(tmp_path / "runs.sqlite", 3)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA - 1}")
    migrated: list[sqlite3.Connection] = []
    waiting = threading.Barrier(2)
    read_version = database._version

    def version(db: sqlite3.Connection) -> int:
        number = read_version(db)
        if not db.in_transaction:
            waiting.wait(PATIENCE)  # both have seen the old schema
        return number

    def count() -> int:
        with Store(path) as store:
            return store.count()

    monkeypatch.setattr(database, "_version", version)
    monkeypatch.setattr(database, "MIGRATIONS", {SCHEMA - 1: migrated.append})
    with ThreadPoolExecutor(2) as pool:
        opened = [pool.submit(count) for _ in range(2)]
        assert [store.result(PATIENCE) for store in opened] == [3, 3]
    assert len(migrated) == 1


def test_a_migrated_store_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    """And the runs have a column for each field of a packed run: a new field needs a migration."""
    new, old = tmp_path / "new.sqlite", tmp_path / "old.sqlite"
    write_first_schema(old)
    for path in (new, old):
        Store(path).close()
    assert table_columns(new) == table_columns(old)
    assert {name for name, *_ in table_columns(new)["runs"]} == {*COLUMNS, "session", "checksum"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [(2, ["D12193A8", "D540AB3E", "FAACC3F5"]), (3, ["5D33ED63", "6771E8D1", "ABF29066"])],
)
def test_a_checksum_never_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: int, expected: list[str]
) -> None:
    """Values and order are part of the schema: otherwise every stored run would seem damaged."""
    path = tmp_path / "runs.sqlite"
    write_schema(schema, path, monkeypatch)
    with contextlib.closing(sqlite3.connect(path)) as db:
        checksums = [
            row[0][:8] for row in db.execute("SELECT hex(checksum) FROM runs ORDER BY rowid")
        ]
    assert checksums == expected
    with Store(path) as store:
        assert store.remove_damaged() == 0


def table_columns(path: Path) -> dict[str, set[tuple[str, str, int]]]:
    """Return name, type and NOT NULL of the columns of each table."""
    query = """
        SELECT tables.name, columns.name, columns.type, columns."notnull"
        FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table'
    """
    tables: dict[str, set[tuple[str, str, int]]] = {}
    with contextlib.closing(sqlite3.connect(path)) as db:
        for table, *column in db.execute(query):
            tables.setdefault(table, set()).add(tuple(column))
    return tables


def write_first_schema(path: Path) -> None:
    """Write the store that the first schema wrote."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript((Path(__file__).parents[1] / "faults" / "schema_1.sql").read_text())


def test_a_store_of_the_first_schema_is_read_unchanged(tmp_path: Path) -> None:
    """Every run, the study and the session are the same in any later schema."""
    path = tmp_path / "runs.sqlite"
    write_first_schema(path)
    expected = [
        ("ok", "", 0.25, 0.5, 2),
        ("diverged", "loss not finite after 3 updates", math.nan, math.nan, 1),
        ("failed", "ValueError: no good", math.nan, math.nan, 0),
    ]
    for _ in range(2):
        with Store(path) as store:
            results = {result.spec.seed: result for result in store.results()}
            assert store.last_study() == b'{"suite":"smoke"}'
            assert store.last_session() == ("optbench run smoke", {"python": "3.11.7"})
            assert store.keys() == {result.key for result in results.values()}
        assert sorted(results) == [0, 1, 2]
        for seed, (status, reason, loss, metric, rows) in enumerate(expected):
            assert_same(
                results[seed], first_schema_result(seed, status, reason, loss, metric, rows)
            )


def first_schema_result(
    seed: int, status: str, reason: str, loss: float, metric: float, rows: int
) -> RunResult:
    """Return a result of schema_1.sql."""
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


def write_schema(schema: int, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the store of the first schema as a later one holds it."""
    write_first_schema(path)
    with monkeypatch.context() as patch:
        patch.setattr(database, "SCHEMA", schema)
        database.open_database(path, create=False).connection.close()


def read_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a store one that cannot be written to, for root too."""
    monkeypatch.setattr(database, "_is_writable", lambda other: other != path)


@pytest.mark.parametrize("schema", [2, 3])
def test_a_store_of_an_older_schema_is_read_with_unknown_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: int
) -> None:
    """Migrated or read-only: what it did not measure is NaN, all else is the same."""
    path = tmp_path / "runs.sqlite"
    write_schema(schema, path, monkeypatch)
    with contextlib.closing(sqlite3.connect(path)) as db:
        columns = {name for _, name, *_ in db.execute("PRAGMA table_info (runs)")}
    assert "checksum" in columns
    assert ("best_test_loss" in columns) == (schema > 2)
    assert "end_train_loss" not in columns
    with monkeypatch.context() as patch:
        read_only(path, patch)
        with Store(path) as store:
            before = sorted(store.results(), key=lambda result: result.spec.seed)
    with Store(path) as store:
        after = sorted(store.results(), key=lambda result: result.spec.seed)
    assert len(before) == len(after) == 3
    for old, new in zip(before, after, strict=True):
        assert_same(old, new)
        assert math.isnan(old.best_test_loss)
        assert math.isnan(old.guess_val_loss)
        assert math.isnan(old.end_train_loss)


@pytest.mark.parametrize("migrate", [True, False])
@pytest.mark.parametrize("schema", [2, 3])
def test_a_run_that_was_damaged_in_an_older_schema_stays_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: int, migrate: bool
) -> None:
    """The migration gives no new checksum to a row that did not match its old one."""
    path = tmp_path / "runs.sqlite"
    write_schema(schema, path, monkeypatch)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE runs SET test_loss = 0.125 WHERE status = 'ok'")
    if not migrate:
        read_only(path, monkeypatch)
    with Store(path) as store:
        assert {result.status for result in store.results()} == {Status.DIVERGED, Status.FAILED}


@pytest.mark.parametrize("schema", [2, 3])
def test_a_read_only_store_of_an_older_schema_is_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: int
) -> None:
    """Its rows get the columns that they lack."""
    path = tmp_path / "old.sqlite"
    write_schema(schema, path, monkeypatch)
    read_only(path, monkeypatch)
    with Store(path) as old, Store(tmp_path / "new.sqlite") as new:
        assert new.merge(old) == 3
        assert new.remove_damaged() == 0
        assert {result.key for result in new.results()} == old.keys()


def test_a_fifo_in_the_place_of_a_store_is_refused(tmp_path: Path) -> None:
    """Reading it would never end."""
    path = tmp_path / "runs.sqlite"
    os.mkfifo(path)
    with pytest.raises(StoreError, match="not a regular file"):
        Store(path)
