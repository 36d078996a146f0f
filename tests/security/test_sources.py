"""Nothing that is read from a study or a suite is executed: the harness has no means to do so.

The few places that run code are listed, each with the code that it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import optbench

PACKAGE = Path(optbench.__file__).parent
BUILTIN = PACKAGE.parent / "plugins" / "optbench_builtin"
FILES = sorted([*PACKAGE.rglob("*.py"), *BUILTIN.rglob("*.py")])

MODULES = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml",
    "jsonpickle", "code", "runpy", "subprocess", "pty", "ctypes", "xmlrpc",
}  # fmt: skip
"""Modules that turn bytes into code or processes."""
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {"exec_module", "import_module", "load_module"}
OF_OS = {"system", "popen", "spawnl", "spawnv", "execv", "execl", "execve", "posix_spawn"}

EXEMPT = {
    ("registry/loading.py", "exec_module"): "the file that the user names with --plugin",
    ("registry/loading.py", "import_module"): "the module that the user names with --plugin",
    ("engine/fusion/machine_code.py", "compile"): "source generated from a loaded plugin",
    ("engine/fusion/machine_code.py", "exec"): "source generated from a loaded plugin",
    ("engine/kernels/code_cache.py", "pickle"): "machine code of this user, after its digest",
    ("registry/code_modules.py", "compile"): "sources of plugins, to hash them; never run",
    ("registry/transfer.py", "pickle"): "objects that the user passed, to this process's workers",
    ("registry/transfer.py", "cloudpickle"): "objects that the user passed, as above",
    ("support/descendants.py", "ctypes"): "prctl, with fixed arguments",
    ("support/child_processes.py", "subprocess"): "this Python, with a fixed command",
    ("execution/cluster_client.py", "import_module"): "Dask, when the user asks for a cluster",
    ("report/plots/parallel.py", "pickle"): "records, from this process to its own child",
    ("cli/group.py", "import_module"): "the module of a command, out of a fixed table",
    ("engine/kernels/jit.py", "import_module"): "one module of Numba, by its full name",
    ("optbench_builtin/__init__.py", "import_module"): "the modules of the built-in plugins",
}
"""File and function -> the code that it runs."""


def relative(path: Path) -> str:
    """Return the path as the exemptions spell it."""
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else BUILTIN.parent).as_posix()


def findings(source: str) -> Iterator[str]:
    """Yield the imports and calls of a source that can turn data into code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _top(alias.name) in MODULES)
        elif isinstance(node, ast.ImportFrom) and _top(node.module or "") in MODULES:
            yield node.module or ""
        elif isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id in CALLS | METHODS:
                yield function.id
            elif isinstance(function, ast.Attribute):
                owner = function.value.id if isinstance(function.value, ast.Name) else ""
                if (
                    function.attr in METHODS
                    or (function.attr in CALLS and owner == "builtins")
                    or (function.attr in OF_OS and owner == "os")
                ):
                    yield function.attr
                if function.attr == "load" and owner in ("np", "numpy") and not _is_strict(node):
                    yield "np.load"
            for word in node.keywords:
                if word.arg in ("allow_pickle", "shell") and not _is_false(word.value):
                    yield word.arg


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_strict(call: ast.Call) -> bool:
    return any(word.arg == "allow_pickle" and _is_false(word.value) for word in call.keywords)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_data_become_code(path: Path) -> None:
    """No pickle, no eval, no YAML with objects, no arrays of objects, no shell."""
    names = set(findings(path.read_text(encoding="utf-8")))
    assert {name for name in names if (relative(path), name) not in EXEMPT} == set()


@pytest.mark.parametrize(("file", "name"), sorted(EXEMPT))
def test_no_exemption_outlives_its_use(file: str, name: str) -> None:
    """The list holds only what is needed."""
    path = next(path for path in FILES if relative(path) == file)
    assert name in set(findings(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import yaml as y",
        "eval(text)",
        "exec(text)",
        "compile(text, '', 'exec')",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "np.savez(path, allow_pickle=True)",
        "importlib.import_module(name)",
        "spec.loader.exec_module(module)",
        "os.system(command)",
        "import subprocess",
        "run(command, shell=True)",
        "builtins.eval(text)",
    ],
)
def test_the_scan_finds_what_it_looks_for(source: str) -> None:
    """Each planted import or call is found."""
    assert list(findings(source))
    assert not list(findings("np.load(path, allow_pickle=False)\nre.compile('x')\nmodel.eval()"))
