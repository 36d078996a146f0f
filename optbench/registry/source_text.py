"""Texts that stand for code in a fingerprint: equal code gives equal texts.

Comments, docstrings, layout and the words about a plugin (``source``, ``variant``, ...) are left
out, so that editing them does not train anything again.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType

DESCRIPTIONS = frozenset(
    {"source", "url", "variant", "expected_failures", "expected_cautions", "equivalents"}
)
"""Attributes of a plugin class that describe it and do not change what it computes."""
_WITHOUT_MEANING = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


def syntax_digest(tree: ast.AST) -> str:
    """Return the SHA-256 of a syntax tree, the same for all versions of Python.

    Example:
        >>> one, other = ast.parse("x = 1  # one"), ast.parse("x=1")
        >>> syntax_digest(one) == syntax_digest(other) != syntax_digest(ast.parse("x = 2"))
        True
    """
    parts: list[str] = []
    _write(tree, parts)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _write(node: object, parts: list[str]) -> None:
    if isinstance(node, ast.AST):
        parts.append(type(node).__name__)
        for name in node._fields:
            value = getattr(node, name, None)
            # Newer versions of Python have further fields, which are empty in older code.
            if value is None or value == [] or name in _WITHOUT_MEANING:
                continue
            parts.append(name)
            if name == "body" and isinstance(value, list):
                in_class = isinstance(node, ast.ClassDef)
                value = [each for each in value if not _only_describes(each, in_class)]
            _write(value, parts)
        parts.append(")")
    elif isinstance(node, list):
        for each in node:
            _write(each, parts)
        parts.append("]")
    else:
        parts.append(repr(node))


def _only_describes(statement: ast.stmt, in_class: bool) -> bool:
    """Return whether a statement is a docstring, or a description in the body of a class."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return in_class and name in DESCRIPTIONS
    return False


def function_text(function: FunctionType) -> str:
    """Return a text for a function without a file; its bytecode if its source is not kept."""
    try:
        return syntax_digest(ast.parse(textwrap.dedent(inspect.getsource(function))))
    except (OSError, TypeError, SyntaxError, IndentationError):  # a prompt, or half of a line
        return code_text(function.__code__)


def code_text(code: CodeType) -> str:
    """Return a text for compiled code that does not depend on the place of its source."""
    constants = list(map(_constant_text, code.co_consts))
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _constant_text(constant: object) -> str:
    if isinstance(constant, CodeType):
        return code_text(constant)
    if isinstance(constant, frozenset):  # its order differs from process to process
        return f"frozenset {sorted(map(_constant_text, constant))}"
    return repr(constant)


def all_code_texts(code: CodeType) -> Iterator[str]:
    """Yield the texts of the functions and classes that are defined inside of some code."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield code_text(constant)
            yield from all_code_texts(constant)
