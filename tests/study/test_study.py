"""A study as Python sees it: leaderboard, tables, plots, report, and how it shows itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.study import Study
from optbench.study.study import Frame
from tests.analysis.synthetic import make_cells


@pytest.fixture(scope="module")
def study() -> Study:
    """Three optimizers on six workloads; alpha is the best."""
    cells = make_cells(datasets=("moons", "iris"), skill={"alpha": 1.0})
    return Study("synthetic", StudyProtocol(), tuple(cells))


@pytest.fixture
def unevaluated(study: Study) -> Study:
    """The same study before any evaluation run has finished."""
    return replace(study, cells=tuple(replace(c, evaluation=(), chosen=None) for c in study.cells))


def test_the_leaderboard_is_built_once(study: Study) -> None:
    """It is a property, and the same object at each access."""
    assert study.leaderboard is study.leaderboard
    assert study.leaderboard.overall[0].label == "alpha"
    assert study.leaderboard.title == "synthetic"


def test_the_leaderboard_uses_the_frozen_targets(study: Study) -> None:
    """A target that a plugin registers is used without being asked for."""
    frozen = {board.label: board.target_frozen for board in study.leaderboard.workloads}
    assert any(frozen.values())


def test_the_runs_are_a_frame_with_the_columns_of_the_export(study: Study) -> None:
    """One row for each run, those of tuning included."""
    frame = study.frame("runs")
    assert sorted(frame["key"]) == sorted(run.key for run in study.runs)
    assert list(frame.columns[:4]) == ["key", "role", "optimizer", "configuration"]


def test_the_curves_are_a_frame_that_joins_with_the_runs(study: Study) -> None:
    """One row for each evaluation along a run."""
    frame = study.frame("curves")
    assert len(frame) == sum(run.curve.rows for run in study.runs)
    assert set(frame["key"]) == {run.key for run in study.runs}


def test_the_leaderboard_is_a_frame(study: Study) -> None:
    """The rows over all workloads, then those of each."""
    frame = study.frame("leaderboard")
    assert len(frame) == 3 * (1 + 6)
    assert frame["label"][0] == "alpha"


def test_an_unknown_frame_is_refused_with_the_nearest(study: Study) -> None:
    """One line, as every wrong name."""
    with pytest.raises(ConfigError, match="unknown table of a study 'run'; did you mean 'runs'"):
        study.frame(cast(Frame, "run"))


def test_the_best_values_of_an_optimizer(study: Study, unevaluated: Study) -> None:
    """By workload; where tuning is unfinished there are none; unknown labels are refused."""
    assert set(study.best("alpha")) == {cell.workload.label for cell in study.cells}
    assert all(values == {"lr": 0.01} for values in study.best("alpha").values())
    assert unevaluated.best("alpha") == {}
    with pytest.raises(ConfigError, match="did you mean 'alpha'"):
        study.best("alpa")


def test_optimizers_are_compared_by_label(study: Study) -> None:
    """As ``optbench compare A B`` does it."""
    (row,) = study.compare("beta", "alpha").rows
    difference = row.boards[0].difference
    assert difference is not None
    assert difference > 0


def test_a_diagnosis_covers_every_cell(study: Study) -> None:
    """One line for each optimizer on each workload, one verdict for each workload."""
    diagnosis = study.diagnose()
    assert len(diagnosis.summary) == len(study.cells)
    assert set(diagnosis.verdicts) == {cell.workload.label for cell in study.cells}
    counted = {finding.run for finding in diagnosis.findings}
    assert counted <= {run.key for run in study.runs}


def test_a_plot_shows_itself_and_is_saved(study: Study, tmp_path: Path) -> None:
    """One sheet goes to a file in the format of its name."""
    plot = study.plot("ranking")
    assert plot.names == ("ranking",)
    assert plot._repr_html_().startswith('<img alt="ranking" width="')
    assert plot.save(tmp_path / "x.svg") == [tmp_path / "x.svg"]
    assert (tmp_path / "x.svg").read_text().startswith("<?xml")
    assert len(plot.figures) == 1
    with pytest.raises(ConfigError, match="unknown plot format 'gif'"):
        plot.save(tmp_path / "x.gif")


def test_a_kind_of_plot_stands_for_all_regimes(study: Study, tmp_path: Path) -> None:
    """Several sheets go to a folder; one file is refused."""
    plot = study.plot("convergence")
    assert plot.names == ("convergence-batch", "convergence-mini-batch", "convergence-sgd")
    assert study.plot("convergence-sgd").names == ("convergence-sgd",)
    with pytest.raises(ConfigError, match="several sheets"):
        plot.save(tmp_path / "x.png")
    assert [path.name for path in plot.save(tmp_path / "plots")] == [
        f"{name}.png" for name in plot.names
    ]


def test_an_unknown_plot_is_refused_with_the_kinds(study: Study) -> None:
    """Without regimes, so that the list is short."""
    with pytest.raises(ConfigError, match="did you mean 'convergence'"):
        study.plot("convergance")


def test_a_report_is_written_to_a_folder(study: Study, tmp_path: Path) -> None:
    """Everything that the command line writes; without a folder one has to be named."""
    files = study.report(tmp_path / "out", formats=())
    names = {path.name for path in files}
    assert names >= {"leaderboard.json", "leaderboard.md", "report.html", "environment.json"}
    board = json.loads((tmp_path / "out" / "leaderboard.json").read_text())
    assert board["overall"][0]["label"] == "alpha"
    with pytest.raises(ConfigError, match="no folder"):
        study.report()


def test_nothing_is_reported_before_a_run_is_evaluated(unevaluated: Study, tmp_path: Path) -> None:
    """Report, leaderboard and plots say so."""
    with pytest.raises(ConfigError, match="no evaluation run has finished"):
        unevaluated.report(tmp_path)
    with pytest.raises(ConfigError, match="evaluation run"):
        _ = unevaluated.leaderboard


def test_a_study_is_readable_text(study: Study, unevaluated: Study) -> None:
    """Its size and its leaderboard, without escape sequences, whatever the terminal is."""
    text = repr(study)
    head, *table = text.splitlines()
    assert head == "Study 'synthetic': 3 optimizers, 6 workloads, 90 evaluation runs"
    assert any("alpha" in line for line in table)
    assert "\x1b" not in text
    assert repr(replace(unevaluated, complete=False)).endswith("0 evaluation runs, interrupted")
