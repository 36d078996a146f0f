"""Translation of the expressions of an update into those of a fused loop.

Scalar subexpressions move before the loop, in float64; elementwise ones stay inside it, in the
dtype of the run. Any other expression raises `NotFusibleError`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

import numpy as np

from optbench.contracts import Hyper
from optbench.engine.fusion.functions import BUILTINS, ELEMENT_FUNCTIONS, SCALAR_FUNCTIONS
from optbench.engine.fusion.loop_source import LoopSource, Term

_ARITHMETIC = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
    ast.Mod: "%", ast.FloorDiv: "//",
}  # fmt: skip
_COMPARISONS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_MASK_OPERATORS = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
_LARGEST_UNROLLED_POWER = 4
"""Largest integer power that is written as a product."""


class NotFusibleError(Exception):
    """The update of a Rule cannot be fused; the text names the part that prevents it."""


def refusal(node: ast.AST, part: str) -> NotFusibleError:
    """Return the error for a part of an update that cannot be fused."""
    place = getattr(node, "place", f"line {getattr(node, 'lineno', '?')} of it")
    return NotFusibleError(f"update contains {part} ({place})")


class ExpressionTranslator(ast.NodeVisitor):
    """Translates one expression after another into terms of a loop.

    Args:
        loop: Source to which the lines of intermediate values are added.
        scope: Global and enclosing names of the update.
        hypers: Declared hyperparameters.
        h: Name of the argument that holds the hyperparameter values.
    """

    def __init__(
        self, loop: LoopSource, scope: Mapping[str, Any], hypers: Mapping[str, Hyper], h: str
    ) -> None:
        self._loop = loop
        self._scope = scope
        self._hypers = hypers
        self._index_of_hyper = {name: i for i, name in enumerate(hypers)}
        self._h = h
        self._variables: dict[str, Term] = {}

    def bind(self, name: str, term: Term) -> None:
        """Bind a local name of the update to a term."""
        self._variables[name] = term

    def translate(self, node: ast.expr) -> Term:
        """Translate one expression.

        Raises:
            NotFusibleError: The expression contains something that a fused loop cannot express.
        """
        term: Term = self.visit(node)
        return term

    def generic_visit(self, node: ast.AST) -> NoReturn:
        """Raise for every kind of expression without a visitor."""
        raise refusal(node, f"an expression '{type(node).__name__.lower()}'")

    # -- names and literals -------------------------------------------------------------------

    def visit_Constant(self, node: ast.Constant) -> Term:
        """Translate a number."""
        if not isinstance(node.value, int | float):
            raise refusal(node, f"the constant {node.value!r}")
        integer = node.value if isinstance(node.value, int) else None
        return Term(repr(node.value), "scalar", integer)

    def visit_Name(self, node: ast.Name) -> Term:
        """Translate a local variable, or a number defined outside the update."""
        if node.id in self._variables:
            return self._variables[node.id]
        value = self._scope.get(node.id)
        if isinstance(value, int | float):
            return Term(repr(float(value)), "scalar")
        raise refusal(node, f"the name '{node.id}'")

    def visit_Attribute(self, node: ast.Attribute) -> Term:
        """Translate a hyperparameter such as ``h.lr``, or a constant such as ``np.pi``."""
        if isinstance(node.value, ast.Name):
            owner = node.value.id
            if owner == self._h:
                return self._hyperparameter(node)
            value = getattr(self._scope.get(owner), node.attr, None)
            if self._scope.get(owner) in (np, math) and isinstance(value, float):
                return Term(f"float('{value!r}')" if math.isinf(value) else repr(value), "scalar")
        raise refusal(node, f"the attribute '{node.attr}'")

    def _hyperparameter(self, node: ast.Attribute) -> Term:
        declared = self._hypers.get(node.attr)
        if declared is None:
            raise refusal(node, f"the undeclared hyperparameter '{node.attr}'")
        if declared.kind is str:
            raise refusal(node, f"the text '{node.attr}' outside of a comparison")
        code = f"h[{self._index_of_hyper[node.attr]}]"
        return Term(f"({code} != 0.0)" if declared.kind is bool else code, "scalar")

    # -- operators ----------------------------------------------------------------------------

    def visit_BinOp(self, node: ast.BinOp) -> Term:
        """Translate arithmetic, and ``&``, ``|``, ``^`` of truth values."""
        left, right = self.translate(node.left), self.translate(node.right)
        mask_operator = _MASK_OPERATORS.get(type(node.op))
        if mask_operator is not None and left.kind == right.kind != "array":
            return Term(f"({left.code} {mask_operator} {right.code})", left.kind)
        operator = _ARITHMETIC.get(type(node.op))
        if operator is None:
            raise refusal(node, f"the operator '{type(node.op).__name__}'")
        if left.kind == right.kind == "scalar":
            return Term(f"({left.code} {operator} {right.code})", "scalar")
        if operator == "**":
            return Term(self._power(self._loop.element(left), right), "array")
        if operator == "/" and right.kind == "scalar":
            inverse = self._loop.cast(f"1.0 / {right.code}")
            return Term(f"({self._loop.element(left)} * {inverse})", "array")
        return self._joined(left, operator, right, "array")

    def _joined(
        self, left: Term, operator: str, right: Term, kind: Literal["array", "mask"]
    ) -> Term:
        code = f"({self._loop.element(left)} {operator} {self._loop.element(right)})"
        return Term(code, kind)

    def _power(self, base: str, exponent: Term) -> str:
        if exponent.integer is not None and 1 <= exponent.integer <= _LARGEST_UNROLLED_POWER:
            name = self._loop.bind_element(base)
            return "(" + " * ".join([name] * exponent.integer) + ")"
        if exponent.code == "0.5":
            return f"np.sqrt({base})"
        return f"({base} ** {self._loop.element(exponent)})"

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Term:
        """Translate ``-x``, ``not x`` and ``~mask``."""
        term = self.translate(node.operand)
        if isinstance(node.op, ast.USub):
            if term.kind == "scalar":
                return Term(f"(-{term.code})", "scalar")
            return Term(f"(-{self._loop.element(term)})", "array")
        if isinstance(node.op, ast.Not | ast.Invert) and term.kind != "array":
            return Term(f"(not {term.code})", term.kind)
        raise refusal(node, f"the operator '{type(node.op).__name__}'")

    def visit_Compare(self, node: ast.Compare) -> Term:
        """Translate one comparison, of numbers or of a text hyperparameter with a choice."""
        operator = _COMPARISONS.get(type(node.ops[0]))
        if len(node.ops) > 1 or operator is None:
            raise refusal(node, "a chained or unusual comparison")
        choice = self._choice(node.left, node.comparators[0], operator)
        if choice is not None:
            return choice
        left, right = self.translate(node.left), self.translate(node.comparators[0])
        if left.kind == right.kind == "scalar":
            return Term(f"({left.code} {operator} {right.code})", "scalar")
        return self._joined(left, operator, right, "mask")

    def _choice(self, left: ast.expr, right: ast.expr, operator: str) -> Term | None:
        """Compare a text hyperparameter with one of its choices; texts are passed as indices."""
        if not (isinstance(left, ast.Attribute) and isinstance(right, ast.Constant)):
            return None
        declared = self._hypers.get(left.attr)
        if declared is None or right.value not in declared.choices:
            return None
        index = declared.choices.index(right.value)
        return Term(f"(h[{self._index_of_hyper[left.attr]}] {operator} {index})", "scalar")

    def visit_BoolOp(self, node: ast.BoolOp) -> Term:
        """Translate ``and`` and ``or`` of scalars."""
        terms = [self.translate(part) for part in node.values]
        if any(term.kind != "scalar" for term in terms):
            raise refusal(node, "`and` or `or` of arrays; write & or |")
        word = " and " if isinstance(node.op, ast.And) else " or "
        return Term("(" + word.join(term.code for term in terms) + ")", "scalar")

    def visit_IfExp(self, node: ast.IfExp) -> Term:
        """Translate ``a if scalar else b``."""
        test = self.translate(node.test)
        if test.kind != "scalar":
            raise refusal(node, "`if` on an array; write np.where")
        yes, no = self.translate(node.body), self.translate(node.orelse)
        if yes.kind == no.kind == "scalar":
            return Term(f"(float({yes.code}) if {test.code} else float({no.code}))", "scalar")
        condition = self._loop.bind_scalar(f"bool({test.code})")
        code = f"({self._loop.element(yes)} if {condition} else {self._loop.element(no)})"
        return Term(code, "array")

    # -- calls --------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> Term:
        """Translate a call of numpy, math or a builtin."""
        name = self._function_name(node)
        terms = [self.translate(part) for part in node.args]
        if node.keywords:
            raise refusal(node, f"a keyword in {name}()")
        if all(term.kind == "scalar" for term in terms):
            if name == "where" and len(terms) == 3:
                test, yes, no = (term.code for term in terms)
                return Term(f"(float({yes}) if {test} else float({no}))", "scalar")
            if name in SCALAR_FUNCTIONS:
                arguments = ", ".join(f"float({term.code})" for term in terms)
                return Term(f"{SCALAR_FUNCTIONS[name]}({arguments})", "scalar")
        if name == "clip" and len(terms) == 3:
            return self._elementwise("minimum", [self._elementwise("maximum", terms[:2]), terms[2]])
        if name == "power" and len(terms) == 2:
            return Term(self._power(self._loop.element(terms[0]), terms[1]), "array")
        if name not in ELEMENT_FUNCTIONS or len(terms) != ELEMENT_FUNCTIONS[name][0]:
            raise refusal(node, f"the call {name}()")
        return self._elementwise(name, terms)

    def _function_name(self, node: ast.Call) -> str:
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            if self._scope.get(function.value.id) in (np, math):
                return function.attr
        elif isinstance(function, ast.Name) and function.id in BUILTINS:
            return function.id
        raise refusal(node, f"the call {ast.unparse(function)}()")

    def _elementwise(self, name: str, terms: list[Term]) -> Term:
        arguments = [
            self._condition(term) if name == "where" and k == 0 else self._argument(term)
            for k, term in enumerate(terms)
        ]
        return Term(ELEMENT_FUNCTIONS[name][1].format(*arguments), "array")

    def _condition(self, term: Term) -> str:
        if term.kind == "array":
            return f"({term.code} != zero)"
        return term.code if term.kind == "mask" else self._loop.bind_scalar(f"bool({term.code})")

    def _argument(self, term: Term) -> str:
        """Return a name for the argument, because a function's source may repeat it."""
        code = self._loop.element(term)
        return code if code.isidentifier() else self._loop.bind_element(code)
