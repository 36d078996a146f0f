"""Promises about the source tree: which room holds what, and which way imports go.

Each guard is a function that returns the offenders of a folder, so that a planted one proves that
the guard can fail.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.packages import need

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "optbench"
MAX_TOP_MODULES = 8


# Imports by name -----------------------------------------------------------------------------

IMPORTERS = {
    "importlib.import_module",
    "importlib.__import__",
    "importlib.util.find_spec",
    "pkgutil.resolve_name",
    "runpy.run_module",
    "lazy_loader.load",
    "lazy_loader.attach",
    "lazy_loader.attach_stub",
    "__import__",
    "builtins.__import__",
}
"""Functions that import a module whose name is a value: import-linter does not see them."""

BY_NAME = {
    "__init__.py": "the public face imports each name at its first use, from the list in its stub",
    "cli/group.py": "imports the module of the command that was called",
    "registry/loading.py": "imports the module that the user names with --plugin",
}
"""Files that may import by name, each with the reason."""


def qualified_names(tree: ast.AST) -> dict[str, str]:
    """Local name -> dotted name, for every import of the file."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                names[local] = alias.name if alias.asname else local
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def is_foreign(call: ast.Call) -> bool:
    """Whether the imported module is a literal, and the module of another distribution."""
    module = call.args[0] if call.args else None
    return (
        isinstance(module, ast.Constant)
        and isinstance(module.value, str)
        and not module.value.startswith((".", "optbench"))
    )


def imports_by_name(path: Path) -> list[int]:
    """Lines that use one of ``IMPORTERS``, other than to import another distribution."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = qualified_names(tree)
    foreign = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call) and is_foreign(n)}
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute) or id(node) in foreign:
            continue
        local, dot, rest = ast.unparse(node).partition(".")
        if names.get(local, local) + dot + rest in IMPORTERS:
            lines.append(node.lineno)
    return lines


def modules(package: Path) -> list[Path]:
    """Every module of a package, relative to it."""
    return sorted(path.relative_to(package) for path in package.rglob("*.py"))


def test_no_module_of_ours_is_imported_by_name() -> None:
    """A circle of imports cannot hide behind a string: the linter sees every import."""
    offenders = {
        path.as_posix(): lines
        for path in modules(PACKAGE)
        if path.as_posix() not in BY_NAME and (lines := imports_by_name(PACKAGE / path))
    }
    assert not offenders


@pytest.mark.parametrize("path", BY_NAME)
def test_every_exempt_file_imports_by_name(path: str) -> None:
    """No exemption outlives its use."""
    assert imports_by_name(PACKAGE / path)


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("import importlib\nimportlib.import_module('optbench.report')", True),
        ("import importlib as il\nil.import_module(f'optbench.{x}')", True),
        ("from importlib import import_module\nimport_module(name)", True),
        ("from importlib import import_module as load\nload('.report', __package__)", True),
        ("from importlib import import_module\nload = import_module", True),
        ("__import__('optbench.report')", True),
        ("import pkgutil\npkgutil.resolve_name('optbench.report:write_all')", True),
        ("import lazy_loader\nreport = lazy_loader.load('optbench.report')", True),
        ("import importlib\nimportlib.import_module('distributed')", False),
        ("import importlib.util\nimportlib.util.module_from_spec(spec)", False),
        ("from optbench.report import write", False),
        ("'''import_module of optbench'''", False),
    ],
)
def test_the_guard_finds_planted_imports(tmp_path: Path, source: str, is_found: bool) -> None:
    """An import by name is found under any alias; one of another distribution is allowed."""
    planted = tmp_path / "planted.py"
    planted.write_text(source)
    assert bool(imports_by_name(planted)) == is_found


# Rooms ---------------------------------------------------------------------------------------


def top_modules(package: Path) -> list[str]:
    """Modules at the top of a package."""
    return sorted(p.stem for p in package.glob("*.py") if p.stem not in {"__init__", "__main__"})


def duplicate_stems(package: Path) -> dict[str, list[str]]:
    """Modules that share their name with a module of another room."""
    places: dict[str, list[str]] = {}
    for path in modules(package):
        if path.stem != "__init__":
            places.setdefault(path.stem, []).append(path.as_posix())
    return {stem: paths for stem, paths in places.items() if len(paths) > 1}


def plant(folder: Path, *paths: str) -> Path:
    """Write empty modules."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


def test_the_top_of_the_package_has_few_modules() -> None:
    """Who opens the package sees rooms, and a handful of modules."""
    assert len(top_modules(PACKAGE)) <= MAX_TOP_MODULES


def test_the_guard_counts_planted_top_modules(tmp_path: Path) -> None:
    """A module at the top counts; packages, the face and the start do not."""
    plant(tmp_path, "__init__.py", "__main__.py", "a.py", "b.py", "room/c.py")
    assert top_modules(tmp_path) == ["a", "b"]


def test_no_two_modules_share_a_name() -> None:
    """The name of a module says which one is meant, in an editor's tab and in a traceback."""
    assert not duplicate_stems(PACKAGE)


def test_the_guard_finds_planted_duplicates(tmp_path: Path) -> None:
    """Two modules of one name in two rooms are found; packages may all have an ``__init__``."""
    plant(tmp_path, "a/__init__.py", "b/__init__.py", "a/x.py", "b/c/x.py", "b/y.py")
    assert duplicate_stems(tmp_path) == {"x": ["a/x.py", "b/c/x.py"]}


# Tests mirror the package --------------------------------------------------------------------

OTHER_ROOMS = {
    "benchmarks": "measures speed",
    "browser": "the report page in a browser",
    "builtin": "the built-in plugins",
    "contract": "the conformance kit against the built-in plugins and planted ones",
    "docs": "the commands and code of the documentation",
    "faults": "processes that are killed, disks that are full, plugins that misbehave",
    "findings": "results of the literature that the harness must reproduce",
    "oracle": "optimizers and initializers against independent implementations",
    "properties": "Hypothesis",
    "published": "figures of publications beside ours",
    "security": "hostile plugins and stores",
    "trials": "classes of reports about wrong numbers, each with a planted offender",
}
"""Folders of tests that belong to no single room, with their subject."""

OTHER_TESTS = {
    "test_harness.py": "the package as a whole",
    "test_house.py": "the source tree as a whole",
    "cli/test_plugin_commands.py": "list, show, plugins, check and new on one planted plugin",
    "cli/test_shards.py": "run in parts, and merge",
    "cli/test_signals.py": "processes that are sent a signal",
    "cli/test_study_commands.py": "report, compare, replay, merge and export on one study",
    "engine/fusion/test_translation.py": "expressions and statements together",
    "engine/loops/test_kept_buffers.py": "both loops: what a stepper keeps is its own",
    "engine/test_same_bits.py": "all loops, on processors with fewer features",
    "study/test_passed_objects.py": "classes, arrays and frames in the place of names",
}
"""Test files that are not named after a module, with the reason."""


def strays(tests: Path, package: Path) -> list[str]:
    """Test files whose name is not that of a module or package of the same room.

    ``tests/room/test_x.py`` is at home when ``x`` is the room or anywhere in ``package/room``.
    """
    offenders = []
    for path in sorted(tests.rglob("test_*.py")):
        relative = path.relative_to(tests)
        room = package / relative.parent
        subject = path.stem.removeprefix("test_")
        if relative.parts[0] in OTHER_ROOMS:
            continue
        files = room.glob(f"{subject}.py") if room == package else room.rglob(f"{subject}.py")
        folders = [p for p in (room, *room.rglob("*")) if p.is_dir() and p.name == subject]
        if not any(files) and not folders:
            offenders.append(relative.as_posix())
    return offenders


def test_tests_mirror_the_package() -> None:
    """The tests of a module stand where its name says."""
    assert sorted(set(strays(ROOT / "tests", PACKAGE)) - set(OTHER_TESTS)) == []


def test_no_exempt_test_file_is_superfluous() -> None:
    """Every exemption is of a file that exists and is not named after a module."""
    assert set(OTHER_TESTS) <= set(strays(ROOT / "tests", PACKAGE))
    assert all((ROOT / "tests" / room).is_dir() for room in OTHER_ROOMS)


def test_the_guard_finds_planted_strays(tmp_path: Path) -> None:
    """A test of a module that moved away or never was is found."""
    package = plant(tmp_path / "package", "a.py", "room/b.py", "room/inner/c.py", "other/d.py")
    tests = plant(
        tmp_path / "tests",
        "test_a.py",
        "room/test_b.py",
        "room/test_c.py",
        "room/test_inner.py",
        "oracle/test_anything.py",
        "test_b.py",
        "room/test_d.py",
        "nowhere/test_a.py",
    )
    assert strays(tests, package) == ["nowhere/test_a.py", "room/test_d.py", "test_b.py"]


# Import contracts ----------------------------------------------------------------------------

HOMES = {
    "click": "optbench.cli",
    "matplotlib": "optbench.report.plots",
    "pluggy": "optbench.registry",
    "sqlite3": "optbench.store",
}
"""Library -> the only room that may import it."""


def contracts() -> list[dict[str, Any]]:
    """The contracts of import-linter."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(settings["tool"]["importlinter"]["contracts"])


def rooms_beside(home: str) -> set[str]:
    """Siblings of a room, and of every package around it."""
    rooms = set()
    parts = home.split(".")
    for depth in range(1, len(parts)):
        around = ROOT.joinpath(*parts[:depth])
        names = {p.stem for p in around.glob("*.py")} | {
            p.parent.name for p in around.glob("*/*.py")
        }
        names -= {"__init__", parts[depth]}
        rooms |= {".".join([*parts[:depth], name]) for name in names}
    return rooms


@pytest.mark.parametrize("library", HOMES)
def test_contracts_cover_every_room(library: str) -> None:
    """A new room is under the contracts of the libraries that have one home."""
    covered = {
        source
        for contract in contracts()
        if library in contract.get("forbidden_modules", [])
        for source in contract["source_modules"]
    }
    assert covered == rooms_beside(HOMES[library])


def test_layers_are_exhaustive() -> None:
    """A room without a floor is an error of import-linter."""
    layers = [c for c in contracts() if c["type"] == "layers"]
    assert layers
    assert all(contract["exhaustive"] for contract in layers)


LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

OFFENCES = {
    "optbench/report/__init__.py": ("import sqlite3", "optbench.report -> sqlite3 "),
    "optbench/report/format/__init__.py": ("import matplotlib", ".format -> matplotlib "),
    "optbench/engine/__init__.py": ("import torch", "optbench.engine -> torch "),
    "optbench/errors.py": ("def f():\n    import click", "optbench.errors -> click "),
    "optbench/contracts/__init__.py": ("import pluggy", "optbench.contracts -> pluggy "),
    "optbench/support/__init__.py": ("import optbench.cli", "optbench.support -> optbench.cli "),
    "plugins/optbench_builtin/idx.py": ("import optbench.engine", ".idx -> optbench.engine "),
    "optbench/records/spec.py": ("import optbench.records.cell", "allowed in optbench.records."),
}
"""File -> a line that it may not have, and a part of the complaint of import-linter."""


@pytest.mark.long
def test_import_linter_finds_planted_imports(tmp_path: Path) -> None:
    """Each contract breaks when an import of its kind is planted, even inside a function."""
    need("importlinter")
    for folder in ("optbench", "plugins/optbench_builtin"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, (line, _) in OFFENCES.items():
        with (tmp_path / path).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{line}\n")
    result = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{tmp_path / 'plugins'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    missing = [words for _, words in OFFENCES.values() if words not in result.stdout]
    assert not missing, result.stdout
    assert "Contracts: 0 kept" in result.stdout


# The guide to the rooms ----------------------------------------------------------------------


def guide_rooms(text: str) -> list[str]:
    """Paths in the first column of the tables of a Markdown text."""
    return re.findall(r"^\| `([^`]+/[^`]*)`", text, re.MULTILINE)


def test_the_guide_names_every_room() -> None:
    """CONTRIBUTING.md has a line for each room, in the order of the floors, and no other."""
    rooms = guide_rooms((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert all((ROOT / room).exists() for room in rooms)
    rooms = [room for room in rooms if room.startswith("optbench/")]
    layers = next(c for c in contracts() if c["type"] == "layers")["layers"]
    floors = {
        room: floor
        for floor, rooms_of_floor in enumerate(layers[1:])
        for room in rooms_of_floor.split(" | ")
    }
    named = [room.removeprefix("optbench/").removesuffix("/").removesuffix(".py") for room in rooms]
    assert set(named) == set(floors)
    assert [floors[room] for room in named] == sorted(floors.values())
