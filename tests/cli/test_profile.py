"""`optbench profile` prints and draws the portrait of an optimizer beside two others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from optbench.cli.group import main
from optbench.inspection.portraits import portrait
from optbench.registry import default_registry

MINE = """
from optbench import Rule, hyper

class Mine(Rule):
    name = "mine-profiled"
    lr: float = hyper(0.01, "learning rate", low=0, log_range=(1e-4, 1e-1))

    @staticmethod
    def update(theta, grad, t, h):
        return (theta - h.lr * grad,)
"""


@pytest.fixture(autouse=True)
def few_properties(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    names = ("scale of the loss", "rotation", "memory")
    chosen = [each for each in portrait.PROPERTIES if each.name in names]
    monkeypatch.setattr(portrait.draw_portrait, "__defaults__", (chosen,))
    monkeypatch.chdir(tmp_path)
    yield
    registry = default_registry()
    for plugin in [each for each in registry.plugins if each.name == "mine.py"]:
        registry.unregister(plugin)


def test_a_file_beside_the_first_and_the_last_of_the_default_suite() -> None:
    """A row for each property, a column for each optimizer, and a picture."""
    Path("mine.py").write_text(MINE, encoding="utf-8")
    result = CliRunner().invoke(main, ["profile", "mine.py"])
    assert result.exit_code == 0, result.stderr
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["property", "mine-profiled", "sgd", "adam", "criterion"]
    rotation = next(row for row in rows if row.startswith("rotation"))
    assert rotation.split()[1::2][:3] == ["yes", "yes", "no"]
    assert "Maes et al. 2024" in result.stdout
    assert Path("optbench-lab/profile-mine-profiled.png").stat().st_size > 3000


def test_json_has_values_and_criteria() -> None:
    """For scripts; the optimizers that are chosen, each once."""
    result = CliRunner().invoke(main, ["profile", "sgd", "--beside", "sgd", "--json"])
    (only,) = json.loads(result.stdout)
    assert only["optimizer"] == "sgd"
    memory = only["properties"][-1]
    assert (memory["name"], memory["value"], memory["passed"]) == ("memory", 0.0, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["adamm"], "did you mean 'adam'"),
        (["sgd[lr=-1]"], "lr=-1"),
        (["adam", "--beside", "sdg"], "did you mean 'sgd'"),
        (["nothing.py"], "nothing.py"),
    ],
)
def test_bad_names_are_refused_before_anything_is_measured(
    arguments: list[str], message: str
) -> None:
    """In one line."""
    result = CliRunner().invoke(main, ["profile", *arguments])
    assert result.exit_code == 1
    assert message in result.stderr
    assert "measuring" not in result.stderr
