"""Translates the expressions of an update into those of a fused loop.

Scalar subexpressions go ahead of the loop, in float64; what is elementwise goes into it, in the
run's dtype. What is not known is refused.

Longer than other files because every kind of expression is a method of one class.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from optbench.contracts import Hyper

Kind = Literal["scalar", "array", "mask"]


class NotFusibleError(Exception):
    """The body of a Rule goes beyond what can be fused; the text says where."""


@dataclass(frozen=True)
class Term:
    """A translated expression: one number a step (scalar), or one an element (array, mask)."""

    code: str
    kind: Kind
    whole: int | None = None
    """The value, where it is a whole number written in the source (for exponents)."""


_BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
    ast.Mod: "%", ast.FloorDiv: "//",
}  # fmt: skip
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_MASKS = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
_SCALAR_CALLS = {
    "sqrt": "math.sqrt", "exp": "math.exp", "log": "math.log", "log1p": "math.log1p",
    "expm1": "math.expm1", "cos": "math.cos", "sin": "math.sin", "tanh": "math.tanh",
    "floor": "math.floor", "ceil": "math.ceil", "abs": "abs", "fabs": "abs",
    "min": "min", "max": "max", "minimum": "min", "maximum": "max", "float": "float",
    "power": "pow", "pow": "pow",
}  # fmt: skip
_ARRAY_CALLS: dict[str, tuple[int, str]] = {
    "sqrt": (1, "np.sqrt({0})"),
    "exp": (1, "np.exp({0})"),
    "log": (1, "np.log({0})"),
    "log1p": (1, "np.log1p({0})"),
    "expm1": (1, "np.expm1({0})"),
    "tanh": (1, "np.tanh({0})"),
    "cbrt": (1, "np.cbrt({0})"),
    "abs": (1, "abs({0})"),
    "absolute": (1, "abs({0})"),
    "fabs": (1, "abs({0})"),
    "square": (1, "({0} * {0})"),
    "negative": (1, "(-{0})"),
    "reciprocal": (1, "(one / {0})"),
    "zeros_like": (1, "zero"),
    "ones_like": (1, "one"),
    # NaN and 0 give themselves, as in NumPy.
    "sign": (1, "(one if {0} > zero else (-one if {0} < zero else {0}))"),
    "maximum": (2, "({0} if {0} > {1} or {0} != {0} else {1})"),
    "minimum": (2, "({0} if {0} < {1} or {0} != {0} else {1})"),
    "copysign": (2, "math.copysign({0}, {1})"),
    "where": (3, "({1} if {0} else {2})"),
}
_BUILTINS = ("abs", "min", "max", "float", "pow")
_UNROLLED_POWERS = 4


class Formulas:
    """Translates expressions; what they need beforehand is collected in `before` and `inside`.

    Args:
        scope: names that the function sees from outside.
        hypers: the declared hyperparameters.
    """

    def __init__(self, scope: Mapping[str, Any], hypers: Mapping[str, Hyper]) -> None:
        self._scope = scope
        self._hypers = hypers
        self._hyper_at = {name: i for i, name in enumerate(hypers)}
        self._h = ""
        self._before: list[str] = []
        self._inside: list[str] = []
        self._count = 0
        self._casts: dict[str, str] = {}
        self._names: dict[str, Term] = {}

    def _fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def _hoist(self, code: str) -> str:
        name = self._fresh("s")
        self._before.append(f"{name} = {code}")
        return name

    def _element(self, code: str) -> str:
        name = self._fresh("e")
        self._inside.append(f"{name} = {code}")
        return name

    def _array(self, term: Term) -> str:
        """The term as one number of the run's dtype in the loop."""
        if term.kind == "mask":
            return f"(one if {term.code} else zero)"
        if term.kind == "array":
            return term.code
        return self._cast(term.code)

    def _cast(self, code: str) -> str:
        if code not in self._casts:
            self._casts[code] = self._hoist(f"dtype({code})")
        return self._casts[code]

    def _term(self, node: ast.expr) -> Term:
        method: Callable[[Any], Term] | None = getattr(
            self, f"_{type(node).__name__.lower()}", None
        )
        if method is None:
            raise refusal(node, f"an expression '{type(node).__name__.lower()}'")
        return method(node)

    def _constant(self, node: ast.Constant) -> Term:
        if not isinstance(node.value, int | float):
            raise refusal(node, f"the constant {node.value!r}")
        whole = node.value if isinstance(node.value, int) else None
        return Term(repr(node.value), "scalar", whole)

    def _name(self, node: ast.Name) -> Term:
        if node.id in self._names:
            return self._names[node.id]
        value = self._scope.get(node.id)
        if isinstance(value, int | float):
            return Term(repr(float(value)), "scalar")
        raise refusal(node, f"the name '{node.id}'")

    def _attribute(self, node: ast.Attribute) -> Term:
        if isinstance(node.value, ast.Name):
            owner = node.value.id
            if owner == self._h:
                return self._hyper(node)
            value = getattr(self._scope.get(owner), node.attr, None)
            if self._scope.get(owner) in (np, math) and isinstance(value, float):
                return Term(f"float('{value!r}')" if math.isinf(value) else repr(value), "scalar")
        raise refusal(node, f"the attribute '{node.attr}'")

    def _hyper(self, node: ast.Attribute) -> Term:
        declared = self._hypers.get(node.attr)
        if declared is None:
            raise refusal(node, f"the undeclared hyperparameter '{node.attr}'")
        if declared.kind is str:
            raise refusal(node, f"the text '{node.attr}' outside of a comparison")
        place = f"h[{self._hyper_at[node.attr]}]"
        return Term(f"({place} != 0.0)" if declared.kind is bool else place, "scalar")

    def _binop(self, node: ast.BinOp) -> Term:
        left, right = self._term(node.left), self._term(node.right)
        mask = _MASKS.get(type(node.op))
        if mask is not None and left.kind == right.kind != "array":
            return Term(f"({left.code} {mask} {right.code})", left.kind)
        operator = _BINARY.get(type(node.op))
        if operator is None:
            raise refusal(node, f"the operator '{type(node.op).__name__}'")
        if left.kind == right.kind == "scalar":
            return Term(f"({left.code} {operator} {right.code})", "scalar")
        if operator == "**":
            return Term(self._power(self._array(left), right), "array")
        if operator == "/" and right.kind == "scalar":
            inverse = self._cast(f"1.0 / {right.code}")
            return Term(f"({self._array(left)} * {inverse})", "array")
        return Term(f"({self._array(left)} {operator} {self._array(right)})", "array")

    def _power(self, base: str, exponent: Term) -> str:
        if exponent.whole is not None and 1 <= exponent.whole <= _UNROLLED_POWERS:
            name = self._element(base)
            return "(" + " * ".join([name] * exponent.whole) + ")"
        if exponent.code == "0.5":
            return f"np.sqrt({base})"
        return f"({base} ** {self._array(exponent)})"

    def _unaryop(self, node: ast.UnaryOp) -> Term:
        term = self._term(node.operand)
        if isinstance(node.op, ast.USub):
            code = term.code if term.kind == "scalar" else self._array(term)
            return Term(f"(-{code})", "scalar" if term.kind == "scalar" else "array")
        if isinstance(node.op, ast.Not | ast.Invert) and term.kind != "array":
            return Term(f"(not {term.code})", term.kind)
        raise refusal(node, f"the operator '{type(node.op).__name__}'")

    def _compare(self, node: ast.Compare) -> Term:
        operator = _COMPARE.get(type(node.ops[0]))
        if len(node.ops) > 1 or operator is None:
            raise refusal(node, "a chained or unusual comparison")
        choice = self._choice(node.left, node.comparators[0], operator)
        if choice is not None:
            return choice
        left, right = self._term(node.left), self._term(node.comparators[0])
        if left.kind == right.kind == "scalar":
            return Term(f"({left.code} {operator} {right.code})", "scalar")
        return Term(f"({self._array(left)} {operator} {self._array(right)})", "mask")

    def _choice(self, left: ast.expr, right: ast.expr, operator: str) -> Term | None:
        """A text hyperparameter compared with one of its choices: text travels as its position."""
        if not (isinstance(left, ast.Attribute) and isinstance(right, ast.Constant)):
            return None
        declared = self._hypers.get(left.attr)
        if declared is None or right.value not in declared.choices:
            return None
        at = declared.choices.index(right.value)
        return Term(f"(h[{self._hyper_at[left.attr]}] {operator} {at})", "scalar")

    def _boolop(self, node: ast.BoolOp) -> Term:
        terms = [self._term(part) for part in node.values]
        if any(term.kind != "scalar" for term in terms):
            raise refusal(node, "`and` or `or` of arrays; write & or |")
        word = " and " if isinstance(node.op, ast.And) else " or "
        return Term("(" + word.join(term.code for term in terms) + ")", "scalar")

    def _ifexp(self, node: ast.IfExp) -> Term:
        test = self._term(node.test)
        if test.kind != "scalar":
            raise refusal(node, "`if` on an array; write np.where")
        yes, no = self._term(node.body), self._term(node.orelse)
        if yes.kind == no.kind == "scalar":
            return Term(f"(float({yes.code}) if {test.code} else float({no.code}))", "scalar")
        chosen = self._hoist(f"bool({test.code})")
        return Term(f"({self._array(yes)} if {chosen} else {self._array(no)})", "array")

    def _call(self, node: ast.Call) -> Term:
        name = self._function(node)
        terms = [self._term(part) for part in node.args]
        if node.keywords:
            raise refusal(node, f"a keyword in {name}()")
        if all(term.kind == "scalar" for term in terms):
            if name == "where" and len(terms) == 3:
                test, yes, no = (term.code for term in terms)
                return Term(f"(float({yes}) if {test} else float({no}))", "scalar")
            if name in _SCALAR_CALLS:
                codes = ", ".join(f"float({term.code})" for term in terms)
                return Term(f"{_SCALAR_CALLS[name]}({codes})", "scalar")
        if name == "clip" and len(terms) == 3:
            return self._fill("minimum", [self._fill("maximum", terms[:2]), terms[2]])
        if name == "power" and len(terms) == 2:
            return Term(self._power(self._array(terms[0]), terms[1]), "array")
        if name not in _ARRAY_CALLS or len(terms) != _ARRAY_CALLS[name][0]:
            raise refusal(node, f"the call {name}()")
        return self._fill(name, terms)

    def _fill(self, name: str, terms: list[Term]) -> Term:
        codes = [
            self._condition(term) if name == "where" and k == 0 else self._operand(term)
            for k, term in enumerate(terms)
        ]
        return Term(_ARRAY_CALLS[name][1].format(*codes), "array")

    def _condition(self, term: Term) -> str:
        if term.kind == "array":
            return f"({term.code} != zero)"
        return term.code if term.kind == "mask" else self._hoist(f"bool({term.code})")

    def _operand(self, term: Term) -> str:
        code = self._array(term)
        return code if code.isidentifier() else self._element(code)

    def _function(self, node: ast.Call) -> str:
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            if self._scope.get(function.value.id) in (np, math):
                return function.attr
        elif isinstance(function, ast.Name) and function.id in _BUILTINS:
            return function.id
        raise refusal(node, f"the call {ast.unparse(function)}()")


def refusal(node: ast.AST, what: str) -> NotFusibleError:
    """What is said of a part that cannot be fused."""
    return NotFusibleError(f"update contains {what} (line {getattr(node, 'lineno', '?')} of it)")
