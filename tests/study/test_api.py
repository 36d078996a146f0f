"""The public functions: what the command line can do, Python can do, with the same errors."""

from __future__ import annotations

import ast
import functools
import gc
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import optbench
from optbench import Array, ConfigError, Rule, Study, Values, hyper
from optbench.study import Progress

SMALL: dict[str, Any] = {
    "suite": {"datasets": ["iris"], "regimes": ["batch"], "epochs": 2},
    "hidden": 4,
    "ruleset": "defaults",
    "seeds": 2,
    "replicates": 1,
    "grid_points": 4,
    "jobs": 2,
}
"""Two evaluation runs of milliseconds for each optimizer."""


def test_a_comparison_is_a_study(tmp_path: Path) -> None:
    """What is given replaces what the suite says; runs are kept and never trained twice."""
    study = optbench.compare(["adam", "sgd[lr=0.1]"], out=tmp_path / "out", **SMALL)
    assert isinstance(study, Study)
    assert study.complete
    assert study.folder == tmp_path / "out"
    assert {cell.entrant.label for cell in study.cells} == {"adam", "sgd[lr=0.1]"}
    assert {cell.workload.label for cell in study.cells} == {
        "iris | 4 relu | he-normal | batch | 2 epochs"
    }
    assert study.trained == len(study.runs) == 4
    again = optbench.compare(["adam", "sgd[lr=0.1]"], out=str(tmp_path / "out"), **SMALL)
    assert (again.trained, again.reused) == (0, 4)
    assert (
        again.leaderboard == study.leaderboard == optbench.load_study(tmp_path / "out").leaderboard
    )


def test_the_first_run_of_each_optimizer_records_layer_health() -> None:
    """Not one in each replicate: the first is enough for a diagnosis."""
    study = optbench.compare(["adam", "sgd"], **{**SMALL, "replicates": 2, "first_replicate": 3})
    with_health = [
        (cell.entrant.label, cell.replicate, index)
        for cell in study.cells
        for index, run in enumerate(cell.evaluation)
        if "layer1.dead" in run.curve
    ]
    assert sorted(with_health) == [("adam", 3, 0), ("sgd", 3, 0)]


def test_the_study_says_how_it_was_made(tmp_path: Path) -> None:
    """The call and the machine are noted, as a command is."""
    study = optbench.compare("adam", out=tmp_path / "out", **SMALL)
    assert study.command.startswith("optbench.compare(optimizers=['adam'], hidden=[[4]], ")
    assert study.command.endswith(f"out={str(tmp_path / 'out')!r})")
    assert study.environment["optbench"] == optbench.__version__


@pytest.mark.parametrize(
    "arguments",
    [
        {"until": "decided", "time_limit": "10m", "replicates": None},
        {"until": "decided", "replicates": 5, "stepper_replicates": 4, "first_replicate": 2},
        {"baseline": "sgd", "regions": {"speed": "20%"}, "health": "all", "timeout": 60},
        {"suite": "smoke", "hidden": [(4,), ()], "epochs": {"batch": 2}, "regimes": "batch"},
        {"datasets": ["iris", "points.csv"], "target": "up", "memory": 4000},
    ],
    ids="-".join,
)
def test_the_call_that_a_study_recorded_makes_the_same_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]
) -> None:
    """What was given is in the call, and what follows from it is not; nothing is trained again."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{i / 40},{'ab'[i % 2]}\n" for i in range(40))
    Path("points.csv").write_text(f"x,up\n{rows}")
    given = {key: value for key, value in (SMALL | arguments).items() if value is not None}
    study = optbench.compare(["adam", "sgd"], out="out", **given)
    call = ast.parse(study.command, mode="eval").body
    assert isinstance(call, ast.Call)
    assert {word.arg for word in call.keywords} == {"optimizers", "out", *given} - {"jobs"}
    again = eval(study.command, {"optbench": optbench})  # the text is our own
    assert again.trained == 0
    assert again == replace(study, trained=0, reused=len(study.runs), unchanged=True)


def test_a_temporary_folder_lives_as_long_as_the_study() -> None:
    """Curves can be read while it lives; afterwards nothing is left."""
    study = optbench.compare("sgd", **SMALL)
    folder = study.folder
    assert folder is not None
    assert study.runs[0].curve["val_loss"][0] > 0
    assert (folder / "runs.sqlite").exists()
    del study
    gc.collect()
    assert not folder.exists()


def test_one_name_is_a_list_of_one() -> None:
    """For every selection."""
    study = optbench.compare(
        "sgd", datasets="iris", initializers="xavier-normal", activations="tanh", regimes="sgd",
        **{**SMALL, "suite": "smoke", "epochs": 1},
    )  # fmt: skip
    (label,) = {cell.workload.label for cell in study.cells}
    assert label == "iris | 4 tanh | xavier-normal | sgd | 1 epochs"


@pytest.mark.parametrize(
    ("hidden", "networks"),
    [
        (5, ["5 relu"]),
        ((5, 6), ["5-6 relu"]),
        ((), ["linear relu"]),
        ([(5,), 7, ()], ["5 relu", "7 relu", "linear relu"]),
    ],
)
def test_hidden_is_one_network_or_several(hidden: Any, networks: list[str]) -> None:
    """A number is a layer, numbers are a network, and a list with sequences is several."""
    study = optbench.compare("sgd", **{**SMALL, "hidden": hidden})
    assert [cell.workload.network for cell in study.cells] == networks


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizers": "adamm"}, "unknown optimizer 'adamm'; did you mean 'adam'"),
        ({"optimizers": []}, "compare: optimizers is empty; nothing would be trained"),
        ({"datasets": ["digit"]}, "unknown dataset 'digit'; did you mean 'digits'"),
        ({"suite": "quik"}, "unknown suite 'quik'; did you mean 'quick'"),
        ({"suite": {"dataset": []}}, "suite: unknown key 'dataset'; did you mean 'datasets'"),
        ({"suite": "missing.toml"}, "suite missing.toml: No such file"),
        ({"regimes": "full"}, "compare: regimes"),
        ({"seeds": 0}, "compare: protocol.seeds is 0"),
        ({"epochs": 1.5}, "compare: epochs is a number, not a whole number"),
        ({"hidden": "32"}, "hidden='32' is not allowed"),
        ({"hidden": [0]}, "hidden=0 is not allowed"),
        ({"jobs": 0}, "jobs=0 is not allowed"),
        ({"timeout": -1}, "compare: timeout=-1 is not a length of time above 0; write 90s"),
        ({"memory": 0}, "memory=0 is not allowed"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "jobs are for this machine"),
        ({"out": "/dev/null/x"}, "cannot write to '/dev/null/x'"),
    ],
)
def test_a_wrong_argument_is_one_clear_line(arguments: Mapping[str, Any], message: str) -> None:
    """The same errors as those of the command line."""
    with pytest.raises(ConfigError) as caught:
        optbench.compare(**{"optimizers": "sgd", **SMALL, **arguments})
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_ctrl_c_returns_the_study_as_far_as_it_is(tmp_path: Path) -> None:
    """Everything finished is kept, and the next call goes on from there."""

    def interrupt(progress: Progress) -> None:
        if progress.trained:
            raise KeyboardInterrupt

    arguments = {**SMALL, "seeds": 40}
    study = optbench.compare("sgd", out=tmp_path, progress=interrupt, **arguments)
    assert not study.complete
    kept = len(study.runs)
    state = f"unfinished: {kept} of 40 runs; the same command continues"
    assert study.leaderboard.warnings[0] == state
    assert " ".join(repr(study).split()).count(state) == 3  # summary, header and cautions
    study.report(formats=["png"])
    assert (
        (tmp_path / "leaderboard.md").read_text().splitlines()[2].startswith(f"**U{state[1:]}.**")
    )
    assert f"<strong>U{state[1:]}.</strong>" in (tmp_path / "report.html").read_text()
    assert 0 < kept < 40
    rest = optbench.compare("sgd", out=tmp_path, **arguments)
    assert rest.complete
    assert rest.trained == 40 - kept


def test_python_is_quiet_unless_asked(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed where nobody watches."""
    optbench.compare("sgd", **SMALL)
    assert capfd.readouterr() == ("", "")


def test_studies_are_merged(tmp_path: Path) -> None:
    """Two folders, an optimizer each, are the study of both."""
    for name in ("adam", "sgd"):
        optbench.compare(name, out=tmp_path / name, **SMALL)
    merged = optbench.merge([tmp_path / "adam", str(tmp_path / "sgd")], out=tmp_path / "both")
    together = optbench.compare(["adam", "sgd"], **SMALL)
    assert {run.key for run in merged.runs} == {run.key for run in together.runs}
    assert merged.leaderboard.overall == together.leaderboard.overall
    with pytest.raises(ConfigError, match="has no study"):
        optbench.merge([tmp_path / "none"], out=tmp_path / "x")
    with pytest.raises(ConfigError, match="name at least one folder"):
        optbench.merge([], out=tmp_path / "x")


def test_a_run_is_replayed_from_a_study_or_its_folder(tmp_path: Path) -> None:
    """The same bits."""
    study = optbench.compare("sgd", out=tmp_path, **SMALL)
    run = study.runs[0]
    for source in (study, tmp_path, str(tmp_path)):
        replay = optbench.replay(source, run.key[:8])
        assert replay.is_same
        assert replay.stored.key == run.key
    with pytest.raises(ConfigError, match="no run in"):
        optbench.replay(study, "zz")


class Descent(Rule):
    """Gradient descent."""

    name = "descent"
    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-3, 10))

    @staticmethod
    def update(theta: Array, grad: Array, t: int, h: Values) -> Any:
        return (theta - h.lr * grad,)


class Renamed(Rule):
    """The same formula, with another name for its rate."""

    name = "renamed"
    eta: float = hyper(0.01, "learning rate", low=0, log_range=(1e-3, 10), rate=True)

    @staticmethod
    def update(theta: Array, grad: Array, t: int, h: Values) -> Any:
        return (theta - h.eta * grad,)


class Unmarked(Renamed):
    """The same again, with a rate that nobody can know."""

    name = "unmarked"
    eta: float = hyper(0.01, "learning rate", low=0, log_range=(1e-3, 10))


def test_a_rate_under_any_name_is_tuned_and_scheduled_alike() -> None:
    """The marked one; what is not tuned is said."""
    settings = {**SMALL, "ruleset": "lr", "budget": 4}
    for control in ({}, {"schedule": "cosine"}):
        pair = [functools.partial(rule, **control) for rule in (Descent, Renamed)]
        study = optbench.compare(pair, **settings)
        lr, eta = (next(iter(study.best(row.label).values())) for row in study.leaderboard.overall)
        assert {*lr.values()} == {*eta.values()} != {0.01}
        scores = {row.score.value for row in study.leaderboard.overall}
        assert len(scores) == 1
    with_unmarked = optbench.compare([Descent, Unmarked], **settings)
    assert any("unmarked is not tuned" in line for line in with_unmarked.leaderboard.warnings)
    assert not any("descent is not" in line for line in with_unmarked.leaderboard.warnings)


def test_a_finished_study_gets_more_replicates() -> None:
    """In its folder, with objects that were passed, and with the price of a further look."""

    study = optbench.compare([Descent, "sgd"], baseline="sgd", **{**SMALL, "replicates": 2})
    more = study.more(1, jobs=1, timeout="1h")
    assert more.command.endswith(".more(1, timeout='1h')")
    assert more.best(Descent) == more.best("descent")
    assert more.compare("sgd", Descent).rows == more.compare("sgd", "descent").rows
    assert (more.folder, more.protocol.replicates, more.trained) == (study.folder, 3, 4)
    assert [look.level for look in more.looks] == [0.05, 0.025]
    assert more.criteria == study.criteria
    board = more.leaderboard.boards[0]
    assert (board.units, board.error_rate) == (3, 0.075)
    assert board.baseline is not None
    for wrong in (0, "2", 1.5):
        with pytest.raises(ConfigError, match=f"replicates={wrong!r} is not allowed"):
            study.more(wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no folder"):
        functools.partial(replace(study, folder=None).more, 1)()
