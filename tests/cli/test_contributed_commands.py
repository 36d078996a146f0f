"""Commands that plugins add: listed in a section of their own, run like any other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optbench.cli import main
from optbench.registry import fresh_registry

PLUGIN = """
import click
import optbench

@click.command()
@click.argument("name")
def greet(name):
    '''Greet somebody. And say more.'''
    click.echo(f"hello {name}")
    if name == "nobody":
        raise optbench.ConfigError("nobody is there")
    return 3 if name == "three" else None

@click.command("run")
def run():
    '''Not the one that you know.'''

class Imitation:
    name, params, main = "imitation", [], None

@optbench.hookimpl
def optbench_register_commands():
    return [greet, run, Imitation()]
"""


@pytest.fixture(autouse=True)
def registry_of_its_own() -> Iterator[None]:
    """Each test has its own plugins."""
    with fresh_registry():
        yield


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    """A file with a good command, one that would replace `run`, and one that is not a command."""
    path = tmp_path / "greeting.py"
    path.write_text(PLUGIN)
    return str(path)


def optbench(*args: str) -> Result:
    """Run the command line."""
    return CliRunner().invoke(main, list(args))


def test_a_command_of_a_plugin_runs(plugin: str) -> None:
    """With its arguments; what it returns is the exit code, its errors are one line."""
    good = optbench("--plugin", plugin, "greet", "world")
    assert (good.exit_code, good.stdout) == (0, "hello world\n")
    assert optbench("--plugin", plugin, "greet", "three").exit_code == 3
    bad = optbench("--plugin", plugin, "greet", "nobody")
    assert bad.exit_code == 1
    assert bad.stderr.splitlines()[-1] == "error: nobody is there"


def test_help_lists_it_in_a_section_of_its_own(plugin: str) -> None:
    """Without a plugin that has commands there is no such section."""
    sections = optbench("--plugin", plugin, "--help").stdout
    assert sections.rstrip().endswith("Plugins:\n  greet       Greet somebody.")
    with fresh_registry():
        assert "\nPlugins:" not in optbench("--help").stdout


def test_a_typing_error_finds_it(plugin: str) -> None:
    """Its name is one of those that are suggested."""
    result = optbench("--plugin", plugin, "gret")
    assert result.exit_code == 2
    assert "no command 'gret'; did you mean 'greet'?" in result.stderr


def test_what_cannot_be_a_command_is_left_out_with_a_warning(plugin: str) -> None:
    """The built-in command stays what it is; each warning is one line, and comes once."""
    result = optbench("--plugin", plugin, "greet", "world")
    assert result.stderr.splitlines() == [
        f"warning: plugin {plugin}: its command 'imitation' is left out: it is not a click "
        "command, but an object of Imitation",
        f"warning: plugin {plugin}: its command 'run' is left out: optbench has a command of "
        "this name",
    ]
    assert "rank optimizers" in optbench("--plugin", plugin, "run", "--help").stdout


def test_a_name_clash_does_not_keep_help_from_working(plugin: str, tmp_path: Path) -> None:
    """Help is what one needs then; the command itself says which two plugins have it."""
    other = tmp_path / "other.py"
    other.write_text(PLUGIN)
    both = ("--plugin", plugin, "--plugin", str(other))
    result = optbench(*both, "--help")
    assert result.exit_code == 0
    assert "warning: two commands are named 'greet'" in result.stderr
    assert "greet" not in result.stdout
    refused = optbench(*both, "greet", "world")
    assert refused.exit_code == 1
    assert "error: two commands are named 'greet'" in refused.stderr
    assert str(other) in refused.stderr
    assert optbench(*both, "list", "optimizers").exit_code == 0


def test_an_installed_command_is_found_and_others_cost_nothing(tmp_path: Path) -> None:
    """Without plugins of other distributions, help loads no plugin."""
    show = (
        "import sys\nfrom optbench.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sorted(m for m in sys.modules if m.startswith('optbench_')))"
    )
    hide = (
        "import importlib.metadata as metadata\nfound = metadata.entry_points\n"
        "metadata.entry_points = lambda **how: [\n"
        "    p for p in found(**how) if p.dist.name in ('optbench', 'greeting')]\n"
    )

    def run_help() -> str:
        done = subprocess.run(
            [sys.executable, "-c", hide + show],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert run_help().rstrip().endswith("LOADED")
    (tmp_path / "greeting_mod.py").write_text(PLUGIN)
    info = tmp_path / "greeting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[optbench]\nit = greeting_mod\n")
    output = run_help()
    assert "Plugins:\n  greet       Greet somebody." in output
    assert "optbench_builtin" in output.partition("LOADED")[2]
