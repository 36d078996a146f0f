"""``optbench report, compare, replay, merge, export, targets``: what one does with studies."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
import sqlite3
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import click
import msgspec
import pytest

from optbench.cli import main
from optbench.plan import StudyRecord
from optbench.records import BOARD_NAMES, Curve, RunResult, Status
from optbench.store import Store
from optbench.study import load_study
from optbench.suites.target_files import read_targets
from tests.cli.study_helpers import TINY, Outcome, optbench
from tests.support.packages import need


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study; tests that change it take a copy."""
    out = tmp_path_factory.mktemp("study") / "out"
    assert optbench("run", *TINY, "-r", "mini-batch", "--out", out).code == 0
    return out


REPLICATED = ("-r", "mini-batch", "--epochs", 20, "--replicates", 4)


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study with four replicates; tests that change it take a copy."""
    out = tmp_path_factory.mktemp("replicated") / "out"
    assert optbench("run", *TINY, *REPLICATED, "--out", out).code == 0
    return out


@pytest.fixture
def copy(study: Path, tmp_path: Path) -> Path:
    """A copy of the study."""
    return Path(shutil.copytree(study, tmp_path / "copy"))


def changed(folder: Path, optimizer: str, factor: float) -> None:
    """Multiply every loss of an optimizer in a stored study."""
    with Store(folder / "runs.sqlite", create=False) as store:
        runs = [r for r in store.results() if r.spec.optimizer == optimizer]
    with contextlib.closing(sqlite3.connect(folder / "runs.sqlite")) as db, db:
        db.executemany("DELETE FROM runs WHERE key = ?", [(run.key,) for run in runs])
    with Store(folder / "runs.sqlite", create=False) as store:
        for run in runs:
            store.put(scaled(run, factor))


def scaled(run: RunResult, factor: float) -> RunResult:
    curve = Curve.from_columns(
        {k: v * (factor if k.endswith("_loss") else 1) for k, v in run.curve.items()}
    )
    return replace(
        run,
        curve=curve,
        test_loss=run.test_loss * factor,
        best_test_loss=run.best_test_loss * factor,
        end_train_loss=run.end_train_loss * factor,
        params_hash="changed",
    )


def one_line(outcome: Outcome, message: str, code: int = 1) -> None:
    """The command failed with this one line."""
    assert outcome.code == code, outcome.err
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


# -- report ---------------------------------------------------------------------------------------


def test_a_report_is_written_again_from_the_store_alone(copy: Path) -> None:
    """Files that were lost come back, the same as they were."""
    before = (copy / "leaderboard.json").read_bytes()
    for name in ("leaderboard.json", "report.html", "leaderboard.md", ".report.json"):
        (copy / name).unlink()
    outcome = optbench("report", copy, "--formats", "none")
    assert outcome.code == 0, outcome.err
    assert (copy / "leaderboard.json").read_bytes() == before
    assert (copy / "report.html").exists()
    assert "adam" in outcome.out


def test_a_report_can_go_elsewhere_in_other_formats(copy: Path, tmp_path: Path) -> None:
    """The study's own folder stays as it is."""
    outcome = optbench("report", copy, "--to", tmp_path / "paper", "--formats", "pdf", "--json")
    assert outcome.code == 0, outcome.err
    files = json.loads(outcome.out)["files"]
    assert any(name.endswith(".pdf") for name in files)
    assert all(str(tmp_path / "paper") in name for name in files)


def test_a_folder_without_a_study_is_named(tmp_path: Path) -> None:
    """Every command that reads a study says so in one line."""
    for arguments in (
        ["report", tmp_path],
        ["export", tmp_path],
        ["replay", "ab", "--in", tmp_path],
        ["compare", tmp_path, tmp_path],
        ["merge", tmp_path, "--out", tmp_path / "all"],
        ["targets", tmp_path],
    ):
        one_line(optbench(*arguments), f"{tmp_path} has no study")
    assert not (tmp_path / "all").exists()


# -- compare --------------------------------------------------------------------------------------


def test_a_study_is_not_worse_than_itself(replicated: Path) -> None:
    """Exit code 0, and no board says better or worse."""
    outcome = optbench("compare", replicated, replicated, "--fail-if-worse", "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)["comparisons"]
    assert [c["optimizer"] for c in found] == ["sgd", "adam"]
    verdicts = {each["verdict"] for c in found for each in c["boards"]}
    assert verdicts <= {"equal", "open"}
    assert {each["difference"] for c in found for each in c["boards"]} <= {0.0, None}


def test_a_planted_regression_fails_and_an_improvement_does_not(
    replicated: Path, tmp_path: Path
) -> None:
    """The optimizer that got worse is named; the other one is not."""
    slower = Path(shutil.copytree(replicated, tmp_path / "slower"))
    changed(slower, "adam", 3.0)
    outcome = optbench("compare", replicated, slower, "--fail-if-worse")
    assert outcome.code == 4, outcome.out + outcome.err
    assert "B is worse: adam" in outcome.err
    assert optbench("compare", replicated, slower).code == 0
    arguments = ("--fail-if-worse", "--on", "final-loss", "--on", "training-loss", "--json")
    outcome = optbench("compare", slower, replicated, *arguments)
    assert outcome.code == 0, outcome.err
    verdicts = {
        c["optimizer"]: c["boards"][0]["verdict"] for c in json.loads(outcome.out)["comparisons"]
    }
    assert verdicts == {"adam": "better", "sgd": "equal"}


def test_the_gate_looks_at_the_boards_that_it_is_told(replicated: Path, tmp_path: Path) -> None:
    """A higher final loss is not a lack of stability; an unknown board is a usage error."""
    slower = Path(shutil.copytree(replicated, tmp_path / "slower"))
    changed(slower, "adam", 3.0)
    gate = ("compare", replicated, slower, "--fail-if-worse", "--on")
    assert optbench(*gate, "stability").code == 0
    assert optbench(*gate, "training-loss").code == 4
    assert optbench(*gate, "stability", "--on", "final-loss").code == 4
    assert optbench(*gate, "elegance").code == 2


def test_two_optimizers_of_one_study(replicated: Path, tmp_path: Path) -> None:
    """By their labels, seen from the second; a wrong one is named with the nearest."""
    copy = Path(shutil.copytree(replicated, tmp_path / "worse"))
    changed(copy, "adam", 100.0)
    found = json.loads(optbench("compare", "adam", "sgd", "--in", copy, "--json").out)
    assert found["comparisons"][0]["boards"][0]["verdict"] == "better"
    assert optbench("compare", "sgd", "adam", "--in", copy, "--fail-if-worse").code == 4
    one_line(optbench("compare", "sgd", "adan", "--in", copy), "did you mean 'adam'?")
    one_line(optbench("compare", "sgd", "sgd", "--in", copy), "against itself")


def test_a_missing_folder_is_an_error_that_names_it(study: Path) -> None:
    """A gate without its baseline is broken, which has another exit code than worse."""
    for sides in ((study, "nosuch"), ("nosuch", study)):
        outcome = optbench("compare", *sides, "--fail-if-worse")
        assert outcome.code == 1
        one_line(outcome, "there is no folder 'nosuch'")


def test_a_gate_does_not_pass_when_an_optimizer_is_gone(replicated: Path, tmp_path: Path) -> None:
    """A renamed optimizer is broken, not equal; without a gate it is a warning."""
    only = tmp_path / "only"
    smaller = optbench("run", *TINY, *REPLICATED, "-o", "sgd", "--out", only)
    assert smaller.code == 0, smaller.err
    outcome = optbench("compare", replicated, only, "--fail-if-worse")
    assert outcome.code == 1
    assert "cannot be judged: adam; B lacks optimizers or workloads of A" in outcome.err
    outcome = optbench("compare", replicated, only)
    assert outcome.code == 0
    assert "warning: only in A, not compared: adam" in outcome.err
    outcome = optbench("compare", only, replicated, "--fail-if-worse")
    assert outcome.code == 0
    assert "B is not shown to be worse: 1 optimizer, final-loss" in outcome.err


def test_names_that_are_neither_folders_nor_optimizers_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any study, both readings of the names are named."""
    monkeypatch.chdir(tmp_path)
    one_line(optbench("compare", "a", "b"), "there are no folders 'a' and 'b', and no study in")


def test_one_replicate_is_named_and_so_are_seeds_that_differ(study: Path, copy: Path) -> None:
    """Nothing is decided by one replicate; equal runs stay equal when one side has more seeds."""
    more = copy.parent / "more"
    assert optbench("run", *TINY, "-r", "mini-batch", "--seeds", 4, "--out", more).code == 0
    outcome = optbench("compare", study, more)
    assert outcome.code == 0, outcome.err
    assert "compared on the seeds that both have" in outcome.err
    changed(copy, "adam", 3.0)
    outcome = optbench("compare", study, copy, "--fail-if-worse")
    assert outcome.code == 1
    assert "cannot be judged: sgd, adam; there is only one replicate, so run both" in outcome.err
    assert "warning" not in outcome.err


def test_the_region_of_a_comparison_is_printed_and_can_be_set(replicated: Path) -> None:
    """By default it is that of the study A."""
    usual = optbench("compare", "sgd", "adam", "--in", replicated)
    assert usual.out.splitlines()[0].split("  ").count("region") == 1
    assert "within 0.03" in usual.out
    assert "95% interval" in usual.out
    speed = next(line for line in usual.out.splitlines() if " speed " in line)
    assert re.search(r"x to (above )?[\d.]+x sooner ", speed)
    regions = ("--region", "final-loss=100%", "--region", "speed=0.25")
    wide = optbench("compare", "sgd", "adam", "--in", replicated, *regions)
    assert "within 25%" in wide.out
    final = next(line for line in wide.out.splitlines() if "final-loss" in line)
    assert "within 1 " in final
    assert "equal" in final
    one_line(
        optbench("compare", "sgd", "adam", "--in", replicated, "--region", "x=1"), "of a region"
    )


def test_a_comparison_fits_into_80_columns(
    replicated: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table for each optimizer with one line for each board, and the regions below them."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main.main(["compare", str(replicated), str(replicated)], standalone_mode=False)
    lines = click.unstyle(capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 80
    for board in BOARD_NAMES:
        rows = [line for line in lines if line.strip().startswith(f"{board} ")]
        assert len(rows) == 2
    assert "Regions of practical equivalence: final-loss within 0.03," in " ".join(lines)


@pytest.mark.parametrize("columns", [80, 100, None])
def test_a_board_in_a_pipe_has_the_width_of_the_environment(
    replicated: Path, columns: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boards, sentences and table; 120 columns if COLUMNS is not set."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
    out = optbench("report", replicated).out
    assert "optimizer" in out
    assert (columns or 120) - 20 < max(map(len, out.splitlines()[:-1])) <= (columns or 120)


# -- replay ---------------------------------------------------------------------------------------


def keys_of(folder: Path) -> list[str]:
    with Store(folder / "runs.sqlite", create=False) as store:
        return sorted(store.keys())


def test_a_replayed_run_has_the_same_bits(study: Path) -> None:
    """Trained again from its key alone, by whole key or prefix."""
    for key in keys_of(study)[:3]:
        outcome = optbench("replay", key[:10], "--in", study)
        assert outcome.code == 0, outcome.out
        assert "the same bits" in outcome.out


def test_a_run_that_differs_is_told_with_its_first_difference(copy: Path) -> None:
    """Exit code 1, and what differs."""
    changed(copy, "adam", 3.0)
    with Store(copy / "runs.sqlite", create=False) as store:
        key = next(r.key for r in store.results() if r.spec.optimizer == "adam")
    outcome = optbench("replay", key, "--in", copy, "--json")
    assert outcome.code == 1
    found = json.loads(outcome.out)
    assert not found["same"]
    assert any(line.startswith("val_loss: from row 0 on") for line in found["differences"])
    assert any(line.startswith("parameters") for line in found["differences"])
    assert found["reasons"] == []


def test_a_run_of_other_code_is_explained(copy: Path) -> None:
    """When the optimizer has been edited since, replay says so."""
    with Store(copy / "runs.sqlite", create=False) as store:
        run = next(r for r in store.results() if r.status is Status.OK)
        spec = msgspec.structs.replace(run.spec, optimizer_code="000000000000")
        store.put(replace(run, run=spec))
    outcome = optbench("replay", spec.key, "--in", copy)
    assert outcome.code == 0
    assert f"the code of optimizer {spec.optimizer} has changed since" in outcome.out


def moved(folder: Path) -> None:
    """Let a study come from a machine with other libraries."""
    with Store(folder / "runs.sqlite", create=False) as store:
        command, environment = store.last_session() or ("", {})
        other = {"processor": "other", "blas": "openblas 0.3 Other", "libc": "glibc 1.0"}
        store.begin_session(command, {**environment, **other})
        session = store.session
    with contextlib.closing(sqlite3.connect(folder / "runs.sqlite")) as db, db:
        db.execute("UPDATE runs SET session = ?", (session,))


def test_a_run_of_another_machine_is_told_apart(copy: Path) -> None:
    """Libraries that decide digits are named; a compiled run calls no BLAS, on any processor."""
    moved(copy)
    with Store(copy / "runs.sqlite", create=False) as store:
        run = next(store.results())
    assert run.loop == "compiled"
    reasons = json.loads(optbench("replay", run.key, "--in", copy, "--json").out)["reasons"]
    assert len(reasons) == 1
    assert reasons[0].startswith("the C library is glibc 1.0 on one")


def test_a_run_id_must_name_one_run(study: Path) -> None:
    """Unknown and ambiguous ones are told apart."""
    one_line(optbench("replay", "zzzz", "--in", study), "no run in")
    one_line(optbench("replay", "", "--in", study), "no run in")
    first = [key[0] for key in keys_of(study)]
    shared = next(digit for digit in first if first.count(digit) > 1)
    one_line(optbench("replay", shared, "--in", study), "give more digits")


# -- merge ----------------------------------------------------------------------------------------


def test_merged_studies_equal_one_study(study: Path, tmp_path: Path) -> None:
    """Two machines, an optimizer each: together they are the study of both."""
    for name in ("adam", "sgd"):
        outcome = optbench("run", *TINY, "-r", "mini-batch", "-o", name, "--out", tmp_path / name)
        assert outcome.code == 0, outcome.err
    outcome = optbench(
        *("merge", tmp_path / "sgd", tmp_path / "adam", "--out", tmp_path / "all"),
        *("--formats", "none", "--json"),
    )
    assert outcome.code == 0, outcome.err
    assert keys_of(tmp_path / "all") == keys_of(study)
    merged, alone = (scores(json.loads(text)) for text in (outcome.out, again(study)))
    assert merged == alone


def again(folder: Path) -> str:
    return optbench("report", folder, "--formats", "none", "--json").out


def scores(found: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    return [(row["label"], row["score"]) for row in found["overall"]]


def test_conflicts_are_named_and_refused(study: Path, copy: Path, tmp_path: Path) -> None:
    """Runs with different numbers are listed; --keep-first keeps those of the first folder."""
    changed(copy, "adam", 3.0)
    outcome = optbench("merge", study, copy, "--out", tmp_path / "all")
    assert outcome.code == 1
    assert "conflict: run" in outcome.err
    assert "--keep-first" in outcome.err
    outcome = optbench(
        *("merge", study, copy, "--out", tmp_path / "first", "--keep-first", "--formats", "none")
    )
    assert outcome.code == 0, outcome.err
    with Store(tmp_path / "first" / "runs.sqlite") as store:
        assert all(run.params_hash != "changed" for run in store.results())


def test_conflicts_of_two_machines_name_what_differs(
    study: Path, copy: Path, tmp_path: Path
) -> None:
    """Other digits from another BLAS are told apart from other digits for no known reason."""
    changed(copy, "adam", 3.0)
    assert "BLAS" not in optbench("merge", study, copy, "--out", tmp_path / "one").err
    moved(copy)
    outcome = optbench("merge", study, copy, "--out", tmp_path / "two")
    assert outcome.code == 1
    assert "openblas 0.3 Other on the other" in outcome.err


def test_studies_of_different_protocols_do_not_merge(
    study: Path, copy: Path, tmp_path: Path
) -> None:
    """What differs is named."""
    with Store(copy / "runs.sqlite") as store:
        saved = store.last_study()
        assert saved is not None
        record = msgspec.json.decode(saved, type=StudyRecord)
        other = msgspec.structs.replace(record.protocol, budget=99)
        store.save_study(msgspec.json.encode(msgspec.structs.replace(record, protocol=other)))
    one_line(
        optbench("merge", study, copy, "--out", tmp_path / "all"), "the protocols differ: budget"
    )


# -- export ---------------------------------------------------------------------------------------


def test_runs_are_exported_as_csv(study: Path, tmp_path: Path) -> None:
    """One row a run, hyperparameters in columns of their own; to stdout or a file."""
    rows = list(csv.DictReader(io.StringIO(optbench("export", study).out)))
    assert sorted(row["key"] for row in rows) == keys_of(study)
    adam = next(row for row in rows if row["optimizer"] == "adam")
    assert float(adam["hyper_lr"]) > 0
    assert float(adam["test_loss"]) > 0
    assert optbench("export", study, "--to", tmp_path / "runs.csv").code == 0
    assert len((tmp_path / "runs.csv").read_text().splitlines()) == len(rows) + 1


def test_an_export_a_data_frame_and_a_leaderboard_use_the_same_words(study: Path) -> None:
    """A script written for one of them reads the others; runs join with leaderboard.csv."""
    rows = list(csv.DictReader(io.StringIO(optbench("export", study).out)))
    assert list(rows[0]) == list(load_study(study).to_pandas().columns)
    board = list(csv.DictReader(io.StringIO((study / "leaderboard.csv").read_text())))
    shared = ("workload", "dataset", "network", "initializer", "regime", "batch_size", "epochs")
    for name in (*shared, "optimizer", "configuration"):
        assert {row[name] for row in board if row[name]} <= {row[name] for row in rows}


def test_curves_are_exported_one_row_an_evaluation(study: Path) -> None:
    """They join with the runs by key."""
    rows = list(csv.DictReader(io.StringIO(optbench("export", study, "--curves").out)))
    assert {row["key"] for row in rows} == set(keys_of(study))
    assert float(rows[0]["examples"]) == 0.0


def test_parquet_needs_a_file_and_pyarrow(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pyarrow the message says how to get it."""
    assert optbench("export", study, "--format", "parquet").code == 2
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    one_line(optbench("export", study, "--to", tmp_path / "runs.parquet"), "optbench[parquet]")


@pytest.mark.long
def test_runs_are_exported_as_parquet(study: Path, tmp_path: Path) -> None:
    """Typed columns, null where a run has no such hyperparameter."""
    parquet = need("pyarrow.parquet")
    assert optbench("export", study, "--to", tmp_path / "runs.parquet").code == 0
    table = parquet.read_table(tmp_path / "runs.parquet")
    assert sorted(table["key"].to_pylist()) == keys_of(study)
    assert table["hyper_beta1"].null_count > 0


# -- targets --------------------------------------------------------------------------------------


def test_targets_are_derived_from_a_study_and_read_back(study: Path, tmp_path: Path) -> None:
    """The file that the command writes is one that a plugin can register."""
    shown = tomllib.loads(optbench("targets", study).out)["target"]
    assert [(t["dataset"], t["network"]) for t in shown] == [("iris", "8 relu")]
    path = tmp_path / "targets.toml"
    assert optbench("targets", study, "--write", path).code == 0
    target = read_targets([path])["iris", "8 relu"]
    assert target.easy > target.medium > target.hard >= target.best_val > 0
    assert min(target.best_train, target.best_test) > 0
    assert re.fullmatch(r"optbench \S+: \d+ runs of smoke", target.origin)
    assert path.read_text().startswith("# Frozen losses")


def test_targets_are_written_where_the_user_says(study: Path, tmp_path: Path) -> None:
    """Through a link, as to ``/dev/stdout``, which stays one; a folder is no place for a file."""
    file, link = tmp_path / "targets.toml", tmp_path / "link"
    link.symlink_to(file)
    assert optbench("targets", study, "--write", link).code == 0
    assert link.is_symlink()
    assert file.read_text() == optbench("targets", study).out
    for folder in (tmp_path, Path(".")):
        done = optbench("targets", study, "--write", folder)
        assert done.code == 1
        assert f"Is a directory: {folder}" in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "targets.toml"]


def test_the_frozen_targets_are_listed() -> None:
    """As a table and as JSON."""
    assert "frozen targets" in optbench("targets").out
    assert isinstance(json.loads(optbench("targets", "--json").out), list)
    assert optbench("targets", "--write", "x.toml").code == 2
