"""Translation of the update of a Rule, statement by statement, into one fused loop.

The formula is read from the source of the plugin. Scalar subexpressions (``1 - h.beta1**t``) are
computed once per step in float64; elementwise ones are computed in the dtype of the run, as in
NumPy, but a division by a scalar becomes a multiplication by its inverse. A Rule that cannot be
translated raises `NotFusibleError` and trains in the stepped loop.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, NoReturn

from optbench.contracts import Rule
from optbench.engine.fusion.expressions import ExpressionTranslator, NotFusibleError, refusal
from optbench.engine.fusion.loop_source import LoopSource, Term
from optbench.support.text import count

__all__ = ["NotFusibleError", "translate_update"]


@functools.cache
def translate_update(rule: type[Rule]) -> LoopSource:
    """Translate the update of a Rule into a fused loop, once per Rule.

    Raises:
        NotFusibleError: The update contains something that a fused loop cannot express.
    """
    function = _parse(rule.update)
    loop = LoopSource()
    translator = StatementTranslator(loop, _bound_arguments(rule, function, loop))
    for statement in function.body[:-1]:
        translator.visit(statement)
    _store_results(rule, function.body[-1], loop, translator.expressions)
    return loop


class StatementTranslator(ast.NodeVisitor):
    """Translates assignments; every assignment binds a new name in the loop.

    Args:
        loop: Source to which lines are added.
        expressions: Translator of the values, with the variables assigned so far.
    """

    def __init__(self, loop: LoopSource, expressions: ExpressionTranslator) -> None:
        self._loop = loop
        self.expressions = expressions

    def generic_visit(self, node: ast.AST) -> NoReturn:
        """Raise for every kind of statement without a visitor."""
        raise refusal(node, f"a statement '{type(node).__name__.lower()}'")

    def visit_Expr(self, node: ast.Expr) -> None:
        """Skip a docstring."""
        if isinstance(node.value, ast.Call):
            raise refusal(node, f"a call of {ast.unparse(node.value.func)} that nothing uses")
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Translate ``x = value``, and ``x, y = value, value``."""
        if len(node.targets) != 1:
            self.generic_visit(node)
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            terms = [self.expressions.translate(part) for part in value.elts]
            if len(terms) == len(target.elts):
                for part, term in zip(target.elts, terms, strict=True):
                    self._bind(part, term)
                return
        self._bind(target, self.expressions.translate(value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Translate ``x: type = value``."""
        if node.value is None:
            self.generic_visit(node)
        self._bind(node.target, self.expressions.translate(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Translate ``x += value`` like ``x = x + value``."""
        if not isinstance(node.target, ast.Name):
            self.generic_visit(node)
        left = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
        total = ast.copy_location(ast.BinOp(left, node.op, node.value), node)
        self._bind(node.target, self.expressions.translate(total))

    def _bind(self, target: ast.expr, term: Term) -> None:
        if not isinstance(target, ast.Name):
            raise refusal(target, "an assignment to anything but a name")
        bind = self._loop.bind_scalar if term.kind == "scalar" else self._loop.bind_element
        self.expressions.bind(target.id, Term(bind(term.code), term.kind))


def _bound_arguments(
    rule: type[Rule], function: ast.FunctionDef, loop: LoopSource
) -> ExpressionTranslator:
    """Return a translator in which the arguments of the update are bound; their order is fixed."""
    names = [argument.arg for argument in function.args.args]
    n_slots = len(rule.slots)
    expected = 2 + n_slots + len(rule.scalars) + 2
    if len(names) != expected:
        raise NotFusibleError(f"update has {len(names)} arguments, not {expected}")
    theta, grad = names[:2]
    slots, scalars = names[2 : 2 + n_slots], names[2 + n_slots : -2]
    t, h = names[-2:]
    expressions = ExpressionTranslator(loop, _outer_names(rule.update), rule.hypers(), h)
    arrays = {theta: "load(theta, i)", grad: "factor * load(grad, j)"}
    arrays |= {name: f"load(slots, {k} * size + i)" for k, name in enumerate(slots)}
    for name, code in arrays.items():
        expressions.bind(name, Term(loop.bind_element(code), "array"))
    for k, name in enumerate(scalars):
        expressions.bind(name, Term(loop.bind_scalar(f"scalars[{k}]"), "scalar"))
    expressions.bind(t, Term("step", "scalar"))
    return expressions


def _store_results(
    rule: type[Rule], node: ast.stmt, loop: LoopSource, expressions: ExpressionTranslator
) -> None:
    """Translate ``return theta, *slots, *scalars``."""
    if not isinstance(node, ast.Return) or not isinstance(node.value, ast.Tuple):
        raise refusal(node, "an end that is not `return theta, ...`")
    terms = [expressions.translate(part) for part in node.value.elts]
    n_slots = len(rule.slots)
    if len(terms) != 1 + n_slots + len(rule.scalars):
        raise refusal(node, f"a return of {count(len(terms), 'value')}")
    loop.store_theta(terms[0])
    for k, term in enumerate(terms[1 : 1 + n_slots]):
        loop.store_slot(k, term)
    for k, term in enumerate(terms[1 + n_slots :]):
        if term.kind != "scalar":
            raise refusal(node, "an array returned for a scalar state")
        loop.store_scalar(k, term)


def _parse(function: Callable[..., Any]) -> ast.FunctionDef:
    try:
        text = textwrap.dedent(inspect.getsource(function))
        node = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError) as cause:  # for example, a lambda inside an expression
        raise NotFusibleError("its source cannot be read") from cause
    if not isinstance(node, ast.FunctionDef):
        raise NotFusibleError("update is not a plain function")
    code = inspect.unwrap(function).__code__
    file, first = PurePath(code.co_filename).name, code.co_firstlineno
    for part in ast.walk(node):
        if isinstance(part, ast.expr | ast.stmt):
            part.place = f"{file}:{first + part.lineno - 1}"  # type: ignore[union-attr]
    return node


def _outer_names(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the global and enclosing names of a function."""
    names = dict(getattr(function, "__globals__", {}))
    names.update(inspect.getclosurevars(function).nonlocals)
    return names
