"""Stores that somebody changed: the run or file is named, and nothing in them is executed."""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from optbench.cli import main
from optbench.errors import StoreError
from optbench.records.packing import unpack_curve, unpack_result, unpack_spec
from optbench.store import Store
from tests.properties.commands import call
from tests.store.sealing import seal

TINY = ("smoke", "-r", "batch", "--epochs", "2", "--grid", "4", "--seeds", "2")
COMMANDS = (
    ("report", "--formats", "none", "{}"),
    ("export", "{}"),
    ("export", "--curves", "{}"),
    ("inspect", "--in", "{}", "--out", "out"),
    ("compare", "{}", "{}"),
    ("merge", "{}", "--out", "out", "--formats", "none"),
    ("targets", "{}"),
    ("run", *TINY, "--formats", "none", "--out", "{}"),
)


class Evil:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study; tests work on copies."""
    out = tmp_path_factory.mktemp("stored") / "study"
    done = CliRunner().invoke(main, ["run", *TINY, "--formats", "none", "--out", str(out)])
    assert done.exit_code == 0, done.stderr
    return out


CELLS = [
    *(("runs", name) for name in ("spec", "status", "reason", "test_loss", "test_metric")),
    *(("runs", name) for name in ("params_hash", "grad_evals", "seconds", "loop", "columns")),
    *(("runs", name) for name in ("curve", "key", "session", "best_test_loss", "guess_val_loss")),
    *(("sessions", name) for name in ("started", "command", "environment")),
    ("studies", "record"),
]
VALUES: list[Any] = [
    b"", b"\x00", b"\xff" * 9, b"{}", b"[]", b"null", "", "text", "\x1b[31m", "a\nb", 0, -1, 2**62,
    0.5, float("inf"), -1e308, b"[" * 100_000, '{"a": ' * 5000, "x" * 100_000,
]  # fmt: skip


def tamper(
    folder: Path, cell: tuple[str, str], value: Any, rows: str, sealed: bool = False
) -> None:
    """Write a value into a column of some rows.

    Args:
        folder: Folder of the study.
        cell: Table and column.
        value: The value.
        rows: ``"one"`` or ``"all"``.
        sealed: Whether to write matching checksums too, as an attacker would.
    """
    table, column = cell
    with contextlib.closing(sqlite3.connect(folder / "runs.sqlite")) as db, db:
        where = "" if rows == "all" else f"WHERE rowid = (SELECT min(rowid) FROM {table})"
        if column == "key":
            where = f"WHERE rowid = (SELECT min(rowid) FROM {table})"  # keys are unique
        db.execute(f"UPDATE {table} SET {column} = ? {where}", (value,))
        if sealed:
            seal(db, [table])


def check_command(command: tuple[str, ...], folder: Path) -> None:
    """Check that the command works, or names the store and the problem in one line."""
    result = call([word.replace("{}", str(folder)) for word in command])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    assert "OPTBENCH_TRACEBACK" not in result.stderr
    assert result.exit_code in (0, 1, 3)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == (result.exit_code == 1)
    assert not any(ord(c) < 32 and c != "\n" for c in result.stderr)


@settings(max_examples=60)
@given(
    cell=st.sampled_from(CELLS),
    value=st.sampled_from(VALUES) | st.binary(max_size=20) | st.floats(allow_nan=False),
    rows=st.sampled_from(["one", "all"]),
    sealed=st.booleans(),
    command=st.sampled_from(COMMANDS),
)
def test_a_value_of_any_kind_in_any_place(
    study: Path,
    tmp_path_factory: pytest.TempPathFactory,
    cell: tuple[str, str],
    value: Any,
    rows: str,
    sealed: bool,
    command: tuple[str, ...],
) -> None:
    """Every command that reads a study can read one with a changed value."""
    folder = tmp_path_factory.getbasetemp() / "tampered"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(study, folder)
    tamper(folder, cell, value, rows, sealed)
    check_command(command, folder)


@settings(max_examples=60)
@given(
    column=st.sampled_from([("runs", "spec"), ("runs", "curve"), ("studies", "record")]),
    seed=st.integers(0, 10_000),
    sealed=st.booleans(),
    command=st.sampled_from(COMMANDS),
)
def test_flipped_bits_in_any_blob(
    study: Path,
    tmp_path_factory: pytest.TempPathFactory,
    column: tuple[str, str],
    seed: int,
    sealed: bool,
    command: tuple[str, ...],
) -> None:
    """The data are almost right: a changed digit, a missing letter, a missing end."""
    folder = tmp_path_factory.getbasetemp() / "flipped"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(study, folder)
    table, name = column
    with contextlib.closing(sqlite3.connect(folder / "runs.sqlite")) as db:
        blob = bytearray(db.execute(f"SELECT {name} FROM {table}").fetchone()[0])
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 1, 3, 20])):
        blob[rng.randrange(len(blob))] = rng.randrange(256)
    damaged = bytes(blob[: rng.choice([len(blob), rng.randrange(len(blob))])])
    tamper(folder, column, damaged, "one", sealed)
    check_command(command, folder)


@pytest.mark.parametrize("cell", CELLS, ids=".".join)
def test_nothing_in_a_store_is_unpickled(
    study: Path, tmp_path: Path, cell: tuple[str, str]
) -> None:
    """A pickle that acts when it is read is treated like any other bytes."""
    trap = tmp_path / "sprung"
    for protocol in (0, pickle.HIGHEST_PROTOCOL):
        folder = tmp_path / f"evil-{protocol}"
        shutil.copytree(study, folder)
        tamper(folder, cell, pickle.dumps(Evil(trap), protocol), "one", sealed=True)
        for command in COMMANDS[:4]:
            CliRunner().invoke(main, [word.replace("{}", str(folder)) for word in command])
    assert not trap.exists()


@given(st.binary(max_size=80))
def test_bytes_that_are_not_a_run_are_a_store_error(data: bytes) -> None:
    """Data from a store or a worker are decoded or refused."""
    for read in (unpack_spec, unpack_result, lambda b: unpack_curve(("a", "b", "c"), b)):
        with contextlib.suppress(StoreError):
            read(data)


@pytest.mark.parametrize("name", ["spec", "curve"])
def test_the_damaged_run_is_named(study: Path, tmp_path: Path, name: str) -> None:
    """The warning names the file and the run; the other runs are read."""
    folder = tmp_path / "damaged"
    shutil.copytree(study, folder)
    tamper(folder, ("runs", name), b"\xff", "one")
    with contextlib.closing(sqlite3.connect(folder / "runs.sqlite")) as db:
        (key,) = db.execute("SELECT key FROM runs ORDER BY rowid").fetchone()
    result = CliRunner().invoke(main, ["export", str(folder)])
    assert result.exit_code == 0
    assert f"{folder / 'runs.sqlite'}: run {key} is damaged" in result.stderr
    with Store(folder / "runs.sqlite", create=False) as store:
        others = store.keys() - {key}
        assert key not in result.stdout
        assert {run.key for run in store.results(others)} == others


def test_a_run_under_the_key_of_another_is_damaged(study: Path, tmp_path: Path) -> None:
    """The key is the hash of the run, so no run is ever read in the place of another."""
    folder = tmp_path / "swapped"
    shutil.copytree(study, folder)
    with contextlib.closing(sqlite3.connect(folder / "runs.sqlite")) as db, db:
        rows = db.execute("SELECT key, spec FROM runs ORDER BY rowid LIMIT 2").fetchall()
        (one, spec), (other, _) = rows
        db.execute("UPDATE runs SET spec = ? WHERE key = ?", (spec, other))
    with Store(folder / "runs.sqlite", create=False) as store:
        assert [run.key for run in store.results([one, other])] == [one]
