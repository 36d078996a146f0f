"""docs/suites.md: its suite can be planned, and its tables have every key."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from optbench.cli import main
from optbench.plan import build_plan
from optbench.records import StudyProtocol
from optbench.registry import default_registry
from optbench.suites import DatasetFamily, Draw, NetworkChoice, Suite, WorkloadChoice, load_suite

PAGE = (Path(__file__).parents[2] / "docs" / "suites.md").read_text(encoding="utf-8")
EXAMPLE, DRAWN = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^\$ optbench (.*)\n(.*)$", PAGE, re.MULTILINE)
TABLES = {
    Suite: "## Keys",
    NetworkChoice: "Each `[[networks]]`",
    WorkloadChoice: "each `[[workload]]` adds",
    StudyProtocol: "`[protocol]` is",
    Draw: "those of a smaller one",
    DatasetFamily: "Each `[[draw.datasets]]`",
}


@pytest.mark.parametrize(("command", "printed"), COMMANDS)
def test_the_suite_of_the_page_is_planned(
    command: str, printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command is accepted, and prints what the page says."""
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(EXAMPLE)
    result = CliRunner().invoke(main, shlex.split(command))
    assert result.exit_code == 0, result.output
    assert printed in result.output


def test_the_suite_of_the_page_uses_every_part(tmp_path: Path) -> None:
    """It has several networks, a table of epochs, and a protocol."""
    (tmp_path / "mine.toml").write_text(EXAMPLE)
    suite = load_suite(tmp_path / "mine.toml")
    assert len(suite.networks) == 2
    assert isinstance(suite.epochs, dict)
    assert suite.protocol != StudyProtocol()


def test_the_drawn_suite_of_the_page_can_be_planned(tmp_path: Path) -> None:
    """Every value that it draws is allowed."""
    (tmp_path / "mine.toml").write_text(DRAWN)
    suite = load_suite(tmp_path / "mine.toml")
    assert suite.is_drawn
    assert len(build_plan(suite, default_registry()).workloads) == 40


@pytest.mark.parametrize("table", TABLES)
def test_every_key_is_listed_with_its_default(table: type[msgspec.Struct]) -> None:
    """Keys and defaults on the page are those of the records."""
    section = PAGE.partition(TABLES[table])[2].partition("\n|---")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|", section, re.MULTILINE)
    defaults = {
        key: tomllib.loads(f"x = {text.strip(' `')}")["x"] for key, text in rows if text.strip()
    }
    fields = msgspec.structs.fields(table)
    assert {key for key, _ in rows} == {f.name for f in fields} - {"protocol"}
    assert defaults == {
        f.name: msgspec.json.decode(
            msgspec.json.encode(
                f.default_factory() if f.default is msgspec.NODEFAULT else f.default
            )
        )
        for f in fields
        if f.name not in ("protocol", "draw") and not f.required
    }
