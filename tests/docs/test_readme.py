"""README.md: its plugin passes the checks, its Python runs, its options exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from optbench.cli import main
from optbench.registry import fresh_registry

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
PYTHON = [text for language, text in BLOCKS if language == "python"]
COMMANDS = [
    line.partition("#")[0].strip()
    for language, text in BLOCKS
    if language == "console"
    for line in text.splitlines()
    if line.startswith("optbench ")
]


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """Each test loads the plugins in a registry of its own."""
    with fresh_registry():
        yield


def test_the_plugin_of_the_readme_passes_every_check(tmp_path: Path) -> None:
    """mine.py passes every check, and trains in the compiled loop."""
    mine = tmp_path / "mine.py"
    mine.write_text(PYTHON[0])
    result = CliRunner().invoke(main, ["check", str(mine)])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(main, ["show", "--plugin", str(mine), "signed-momentum"])
    assert "compiled" in result.output


def test_the_python_of_the_readme_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The section on Python prints a leaderboard, and a status with two losses."""
    monkeypatch.chdir(tmp_path)
    exec("".join(PYTHON[1:]), {})
    printed = capsys.readouterr().out
    assert printed.startswith("Study 'quick': 2 optimizers, 1 workload")
    assert "\nok 0." in printed
    assert (tmp_path / "report" / "report.html").is_file()
    assert list((tmp_path / "plots").iterdir())


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("optbench run")])
def test_the_commands_of_the_readme_are_accepted(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every `optbench run` of the README can be planned."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PYTHON[0])
    rows = "".join(f"{n % 7},{n * 1.5}\n" for n in range(40))
    (tmp_path / "houses.csv").write_text(f"rooms,price\n{rows}", encoding="utf-8")
    (tmp_path / "mine.toml").write_text('datasets = ["iris"]\nregimes = ["sgd"]\n')
    arguments = [*shlex.split(command)[1:], "--dry-run"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


def test_the_first_two_commands_come_first() -> None:
    """The README opens with the command that compares and the command that tests."""
    assert BLOCKS[0] == (
        "console",
        "pip install . && optbench run\npip install '.[test]' && pytest\n",
    )
