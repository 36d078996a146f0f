"""docs/lecture.md: every command runs, prints what the page says, and draws the plots it shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from click.testing import CliRunner

from optbench.cli import main

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "lecture.md").read_text(encoding="utf-8")

_spec = importlib.util.spec_from_file_location("lecture_page", DOCS / "lecture.py")
assert _spec is not None
assert _spec.loader is not None
lecture = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lecture)

COMMANDS: list[tuple[list[str], str]] = lecture.commands(PAGE)
PICTURES: list[str] = lecture.pictures(PAGE)
FAST = {
    "sweep": ["--seeds", "1", "--epochs", "1"],
    "trajectory": ["--steps", "5"],
    "inspect": [],
    "response": [],
}
"""Options that shorten a command; of an option given twice, the last one counts."""


def folder_of(arguments: list[str]) -> str:
    """Return the output folder of a command of the page."""
    return arguments[arguments.index("--out") + 1]


def test_the_page_shows_a_command_for_every_picture() -> None:
    """Each picture is in the output folder of one command; no two commands share a folder."""
    folders = [folder_of(arguments) for arguments, _ in COMMANDS]
    assert len(COMMANDS) > 15
    assert len(set(folders)) == len(folders)
    assert {f"lecture/{Path(picture).parent}" for picture in PICTURES} <= set(folders)


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_is_there_and_small(picture: str) -> None:
    """The pictures of the page are in the repository, and are small."""
    assert 5_000 < (DOCS / "images" / picture).stat().st_size < 150_000


@pytest.mark.parametrize(
    ("arguments", "printed"), COMMANDS, ids=[folder_of(arguments) for arguments, _ in COMMANDS]
)
def test_every_command_runs_and_draws_its_picture(
    arguments: list[str], printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command runs unchanged where the page quotes its output, otherwise in a shorter form."""
    monkeypatch.chdir(tmp_path)
    short = [] if printed else FAST[arguments[0]]
    outcome = CliRunner().invoke(main, [*arguments, *short])
    assert outcome.exit_code == 0, outcome.stderr
    assert printed in outcome.stdout
    folder = folder_of(arguments)
    for picture in PICTURES:
        if f"lecture/{Path(picture).parent}" == folder:
            assert (tmp_path / "lecture" / picture).read_bytes().startswith(b"\x89PNG")
