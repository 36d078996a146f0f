"""A study in which every text is an attack: no attack succeeds, wherever the text is shown."""

from __future__ import annotations

import contextlib
import csv
import html.parser
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from optbench.cli import main
from optbench.records.packing import unpack_spec
from tests.store.sealing import seal

BEGINNINGS = ("=cmd()|", "@x ", "../../", "/etc/", "[red]", "<script>alert(1)</script>")
ATTACK = (
    "<img src=x onerror=alert(1)></script><!--\x1b[31m\x1b]0;owned\x07[bold]a[/bold]|`${x}`"
    "{{7*7}}\n# head\r\u202e\x00\u2028\"'&amp;"
)
TINY = ("smoke", "-r", "batch", "--epochs", "2", "--grid", "4", "--seeds", "2", "--budget", "2")


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with `change` applied to every text in it, keys excepted."""
    if isinstance(value, dict):
        return {key: map_texts(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [map_texts(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def attack(text: str) -> str:
    """Return an attack that contains this name; keys, nothing and words with a meaning stay."""
    fixed = {
        "batch",
        "lr",
        "val_loss",
        "best_val_loss",
        "float32",
        "low",
        "high",
        "constant",
        "relu",
        "rule",
        "stepper",
    }
    if not text or text in fixed or re.fullmatch("[0-9a-f]{20}", text):
        return text
    return f"{BEGINNINGS[sum(text.encode()) % len(BEGINNINGS)]}{text}{ATTACK}"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a study without attacks."""
    out = tmp_path_factory.mktemp("sound") / "study"
    result = run("run", *TINY, "--formats", "none", "--out", out)
    assert result.exit_code == 0, result.stderr
    return out


@pytest.fixture(scope="module")
def hostile(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the sound study; names, reasons, command and environment are attacks, one run failed."""
    out = tmp_path_factory.mktemp("hostile") / "study"
    shutil.copytree(sound, out)
    with contextlib.closing(sqlite3.connect(out / "runs.sqlite")) as db, db:
        keys: dict[str, str] = {}
        for key, spec in db.execute("SELECT key, spec FROM runs").fetchall():
            altered = json.dumps(map_texts(json.loads(spec), attack)).encode()
            keys[key] = unpack_spec(altered).key
            db.execute("UPDATE runs SET spec = ?, key = ? WHERE key = ?", (altered, keys[key], key))
        db.execute("UPDATE runs SET reason = ?", (ATTACK,))
        db.execute("UPDATE runs SET status = 'failed' WHERE rowid = (SELECT max(rowid) FROM runs)")
        ((record,),) = db.execute("SELECT record FROM studies").fetchall()
        study = map_texts(json.loads(record), attack) | {"left_out": [ATTACK]}
        study = map_texts(study, lambda text: keys.get(text, text))
        db.execute("UPDATE studies SET record = ?", (json.dumps(study).encode(),))
        environment = json.dumps({ATTACK: ATTACK, "packages": {ATTACK: [ATTACK]}})
        db.execute("UPDATE sessions SET command = ?, environment = ?", (ATTACK, environment))
        seal(db)
    return out


@pytest.fixture(scope="module")
def reported(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Report the hostile study into an empty folder; also the result of the command."""
    parent = tmp_path_factory.mktemp("parent")
    result = run("report", hostile, "--to", parent / "out", "--formats", "svg")
    assert result.exit_code == 0, result.stderr
    assert [path.name for path in parent.iterdir()] == ["out"]
    return parent / "out", result


def test_no_name_of_the_study_is_a_file_name(reported: tuple[Path, Result]) -> None:
    """Names of files are fixed, so that no file is written outside of the folder."""
    for path in reported[0].rglob("*"):
        assert re.fullmatch(r"\.?[a-z][a-z0-9.-]*", path.name), path


class Elements(html.parser.HTMLParser):
    """Counts elements and attributes, and collects the text of scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.counts: Counter[str] = Counter()
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] += 1
        self.counts.update(f"{tag}.{name}" for name, _ in attrs)

    def handle_comment(self, data: str) -> None:
        self.counts["comment"] += 1

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts.append(data)


def elements(page: Path) -> Elements:
    """Parse a page."""
    reader = Elements()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def test_the_page_has_the_elements_of_a_sound_one(
    sound: Path, reported: tuple[Path, Result]
) -> None:
    """It has no further element, attribute or comment, and its data are JSON."""
    good, bad = elements(sound / "report.html"), elements(reported[0] / "report.html")
    marked = {"strong", "strong.class"}  # the failed run, which the sound study does not have
    assert set(bad.counts) - marked <= set(good.counts)
    assert bad.counts["script"] == good.counts["script"]
    assert "comment" not in bad.counts
    data = json.loads(bad.scripts[0])
    assert any("<img src=x" in label for label in data["labels"])


def test_no_name_adds_rows_or_html_to_the_markdown(reported: tuple[Path, Result]) -> None:
    """Tables keep their shape, and no name contains a tag."""
    text = (reported[0] / "leaderboard.md").read_text(encoding="utf-8")
    code = re.compile(r"^    .*$", re.MULTILINE)  # the command, in a block that nothing can end
    assert not re.search(r"(?<!\\)<(img|script|!--)", code.sub("", text))
    assert not re.search(r"^# head", text, re.MULTILINE)
    assert not set(text) & set("\x1b\x07\x00\u202e\u2028\r")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = table.splitlines()
        assert len({row.count("|") for row in rows}) == 1, rows[0]


def test_no_cell_of_a_table_is_a_formula(hostile: Path, reported: tuple[Path, Result]) -> None:
    """In the leaderboard and in an export, every cell is printable text that no sheet evaluates."""
    run("export", hostile, "--to", reported[0] / "runs.csv")
    for name in ("leaderboard.csv", "runs.csv"):
        with (reported[0] / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert len({len(row) for row in rows}) == 1
        cells = [cell for row in rows for cell in row]
        assert any("cmd()" in cell or "../.." in cell for cell in cells)
        for cell in cells:
            assert cell.isprintable()
            assert not cell.lstrip().startswith(("=", "+", "@")) or _is_number(cell)
            assert not cell.startswith("-") or _is_number(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_pictures_are_sound_xml_without_scripts(reported: tuple[Path, Result]) -> None:
    """Text is drawn as shapes, and never becomes markup."""
    pictures = list((reported[0] / "plots").glob("*.svg"))
    assert pictures
    for path in pictures:
        tags = {element.tag.rpartition("}")[2] for element in ET.parse(path).iter()}
        assert not tags & {"script", "img", "foreignObject", "a", "iframe"}
        names = {name for element in ET.parse(path).iter() for name in element.attrib}
        assert not any(name.lower().startswith("on") for name in names)


@pytest.mark.parametrize(
    "command",
    [
        ("report", "{}", "--to", "{out}", "--formats", "none"),
        ("report", "{}", "--to", "{out}", "--formats", "none", "--json"),
        ("export", "{}"),
        ("export", "{}", "--curves"),
        ("inspect", "--in", "{}", "--out", "{out}"),
        ("compare", "{}", "{}"),
        ("targets", "{}"),
        ("merge", "{}", "--out", "{out}", "--formats", "none"),
        ("replay", "", "--in", "{}"),
        ("run", *TINY, "--formats", "none", "--dry-run", "--out", "{}"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_no_escape_sequence_reaches_the_terminal(
    hostile: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """No text moves the cursor, sets a title, changes the direction, or begins another line."""
    folder = tmp_path / "study"
    shutil.copytree(hostile, folder)
    with contextlib.closing(sqlite3.connect(folder / "runs.sqlite")) as db:
        (key,) = db.execute("SELECT key FROM runs").fetchone()
    words = [w.format(folder, out=tmp_path / "out") if "{" in w else w or key for w in command]
    result = run(*words)
    assert result.exit_code in (0, 1, 3), result.stderr
    for text in (result.stdout, result.stderr):
        assert all(line.isprintable() for line in text.split("\n")), repr(text)
        assert not re.search(r"^# head", text, re.MULTILINE)
    assert {path.name for path in tmp_path.iterdir()} <= {"study", "out"}


PLUGIN = """
from optbench import Stepper, hyper

class Loud(Stepper):
    \"\"\"{attack}\"\"\"
    name = "loud"
    source = {attack!r}
    variant = {attack!r}
    lr: float = hyper(0.1, {attack!r}, low=0, log_range=(1e-3, 1))

    def init(self, params, context):
        return None

    def step(self, params, grads, state, context):
        raise ValueError({attack!r})
"""
SPOKEN_ATTACK = "\\x1b[31m\\x1b]0;owned\\x07[bold]a[/bold][link=file:///etc]b[/link]\\u202e{x}"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a pseudo-terminal (POSIX) is missing")
@pytest.mark.parametrize(
    "command",
    [
        ("list", "optimizers"),
        ("show", "loud"),
        ("plugins",),
        ("check", "loud", "--quiet"),
        ("run", *TINY, "-o", "loud", "-o", "sgd", "--formats", "none", "--out", "out"),
    ],
    ids=lambda command: command[0],
)
def test_words_of_a_plugin_are_words_in_a_terminal(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """In a terminal with colours and progress, brackets are shown and escape sequences removed."""
    plugin = tmp_path / "loud.py"
    plugin.write_text(PLUGIN.format(attack=SPOKEN_ATTACK))
    screen = in_terminal([*command, "--plugin", str(plugin)], tmp_path)
    assert "\x1b]0;" not in screen
    assert "\x07" not in screen
    assert "\u202e" not in screen
    assert "\x1b[31m\x1b]" not in screen
    assert "Traceback" not in screen
    if command[0] != "plugins":
        assert "[bold]a[/bold][link=file:///etc]b[/link]" in screen


def in_terminal(words: list[str], folder: Path) -> str:
    """Return what a command writes to a terminal of 300 columns, stderr included."""
    leader, follower = os.openpty()
    code = "from optbench.cli import main; main()"
    env = {**os.environ, "COLUMNS": "300", "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, cwd=folder, env=env,
    ) as process:  # fmt: skip
        os.close(follower)
        output = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while part := os.read(leader, 65536):
                output += part
        os.close(leader)
        assert process.wait() in (0, 1, 3)
    return output.decode()
