"""``optbench run``: a study from the command line, and every way in which it can go wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from optbench.store import Store
from tests.cli.study_helpers import TINY, Outcome, optbench, optbench_process

FAULTY = '''
from optbench import Stepper, hyper

class Faulty(Stepper):
    """Descends, or raises."""
    name = "faulty"
    fault: bool = hyper(False, "raise at the first step")
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-2, 1))

    def init(self, params, context):
        return None

    def step(self, params, grads, state, context):
        if context.h.fault:
            raise ValueError("no good")
        for p, g in zip(params, grads):
            p -= context.h.lr * g
'''


@pytest.fixture
def faulty(tmp_path: Path) -> str:
    """A plugin file whose optimizer can fail."""
    path = tmp_path / "faulty.py"
    path.write_text(FAULTY)
    return str(path)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A finished study."""
    out = tmp_path_factory.mktemp("done") / "study"
    return out, optbench("run", *TINY, "--formats", "svg", "--out", out)


def test_a_study_leaves_every_file(tmp_path: Path) -> None:
    """Tables, page, plots, store and environment are all there, and not empty."""
    out = tmp_path / "study"
    outcome = optbench("run", *TINY, "--formats", "svg", "--out", out)
    assert outcome.code == 0, outcome.err
    for name in (
        "leaderboard.md",
        "leaderboard.csv",
        "leaderboard.json",
        "report.html",
        "environment.json",
        "runs.sqlite",
    ):
        assert (out / name).stat().st_size > 0
    assert list((out / "plots").glob("*.svg"))
    environment = json.loads((out / "environment.json").read_text())
    assert environment["command"].startswith("optbench run smoke --epochs 2")
    assert "sgd" in outcome.out
    assert "adam" in outcome.out
    assert "trained 10 runs" in outcome.err


def test_what_cannot_be_tuned_is_refused_before_anyone_is_asked_to_train(tmp_path: Path) -> None:
    """No connection to a cluster is opened for it, and no folder is made."""
    out = tmp_path / "study"
    suite = (*TINY, "--hidden", "7", "--select", "time")
    outcome = optbench("run", *suite, "--scheduler", "tcp://127.0.0.1:1", "--out", out)
    assert outcome.code == 1
    assert "select=time needs a target for iris, 7 relu" in outcome.err
    assert not out.exists()


def test_a_second_call_trains_nothing_and_says_so(done: tuple[Path, Outcome]) -> None:
    """The runs come from the store, the leaderboard is the same."""
    out, first = done
    before = (out / "leaderboard.json").read_bytes()
    outcome = optbench("run", *TINY, "--formats", "svg", "--out", out)
    assert outcome.code == 0
    assert "nothing to train, 10 runs were in the store already" in outcome.err
    assert outcome.out == first.out
    assert (out / "leaderboard.json").read_bytes() == before


def test_a_single_run_is_told_in_the_singular(tmp_path: Path) -> None:
    """Trained, and found in the store by the next call."""
    fewest = ("--epochs", "1", "--seeds", "1", "--replicates", "1", "--formats", "none")
    one = (
        "run",
        "smoke",
        "-o",
        "sgd[lr=0.1]",
        "-d",
        "iris",
        "-r",
        "batch",
        *fewest,
        "--out",
        tmp_path,
    )
    assert "trained 1 run\n" in optbench(*one).err
    assert "nothing to train, 1 run was in the store already\n" in optbench(*one).err
    planned = optbench(*one, "--dry-run").out
    assert "1 run planned" in planned
    assert "1 of them is in the store" in planned


def test_two_studies_with_the_same_command_have_the_same_bits(
    done: tuple[Path, Outcome], tmp_path: Path
) -> None:
    """Everything but times."""
    assert optbench("run", *TINY, "--out", tmp_path / "again").code == 0
    assert bits(done[0]) == bits(tmp_path / "again")


def bits(out: Path) -> dict[str, tuple[str, bytes]]:
    with Store(out / "runs.sqlite", create=False) as store:
        return {r.key: (r.params_hash, r.curve["val_loss"].tobytes()) for r in store.results()}


def test_json_is_all_that_stdout_gets(done: tuple[Path, Outcome]) -> None:
    """A machine can read it; progress and remarks go to stderr."""
    outcome = optbench("run", *TINY, "--out", done[0], "--json")
    found = json.loads(outcome.out)
    assert found["suite"] == "smoke"
    assert (found["trained"], found["reused"], found["failed"]) == (0, 10, 0)
    assert {row["label"] for row in found["overall"]} == {"adam", "sgd"}
    assert all(Path(name).is_file() for name in found["files"])


def test_a_dry_run_lists_and_trains_nothing(tmp_path: Path, done: tuple[Path, Outcome]) -> None:
    """Planned runs, how many are stored, an estimate; no folder is made."""
    outcome = optbench("run", *TINY, "--out", tmp_path / "none", "--dry-run")
    assert outcome.code == 0
    assert "10 runs planned" in outcome.out
    assert "0 of them are in the store" in outcome.out
    assert " core" in outcome.out  # one, or more
    assert not (tmp_path / "none").exists()
    found = json.loads(optbench("run", *TINY, "--out", done[0], "--dry-run", "--json").out)
    assert (found["planned"], found["stored"], found["seconds"]) == (10, 10, 0)
    assert [cell["next"] for cell in found["cells"]] == [[], []]


def test_options_replace_what_the_suite_says(tmp_path: Path) -> None:
    """Every selection and protocol option reaches the plan."""
    outcome = optbench(
        *("run", "smoke", "--dry-run", "--json", "--out", tmp_path / "none"),
        *("-o", "sgd[lr=0.5]", "-o", "adam", "-d", "moons", "-d", "iris", "-i", "zeros"),
        *("-r", "mini-batch", "--hidden", "4,4", "--hidden", "linear", "--activation", "tanh"),
        *("--batch-size", "16", "--epochs", "3", "--budget", "2", "--seeds", "4"),
        *("--tuning-seeds", "2", "--dtype", "float64", "--grid", "7"),
    )
    found = json.loads(outcome.out)
    assert len(found["cells"]) == 2 * 2 * 2
    cell = next(c for c in found["cells"] if c["optimizer"] == "adam")
    assert cell["planned"] == 2 * 2 + 4
    run = cell["next"][0]["run"]
    assert (run["batch_size"], run["epochs"], run["dtype"], run["grid_points"]) == (
        16,
        3,
        "float64",
        7,
    )
    assert (run["activation"], run["initializer"]) == ("tanh", "zeros")
    workloads = {c["workload"] for c in found["cells"]}
    assert any("4-4 tanh" in w for w in workloads)
    assert any("linear tanh" in w for w in workloads)


def test_a_suite_can_be_a_file(tmp_path: Path) -> None:
    """A path works like a name, and its mistakes are named."""
    path = tmp_path / "mine.toml"
    path.write_text('datasets = ["iris"]\nregimes = ["batch"]\noptimizers = ["sgd"]\n')
    found = json.loads(optbench("run", path, "--dry-run", "--json", "--out", tmp_path / "x").out)
    assert found["suite"] == "mine"
    path.write_text('datasets = ["iris"]\nepochs = "many"\n')
    outcome = optbench("run", path)
    assert outcome.code == 1
    assert f"suite {path}: epochs is text, not a whole number or a table" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["quik"], 1, "unknown suite 'quik'; did you mean 'quick'?"),
        (["-o", "adm"], 1, "unknown optimizer 'adm'; did you mean 'adam'?"),
        (["-o", "mom"], 1, "unknown optimizer 'mom'; did you mean 'momentum'?"),
        (["-d", "digit"], 1, "unknown dataset 'digit'; did you mean 'digits'?"),
        (["-i", "he"], 1, "unknown initializer 'he'"),
        (["-o", "adam[lr=fast]"], 1, "lr=fast is not allowed"),
        (["-o", "adam[lr=-1]"], 1, "lr=-1 is not allowed"),
        (["-o", "adam[betas=(0.9,0.99)]"], 1, "have names of their own, such as beta1=...,beta2"),
        (["-o", "adam[betas=0.9]"], 1, "of adam 'betas'; give its parts: beta1, beta2"),
        (["-o", "adam[lr"], 1, "is not of the form name[key=value,...]"),
        (["-o", "adam", "-o", "adam"], 1, "optimizers has 'adam' twice"),
        (["--hidden", "0"], 1, "--hidden '0' is not allowed"),
        (["--hidden", ""], 1, "--hidden '' is not allowed"),
        (["--activation", "rellu"], 1, "did you mean 'relu'?"),
        (["-r", "minibatch"], 2, "'minibatch' is not one of"),
        (["--seeds", "0"], 2, "--seeds"),
        (["--jobs", "0"], 2, "--jobs"),
        (["--formats", "bmp"], 2, "'bmp' is none of png, svg, pdf, none"),
        (["--plugin", "missing.py"], 1, "missing.py"),
        (["nowhere.toml"], 1, "suite nowhere.toml: No such file or directory"),
        (["--scheduler", "tcp://127.0.0.1:1", "--jobs", "1"], 1, "jobs are for this machine"),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    """No traceback, no half-started study."""
    outcome = optbench("run", *arguments, "--out", tmp_path / "out")
    assert outcome.code == code, outcome.err
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert not (tmp_path / "out" / "runs.sqlite").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file in its place, or a folder that does not exist in one that is a file."""
    file = tmp_path / "file"
    file.write_text("mine")
    outcome = optbench("run", *TINY, "--out", file / "below")
    assert outcome.code == 1
    assert f"cannot write to '{file / 'below'}'" in outcome.err
    foreign = tmp_path / "study"
    foreign.mkdir()
    (foreign / "runs.sqlite").write_text("mine")
    outcome = optbench("run", *TINY, "--out", foreign)
    assert outcome.code == 1
    assert "is not a store of optbench" in outcome.err
    assert (foreign / "runs.sqlite").read_text() == "mine"


def test_failed_runs_are_named_and_give_exit_code_3(tmp_path: Path, faulty: str) -> None:
    """The others finish, and the leaderboard has everyone."""
    arguments = [*TINY, "-o", "sgd", "-o", "faulty[fault=true]", "--plugin", faulty]
    outcome = optbench_process("run", *arguments, "--out", tmp_path / "out")
    assert outcome.code == 3, outcome.err
    assert "ValueError: no good" in outcome.err
    assert "faulty[fault=true]" in outcome.out


def test_a_study_without_an_evaluated_run_names_no_report(tmp_path: Path) -> None:
    """The time limit ends it before there is anything to report."""
    words = ["run", *TINY, "-o", "sgd", "-o", "adam", "-d", "iris"]
    words += ["--until", "decided", "--time-limit", "0.001s", "--out", str(tmp_path)]
    outcome = optbench_process(*words)
    assert outcome.code == 0, outcome.err
    assert not (tmp_path / "report.html").exists()
    assert "report.html" not in outcome.err
    assert "the time limit is reached; nothing to report yet; to continue: " in outcome.err
