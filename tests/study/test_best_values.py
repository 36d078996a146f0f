"""The tuned hyperparameters of a study, written for other programs."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

import optbench
from optbench.cli import main


def test_the_tuned_values_are_written_with_lines_of_code(tmp_path: Path) -> None:
    """As JSON, to a file or to stdout, and equal to what `Study.best` returns."""
    study = optbench.compare(
        ["sgd", "adam[schedule=cosine]"],
        datasets=["iris"],
        regimes=["batch"],
        hidden=(4,),
        epochs=2,
        seeds=1,
        budget=3,
        replicates=1,
        out=tmp_path,
    )
    file = tmp_path / "best.json"
    printed = CliRunner().invoke(main, ["export", str(tmp_path), "--best"])
    written = CliRunner().invoke(main, ["export", str(tmp_path), "--best", "--to", str(file)])
    assert (printed.exit_code, written.exit_code) == (0, 0)
    sgd, adam = rows = json.loads(printed.stdout)
    assert json.loads(file.read_text()) == rows
    assert sgd["hyper"] == study.best("sgd")[sgd["workload"]]
    assert sgd["code"]["torch"] == f"torch.optim.SGD(params, lr={sgd['hyper']['lr']!r})"
    assert set(sgd["code"]) == {"torch", "optax", "keras"}
    assert sgd["schedule"] == {}
    assert adam["schedule"] == {"schedule": "cosine"}


def test_best_is_a_format_of_its_own(tmp_path: Path) -> None:
    """It does not go with the options of tables."""
    ended = CliRunner().invoke(main, ["export", str(tmp_path), "--best", "--curves"])
    assert ended.exit_code == 2
    assert "--curves and --best are outputs of their own" in ended.stderr
