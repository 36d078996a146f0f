"""docs/plugins.md: its blocks run in order, as a reader would run them."""

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
from click.testing import CliRunner

from optbench.cli import main
from optbench.conformance import run_checks
from optbench.records import StudyProtocol
from optbench.registry import Registry, default_registry, fresh_registry
from optbench.report.sections import make_section
from optbench.study.study import Study
from tests.analysis.synthetic import make_cells
from tests.support.mirror import serving, sha256

EXAMPLES = ("Mine", "Averaged", "ByLayer", "Narrow", "Signs", "Rings", "Plateau", "Noisy")
PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All Python of the page, run from top to bottom in one module, with files beside it."""
    folder = tmp_path_factory.mktemp("page")
    for name in ("suites/tiny.toml", "targets/mine.toml"):
        (folder / name).parent.mkdir()
        (folder / name).touch()
    module = ModuleType("plugins_page")
    module.__file__ = str(folder / "plugins_page.py")
    sys.modules[module.__name__] = module
    text = "".join(blocks("python"))
    path = PAGE.with_suffix(".py")  # a name for tracebacks; no such file exists
    exec(compile(text, str(path), "exec"), vars(module))
    return module


def test_python_blocks_run(page: ModuleType) -> None:
    """The assertions on the page hold, and define every class that the page shows."""
    assert set(EXAMPLES) <= set(vars(page))


def test_hooks_of_the_page_register_what_they_return(page: ModuleType) -> None:
    """The hook functions of the page form a plugin."""
    registry = Registry()
    registry.register(page)
    assert list(registry.entries("optimizers")) == ["averaged", "by-layer"]
    assert list(registry.entries("initializers")) == ["narrow"]
    assert list(registry.entries("datasets")) == ["signs"]
    assert list(registry.entries("schedules")) == ["plateau"]
    assert list(registry.entries("landscapes")) == ["bowl"]
    assert list(registry.entries("suites")) == ["tiny"]
    assert list(registry.entries("targets")) == ["mine"]
    assert list(registry.listed("optimizers")) == ["averaged", "by-layer", "times:2"]
    assert list(registry.entries("reports")) == ["training-time"]
    assert list(registry.entries("commands")) == ["slowest"]
    assert registry.optimizer("times:2").hypers()["lr"].default == 0.2
    adapted, values = registry.adapt_optimizer(page.half_of, {"lr": 0.5})
    assert (adapted.name, values) == ("halving", {"lr": 0.5})


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_plugin_on_the_page_keeps_its_promises(page: ModuleType, name: str) -> None:
    """Every example passes the checks."""
    bad = [outcome for outcome in run_checks(getattr(page, name)) if not outcome.ok]
    assert bad == []


def test_the_section_of_the_page_has_a_table_and_a_figure(page: ModuleType) -> None:
    """From a study of three optimizers."""
    cells = make_cells(datasets=("moons",), regimes=("sgd",))
    section = make_section(page.TrainingTime(), Study("page", StudyProtocol(), tuple(cells)), ())
    assert section is not None
    assert [row[0] for row in section.rows] == ["alpha", "beta", "gamma"]
    assert section.pictures["png"]


def test_the_command_of_the_page_runs(page: ModuleType, tmp_path: Path) -> None:
    """On the folder of a study, as a command of optbench."""
    out = tmp_path / "study"
    options = ("-o", "sgd[lr=0.1]", "-d", "iris", "-r", "batch", "--seeds", "1", "--epochs", "1")
    assert CliRunner().invoke(main, ["run", *options, "--out", str(out)]).exit_code == 0
    with fresh_registry():
        default_registry().register(page)
        assert "slowest" in CliRunner().invoke(main, ["--help"]).stdout
        result = CliRunner().invoke(main, ["slowest", str(out)])
    assert re.fullmatch(r"sgd\[lr=0\.1\]: \d+\.\d\d s\n", result.stdout), result.output


def test_toml_blocks_are_toml() -> None:
    """The entry point on the page names the group."""
    (text,) = blocks("toml")
    assert list(tomllib.loads(text)["project"]["entry-points"]) == ["optbench"]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each command of the page with the lines of output that the page shows."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *output = part.splitlines()
            yield command, output


def test_console_blocks_do_what_they_show(tmp_path: Path) -> None:
    """From `optbench new` to the leaderboard, in an empty folder."""
    examples = list(commands())
    assert [command.split()[1] for command, _ in examples][:4] == ["new", "install", "check", "run"]
    site = tmp_path / ".site"
    for command, output in examples:
        result = in_shell(command, tmp_path, site)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        for line in output:
            assert line in result.stdout, f"{command}\n{result.stdout}"
    board = (tmp_path / "optbench-results" / "leaderboard.md").read_text()
    assert "mine" in board
    assert "adam" in board


def in_shell(command: str, folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the page; it installs into `site` instead of this environment."""
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
    """The dataset loads once the hash and the mirror, which are made up on the page, are real."""
    monkeypatch.setenv("OPTBENCH_CACHE", str(tmp_path))
    points = io.BytesIO()
    np.save(points, np.random.default_rng(0).normal(size=(60, 4)))
    monkeypatch.setattr(page.Measured, "files", {"points.npy": sha256(points.getvalue())})
    with serving() as mirror:
        mirror.files["/points.npy"] = points.getvalue()
        monkeypatch.setattr(page.Measured, "mirrors", (mirror.url,))
        assert [outcome for outcome in run_checks(page.Measured) if not outcome.ok] == []
    assert mirror.asked == ["/points.npy"]
