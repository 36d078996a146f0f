"""What fusing refuses, in words that name the part; a Rule is translated once."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from optbench import Rule, hyper
from optbench.engine.fusion import statements
from optbench.engine.fusion.machine_code import is_cached, why_not_fused


def rule_with(update: Any, **attributes: Any) -> Any:
    """A Rule with hyperparameters of every kind and this update."""
    members = {
        "name": "planted",
        "lr": hyper(0.1, low=0),
        "form": hyper("a", choices=("a", "b")),
        "update": staticmethod(update),
        **attributes,
    }
    return type("Planted", (Rule,), members)


def chained(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta if 0 < t < 3 else grad,)


def looping(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    for _ in range(2):
        theta = theta - h.lr * grad
    return (theta,)


def branching(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta - (grad if grad > 0 else theta),)


def listing(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta - [grad][0],)


def reducing(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta - np.linalg.norm(grad),)


def keyword(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta - np.clip(grad, a_min=0, a_max=1),)


def undeclared(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta - h.rate * grad,)


def wording(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta - h.form * grad,)


def subscripted(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    theta[0] = 1.0
    return (theta,)


def unpacked(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    a, b = grad
    return (theta - a - b,)


def deleting(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    del grad
    return (theta,)


def ending(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return theta - grad


def empty(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return ()


def lacking(theta: Any, grad: Any) -> Any:
    return (theta - grad,)


def both(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta * ((grad > 0) and (theta > 0)),)


def matrix(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta @ grad,)


@pytest.mark.parametrize(
    ("update", "words"),
    [
        (chained, "a chained or unusual comparison (test_translation.py:"),
        (looping, "a statement 'for' (test_translation.py:"),
        (branching, "`if` on an array; write np.where"),
        (listing, "an expression 'subscript'"),
        (reducing, "the call np.linalg.norm()"),
        (keyword, "a keyword in clip()"),
        (undeclared, "the undeclared hyperparameter 'rate'"),
        (wording, "the text 'form' outside of a comparison"),
        (subscripted, "an assignment to anything but a name"),
        (unpacked, "an assignment to anything but a name"),
        (deleting, "a statement 'delete'"),
        (ending, "an end that is not `return theta, ...`"),
        (empty, "a return of 0 values"),
        (lacking, "update has 2 arguments, not 4"),
        (both, "`and` or `or` of arrays; write & or |"),
        (matrix, "the operator 'MatMult'"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_reason_names_the_part(update: Any, words: str) -> None:
    """An update outside of the subset is refused with the part and its line."""
    assert words in why_not_fused(rule_with(update))


def test_a_scalar_state_stays_a_scalar() -> Any:
    """A Rule that returns an array for a scalar state is refused."""

    def update(theta: Any, grad: Any, total: Any, t: Any, h: Any) -> Any:
        return theta - h.lr * grad, total + grad

    rule = rule_with(update, scalars={"total": 0.0})
    assert "an array returned for a scalar state" in why_not_fused(rule)


def test_a_rule_is_translated_once(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The reason, the state of the cache and both dtypes share one translation."""

    def update(theta: Any, grad: Any, t: Any, h: Any) -> Any:
        return (theta - h.lr * grad,)

    read: list[object] = []
    get_source = inspect.getsource

    def remember(function: Any) -> str:
        read.append(function)
        return get_source(function)

    monkeypatch.setattr(inspect, "getsource", remember)
    rule = rule_with(update)
    assert why_not_fused(rule) == ""
    for dtype in ("float32", "float64"):
        is_cached(rule, dtype)
    assert read == [update]


def test_the_source_of_a_plain_rule() -> Any:
    """Scalars come before the loop in float64, elements stay in it, in the run's dtype."""

    def update(theta: Any, grad: Any, v: Any, t: Any, h: Any) -> Any:
        v = 0.9 * v + grad / (1 + t)
        return theta - h.lr * v, v

    source = statements.translate_update(rule_with(update, slots=("v",))).render("float32")
    before, inside = source.split("        for j in range(columns):\n")
    assert "dtype(1.0 / (1 + step))" in before
    assert "e2 = factor * load(grad, j)" in inside
    assert "store(theta, i, (e1 - (" in inside
    assert "dtype(" not in inside
