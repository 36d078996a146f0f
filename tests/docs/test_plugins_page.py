"""The page about plugins is true: its blocks run, in order, as a reader would run them."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from optbench.conformance import run_checks
from optbench.registry import Registry
from tests.support.mirror import serving, sha256

EXAMPLES = ("Mine", "Averaged", "ByLayer", "Narrow", "Signs", "Plateau", "Noisy")
PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


def blocks(language: str) -> list[str]:
    """Code blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """All Python of the page, run from top to bottom in one module."""
    module = ModuleType("plugins_page")
    sys.modules[module.__name__] = module
    text = "".join(blocks("python"))
    path = PAGE.with_suffix(".py")  # a name for tracebacks; no such file exists
    exec(compile(text, str(path), "exec"), vars(module))
    return module


def test_python_blocks_run(page: ModuleType) -> None:
    """Assertions on the page hold, and every class it shows is there."""
    assert set(EXAMPLES) <= set(vars(page))


def test_hooks_of_the_page_register_what_they_return(page: ModuleType) -> None:
    """The hook functions shown make a plugin."""
    registry = Registry()
    registry.register(page)
    assert list(registry.entries("optimizers")) == ["averaged", "by-layer"]
    assert list(registry.entries("initializers")) == ["narrow"]
    assert list(registry.entries("datasets")) == ["signs"]
    assert list(registry.entries("schedules")) == ["plateau"]
    assert registry.optimizer("times:2").hypers()["lr"].default == 0.2


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_plugin_on_the_page_keeps_its_promises(page: ModuleType, name: str) -> None:
    """Nobody copies a broken example."""
    bad = [outcome for outcome in run_checks(getattr(page, name)) if not outcome.ok]
    assert bad == []


def test_toml_blocks_are_toml() -> None:
    """The entry point shown names the group."""
    (text,) = blocks("toml")
    assert list(tomllib.loads(text)["project"]["entry-points"]) == ["optbench"]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command of the page with the lines that it shows as output."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *output = part.splitlines()
            yield command, output


def test_console_blocks_do_what_they_show(tmp_path: Path) -> None:
    """From `optbench new` to the leaderboard, in an empty folder."""
    shown = list(commands())
    assert [command.split()[1] for command, _ in shown][:4] == ["new", "install", "check", "run"]
    site = tmp_path / ".site"
    for command, output in shown:
        done = in_shell(command, tmp_path, site)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        for line in output:
            assert line in done.stdout, f"{command}\n{done.stdout}"
    board = (tmp_path / "optbench-results" / "leaderboard.md").read_text()
    assert "mine" in board
    assert "adam" in board


def in_shell(command: str, folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the page; what it installs goes to `site` and not into this environment."""
    words: list[Any] = shlex.split(command)
    if words[0] == "pip":
        assert words[1:3] == ["install", "-e"]
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", site]
        words = [sys.executable, "-m", "pip", "install", *options, words[3]]
    else:
        assert words[0] == "optbench"
        start = "from optbench.cli import main; main(prog_name='optbench')"
        words = [sys.executable, "-c", start, *words[1:]]
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_downloaded_dataset_of_the_page_loads(
    page: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a real hash and a mirror that has the file; the page has stand-ins for both."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    points = io.BytesIO()
    np.save(points, np.random.default_rng(0).normal(size=(60, 4)))
    monkeypatch.setattr(page.Measured, "files", {"points.npy": sha256(points.getvalue())})
    with serving() as mirror:
        mirror.files["/points.npy"] = points.getvalue()
        monkeypatch.setattr(page.Measured, "mirrors", (mirror.url,))
        assert [outcome for outcome in run_checks(page.Measured) if not outcome.ok] == []
    assert mirror.asked == ["/points.npy"]
