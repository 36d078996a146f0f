"""One module of a plugin: the text of its code, its imports, and what its names are bound to."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optbench.registry.source_text import all_code_texts, syntax_digest

_EMPTY = frozenset({"dict", "list", "set", "defaultdict", "OrderedDict", "Counter", "deque"})
"""Functions that make an empty container, which is then a cache rather than a constant."""

Stamp = tuple[int, int]
"""Time of the last change of a file, in nanoseconds, and its size in bytes."""


@dataclass(frozen=True)
class ModuleCode:
    """What a fingerprint takes from a file.

    Attributes:
        digest: Digest of its syntax tree, or of its bytes if it is not Python.
        imports: Modules that it imports: a level of dots, a module, and a name in that module.
        literals: Names that are bound to a literal, which the digest covers.
        rebound: Names that a function binds again.
    """

    digest: str
    imports: tuple[tuple[int, str, str], ...] = ()
    literals: frozenset[str] = frozenset()
    rebound: frozenset[str] = frozenset()


def file_stamp(path: Path) -> Stamp | None:
    """Return what changes when a file is written; None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=1024)
def read_module(path: Path, stamp: Stamp | None) -> ModuleCode:
    """Return what a fingerprint takes from a file.

    Args:
        path: The file.
        stamp: Its `file_stamp`, so that a file that has changed is read again.
    """
    content = path.read_bytes() if stamp else b""
    if path.suffix not in (".py", ".pyw"):
        return ModuleCode(hashlib.sha256(content).hexdigest())
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # it has been edited since it was imported
        return ModuleCode(hashlib.sha256(content).hexdigest())
    nodes = list(ast.walk(tree))
    return ModuleCode(
        syntax_digest(tree),
        tuple(each for node in nodes for each in _imports(node)),
        frozenset(name for node in tree.body for name in _literal_names(node)),
        frozenset(name for node in nodes if isinstance(node, ast.Global) for name in node.names),
    )


@functools.lru_cache(maxsize=256)
def compiled_texts(path: Path, stamp: Stamp | None) -> frozenset[str]:
    """Return the texts of all functions that a file defines, to compare with those in memory."""
    try:
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    return frozenset(all_code_texts(code))


def _imports(node: ast.AST) -> Iterator[tuple[int, str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield 0, alias.name, ""
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield node.level, node.module or "", alias.name


def _literal_names(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Assign(targets=targets, value=value) if _is_literal(value):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value and _is_literal(value):
            yield name


def _is_literal(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        name = getattr(value.func, "id", getattr(value.func, "attr", ""))
        inner = [*value.args, *(each.value for each in value.keywords)]
        return (name in _EMPTY or name.startswith("Weak")) and all(map(_is_literal, inner))
    return not any(
        isinstance(each, ast.Call | ast.Name | ast.Attribute) for each in ast.walk(value)
    )
