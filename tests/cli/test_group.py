"""Promises of the command line as a whole: it teaches, forgives, and never shows a traceback."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from optbench import ConfigError, __version__
from optbench.cli.group import COMMANDS, MODULES, main
from optbench.errors import StoreError
from optbench.registry.entries import PluginWarning

BARE = """
from optbench import Rule, hyper

class Bare(Rule):
    '''A bare class in a file.'''
    name = "{name}"
    lr: float = hyper(0.1, "learning rate", low=0)

    @staticmethod
    def update(theta, grad, t, h):
        return (theta - h.lr * grad,)
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


def invoke(monkeypatch: pytest.MonkeyPatch, function: Any) -> Result:
    """Run a command that does what `function` does, in place of a real one."""
    module = importlib.import_module("optbench.cli.commands.listing")
    monkeypatch.setattr(module, "command", click.command("list")(function))
    return run("list")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there_and_explains_itself(name: str) -> None:
    """Each listed command has help with an example that names it."""
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"optbench {name}" in result.output.partition("Usage:")[2].partition("\n")[2]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_explained(name: str) -> None:
    """No option is a riddle."""
    module = importlib.import_module(f"optbench.cli.commands.{MODULES.get(name, name)}")
    options = [p for p in module.command.params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []


def examples(name: str) -> list[list[str]]:
    """The example lines in a command's help, as words; comments after two spaces are left out."""
    help_text = run(name, "--help").output if name else run("--help").output
    lines = re.findall(r"^    +(optbench \S.*)$", help_text, re.MULTILINE)
    plain = [re.split(r"\s{2,}", line)[0].partition(" > ")[0] for line in lines]
    return [shlex.split(command) for line in plain for command in line.split(" && ")]


@pytest.mark.parametrize("name", ["", *sorted(COMMANDS)])
def test_examples_use_options_that_exist(name: str) -> None:
    """Nobody copies an example that is refused."""
    for words in examples(name):
        module = importlib.import_module(f"optbench.cli.commands.{MODULES.get(words[1], words[1])}")
        known = {flag for p in module.command.params for flag in (*p.opts, *p.secondary_opts)}
        used = {word.partition("=")[0] for word in words[2:] if word.startswith("-")}
        assert used <= known, words


@pytest.mark.parametrize("args", [(), ("--help",), ("-h",)])
def test_help_lists_every_command_with_its_summary(args: tuple[str, ...]) -> None:
    """Saying nothing is asking for help."""
    result = run(*args)
    assert result.exit_code == 0
    for name, summary in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(summary)}", result.output, re.MULTILINE)


def test_version() -> None:
    """--version is the package's."""
    assert run("--version").output == f"optbench {__version__}\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("lst",), "error: no command 'lst'; did you mean 'list'?"),
        (("qqqq",), "error: no command 'qqqq'; commands: run, "),
        (("list", "--jsn"), "--json"),
        (("show",), "Missing argument 'NAME'"),
        (("list", "optimisers"), "'optimisers' is not one of"),
        (("completion", "csh"), "'csh' is not one of"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(args: tuple[str, ...], message: str) -> None:
    """A typing error costs one look: the nearest name, and where help is."""
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "--help" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("problem", "code", "text"),
    [
        (ConfigError("lr=-1 is not allowed"), 1, "error: lr=-1 is not allowed\n"),
        (StoreError("two\nlines"), 1, "error: two lines\n"),
        (click.ClickException("of click"), 1, "error: of click\n"),
        (PermissionError(13, "Permission denied", "/out"), 1, "error: Permission denied: /out\n"),
        (ValueError("a slip"), 1, "error: ValueError: a slip (set OPTBENCH_TRACEBACK=1 to"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_errors_are_one_line_with_the_exit_code_of_their_kind(
    monkeypatch: pytest.MonkeyPatch, problem: BaseException, code: int, text: str
) -> None:
    """No traceback, whatever goes wrong."""
    monkeypatch.delenv("OPTBENCH_TRACEBACK", raising=False)

    def fail() -> None:
        raise problem

    result = invoke(monkeypatch, fail)
    assert result.exit_code == code
    assert text in result.stderr
    assert "Traceback" not in result.output


def test_the_traceback_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer gets it with OPTBENCH_TRACEBACK=1."""
    monkeypatch.setenv("OPTBENCH_TRACEBACK", "1")

    def fail() -> None:
        raise ValueError("a slip")

    assert isinstance(invoke(monkeypatch, fail).exception, ValueError)


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_what_a_command_returns_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, returned: int | None, code: int
) -> None:
    """A command ends the process by returning."""
    assert invoke(monkeypatch, lambda: returned).exit_code == code


def test_a_plugin_that_was_left_out_is_one_line_on_stderr(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is said once, without Python's file name and source line."""
    import warnings

    def warn() -> None:
        for _ in range(2):
            warnings.warn("plugin x does not load:\n it is broken", PluginWarning, stacklevel=1)

    result = invoke(monkeypatch, warn)
    assert result.stderr == "warning: plugin x does not load: it is broken\n"


def test_a_plugin_file_can_be_given_before_or_after_the_command(tmp_path: Path) -> None:
    """--plugin belongs to every command, wherever it stands."""
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(BARE.format(name="bare-before"))
    second.write_text(BARE.format(name="bare-after"))
    assert "bare-before" in optbench("--plugin", str(first), "list", "optimizers").stdout
    assert "bare-after" in optbench("show", "bare-after", "--plugin", str(second)).stdout


@pytest.mark.parametrize("target", ["missing.py", "no_such_module_anywhere"])
def test_a_plugin_that_does_not_import_is_one_line(target: str) -> None:
    """The user who names a plugin learns why it does not load."""
    result = optbench("list", "--plugin", target)
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: plugin {target}: ")
    assert result.stderr.count("\n") == 1


def test_two_optimizers_of_one_name_stop_only_each_other(tmp_path: Path) -> None:
    """Which of two is meant is never guessed; everything else goes on, with one warning."""
    path = tmp_path / "twins.py"
    path.write_text(BARE.format(name="twin") + BARE.format(name="twin").replace("Bare", "Other"))
    result = optbench("list", "optimizers", "--plugin", str(path))
    assert result.returncode == 0
    assert result.stderr.startswith("warning: two optimizers are named 'twin': one from ")
    assert result.stderr.count("twin'") == 1
    assert "adamw" in result.stdout
    assert "twin" not in result.stdout
    refused = optbench("show", "twin", "--plugin", str(path))
    assert refused.returncode == 1
    assert "error: two optimizers are named 'twin'" in refused.stderr
    assert optbench("list", "--plugin", str(path), "--strict").returncode == 1


def test_strict_makes_a_broken_installed_plugin_an_error(tmp_path: Path) -> None:
    """Without --strict it is a warning, and the command goes on."""
    (tmp_path / "broken_installed.py").write_text("1 / 0")
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[optbench]\nit = broken_installed\n")
    lenient = optbench("list", "datasets", path=tmp_path)
    assert lenient.returncode == 0
    assert lenient.stderr.startswith("warning: plugin broken:it does not load: ZeroDivisionError")
    strict = optbench("list", "datasets", "--strict", path=tmp_path)
    assert strict.returncode == 1
    assert strict.stderr.startswith("error: plugin broken:it does not load: ZeroDivisionError")
    assert strict.stderr.count("\n") == 1
    listed = optbench("plugins", path=tmp_path)
    assert listed.returncode == 0
    assert "ZeroDivisionError: division by zero" in listed.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_for_every_shell(shell: str) -> None:
    """The script asks optbench itself."""
    assert "_OPTBENCH_COMPLETE" in run("completion", shell).output


@pytest.mark.parametrize(
    ("words", "word", "expected"),
    [("optbench sh", 1, "show"), ("optbench show breast", 2, "breast-cancer")],
)
def test_commands_and_plugin_names_are_completed(words: str, word: int, expected: str) -> None:
    """Completion knows what is registered."""
    found = optbench(
        _OPTBENCH_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(word)
    ).stdout
    assert expected in [line.partition(",")[2] for line in found.splitlines()]


def optbench(
    *args: str, path: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The installed command in a process of its own, so that no plugin stays behind."""
    env = {**os.environ, **environment, "PYTHONDONTWRITEBYTECODE": "1"}
    if path is not None:
        env["PYTHONPATH"] = str(path)
    command = [sys.executable, "-c", "from optbench.cli import main; main(prog_name='optbench')"]
    return subprocess.run([*command, *args], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_error(closed: str) -> None:
    """As some schedulers start their jobs."""
    command = f'"{sys.executable}" -m optbench show adam {closed}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("adam" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))
