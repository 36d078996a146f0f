"""Promises of the harness as a whole: it names no plugin, and it starts fast."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import optbench
from optbench.network import ACTIVATIONS, LOSSES
from optbench.records import REGIMES
from optbench.registry import default_registry
from optbench.registry.kinds import KINDS

PACKAGE = Path(optbench.__file__).parent

OWN_WORDS = {*REGIMES, *ACTIVATIONS, *LOSSES, "constant", "step"}
"""Words of the harness that are names of plugins too: the regime ``sgd``, a step, ..."""

EXEMPT = {
    ("records/spec.py", "he-normal"): "default value of the public face",
    ("suites/suite.py", "he-normal"): "default value of a suite's file",
    ("suites/draws.py", "he-normal"): "default value of a suite's file",
    ("suites/workload_choice.py", "he-normal"): "default value of a suite's file",
    ("cli/run_options.py", "moons"): "an example in the help of an option",
    ("engine/training.py", "he-normal"): "default value of the public face",
    ("engine/training.py", "digits"): "default value of the public face",
    ("engine/specs.py", "he-normal"): "the same default, of the run as it is written down",
    ("engine/specs.py", "digits"): "the same default, of the run as it is written down",
    ("cli/run_options.py", "adam"): "an example in the help of an option",
    ("cli/run_options.py", "cosine"): "an example in the help of an option",
    ("study/replaying.py", "digits"): "the ordinary word, of a number",
    ("cli/templates.py", "momentum"): "the ordinary word, in the text of a template",
    ("registry/signatures.py", "momentum"): "the hyperparameter of this name",
    ("conformance/likeness_settings.py", "momentum"): "the hyperparameter of this name",
    ("cli/commands/check.py", "adam"): "an example in the help of an option",
    ("inspection/portraits/portrait.py", "saddle"): "the ordinary word, of a property",
}
"""File and name that it contains on purpose -> the reason."""


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and value of the string literals of a file, docstrings excepted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


def named_in(path: Path, names: set[str]) -> dict[str, int]:
    """Return the names that the literals of a file contain as a word, each with its line."""
    lines = {}
    for line, text in literals(path):
        for word in re.findall(r"[\w-]+", text):
            if word in names:
                lines[word] = line
    return lines


def registered_names() -> set[str]:
    """Return the registered names, except those of suites, which are ordinary words."""
    kinds = set(KINDS) - {"suites"}
    names = {name for kind in kinds for name in default_registry().entries(kind)}
    return names - OWN_WORDS


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_the_harness_names_no_plugin(path: Path) -> None:
    """All plugins are treated alike: the harness knows none by name."""
    relative = path.relative_to(PACKAGE).as_posix()
    lines = {
        name: line
        for name, line in named_in(path, registered_names()).items()
        if (relative, name) not in EXEMPT
    }
    assert not lines, f"optbench/{relative} names {lines}"


@pytest.mark.parametrize(("relative", "name"), sorted(EXEMPT))
def test_no_exemption_outlives_its_use(relative: str, name: str) -> None:
    """The list of exemptions holds only what is needed."""
    assert name in named_in(PACKAGE / relative, {name})


def test_the_scan_finds_planted_names(tmp_path: Path) -> None:
    """A planted name is found in code as a whole word, and not in a docstring."""
    planted = tmp_path / "planted.py"
    planted.write_text('"""adam in prose"""\nx = f"use {1} adam now"\ny = "adamant madam adam-x"\n')
    assert named_in(planted, {"adam"}) == {"adam": 2}


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(*{{m.partition('.')[0] for m in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


HEAVY = {"numba", "scipy", "sklearn", "matplotlib", "plotly", "pandas", "rich", "sqlite3", "torch"}


@pytest.mark.parametrize(
    "statement",
    [
        "import optbench",
        "import optbench; optbench.Network, optbench.RunSpec, optbench.trajectory",
        "import optbench.cli",
        "from optbench.registry import default_registry; default_registry()",
    ],
)
def test_heavy_libraries_are_imported_only_when_needed(statement: str) -> None:
    """Importing optbench, asking for help and listing plugins do not import them."""
    assert not loaded_after(statement) & HEAVY


def test_help_imports_no_command() -> None:
    """``optbench --help`` imports only the group."""
    code = (
        "import sys\nfrom optbench.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.partition("MODULES")[2].split())
    assert "optbench.cli" in loaded
    commands = {m for m in loaded if m.startswith("optbench.cli.commands.")}
    assert not commands
    assert not loaded & HEAVY


def test_every_public_name_can_be_imported() -> None:
    """Every public name can be imported, and another name is an error that names it."""
    for name in optbench.__all__:
        assert getattr(optbench, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        getattr(optbench, "nothing_of_the_kind")  # noqa: B009 - mypy knows that there is none
