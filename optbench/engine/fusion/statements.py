"""Turns the body of a Rule into the source of one fused loop.

The formula is read from the plugin's own source. Scalar subexpressions (``1 - h.beta1**t``) are
computed once a step in float64; everything elementwise is computed in the run's dtype, as NumPy
does it; division by a scalar becomes multiplication by its inverse; slots below the smallest normal
number become 0, because arithmetic with subnormal numbers is slow. What the translation does not
know is refused with `NotFusibleError`, and the Rule trains in the stepped loop.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from optbench.contracts import Rule
from optbench.engine.fusion.expressions import Formulas, NotFusibleError, Term, refusal

__all__ = ["Fuser", "NotFusibleError", "fuse"]


class Fuser(Formulas):
    """Translates one Rule; `source` is the text of a function of the engine's fixed signature."""

    def __init__(self, rule: type[Rule], dtype: str) -> None:
        self._rule = rule
        self._dtype = dtype
        super().__init__(_scope(rule.update), rule.hypers())

    def source(self) -> str:
        """The fused function ``update(theta, grad, slots, scalars, h, t)`` as Python source."""
        function = _parse(self._rule.update)
        self._bind(function)
        for statement in function.body[:-1]:
            self._statement(statement)
        self._finish(function.body[-1])
        indent = "\n    "
        return (
            "def update(theta, grad, slots, scalars, h, t):"
            f"{indent}step = float(t)"
            f"{indent}zero, one, tiny = dtype(0), dtype(1), dtype({_tiny(self._dtype)!r})"
            + "".join(indent + line for line in self._before)
            + f"{indent}for i in range(theta.size):"
            + "".join(indent + "    " + line for line in self._inside)
            + "".join(indent + line for line in self._after)
            + "\n"
        )

    def _bind(self, function: ast.FunctionDef) -> None:
        """Give the arguments their meaning, by position."""
        names = [argument.arg for argument in function.args.args]
        rule = self._rule
        expected = 2 + len(rule.slots) + len(rule.scalars) + 2
        if len(names) != expected:
            raise NotFusibleError(f"update has {len(names)} arguments, not {expected}")
        theta, grad = names[:2]
        slots = names[2 : 2 + len(rule.slots)]
        scalars = names[2 + len(rule.slots) : -2]
        t, self._h = names[-2:]
        self._load(theta, "theta[i]")
        self._load(grad, "grad[i]")
        for k, name in enumerate(slots):
            self._load(name, f"slots[{k}, i]")
        for k, name in enumerate(scalars):
            self._names[name] = Term(self._hoist(f"scalars[{k}]"), "scalar")
        self._names[t] = Term("step", "scalar")

    def _load(self, name: str, code: str) -> None:
        self._names[name] = Term(self._element(code), "array")

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            left = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
            value: ast.expr = ast.copy_location(ast.BinOp(left, node.op, node.value), node)
            self._assign(node.target, value)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            self._assign(node.targets[0], node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._assign(node.target, node.value)
        else:
            raise refusal(node, f"a statement '{type(node).__name__.lower()}'")

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            terms = [self._term(part) for part in value.elts]
            if len(terms) == len(target.elts):
                for part, term in zip(target.elts, terms, strict=True):
                    self._let(part, term)
                return
        self._let(target, self._term(value))

    def _let(self, target: ast.expr, term: Term) -> None:
        """Every assignment makes a new name, so scalars can move ahead of the loop safely."""
        if not isinstance(target, ast.Name):
            raise refusal(target, "an assignment to anything but a name")
        place = self._hoist if term.kind == "scalar" else self._element
        self._names[target.id] = Term(place(term.code), term.kind)

    def _finish(self, node: ast.stmt) -> None:
        if not isinstance(node, ast.Return) or not isinstance(node.value, ast.Tuple):
            raise refusal(node, "an end that is not `return theta, ...`")
        terms = [self._term(part) for part in node.value.elts]
        n_slots = len(self._rule.slots)
        if len(terms) != 1 + n_slots + len(self._rule.scalars):
            raise refusal(node, f"a return of {len(terms)} values")
        self._inside.append(f"theta[i] = {self._array(terms[0])}")
        for k, term in enumerate(terms[1 : 1 + n_slots]):
            value = self._element(self._array(term))
            self._inside.append(f"slots[{k}, i] = zero if abs({value}) < tiny else {value}")
        self._after = []
        for k, term in enumerate(terms[1 + n_slots :]):
            if term.kind != "scalar":
                raise refusal(node, "an array returned for a scalar state")
            self._after.append(f"scalars[{k}] = {self._hoist(term.code)}")


def fuse(rule: type[Rule], dtype: str) -> str:
    """Source of the fused loop of a Rule.

    Raises:
        NotFusibleError: its body goes beyond the subset; the text says which part.
    """
    return Fuser(rule, dtype).source()


def _parse(function: Callable[..., Any]) -> ast.FunctionDef:
    try:
        text = textwrap.dedent(inspect.getsource(function))
        node = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError) as cause:  # a lambda in the middle of an expression
        raise NotFusibleError("its source cannot be read") from cause
    if not isinstance(node, ast.FunctionDef):
        raise NotFusibleError("update is not a plain function")
    return node


def _scope(function: Callable[..., Any]) -> dict[str, Any]:
    """Names that the function sees from outside."""
    names = dict(getattr(function, "__globals__", {}))
    names.update(inspect.getclosurevars(function).nonlocals)
    return names


def _tiny(dtype: str) -> float:
    return float(np.finfo(dtype).smallest_normal)
