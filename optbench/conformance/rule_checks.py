"""Checks of Rules: the formula is elementwise and pure, and the same when it is compiled."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

import numpy as np

from optbench.conformance.driving import read_only, same_bits
from optbench.conformance.kit import CheckFailedError, check, require
from optbench.contracts import Array, Rule, Values
from optbench.engine.loops.rule_steps import describe_returned, initial_slots
from optbench.hyperparameters import complete

SIZE = 12
"""Number of weights."""


class Call:
    """A call of `update`, with arguments after one step, which has filled the slots."""

    def __init__(self, rule: type[Rule], dtype: str = "float64", order: Array | None = None):
        self.rule = rule
        self.h = Values(complete(rule, {}))
        rng = np.random.default_rng(0)
        rows = slice(None) if order is None else order
        self.theta = rng.uniform(0.5, 1.5, SIZE).astype(dtype)[rows]
        self.grad = rng.normal(size=SIZE).astype(dtype)[rows]
        self.slots = initial_slots(rule, self.theta, self.h)
        self.scalars = tuple(rule.scalars.values())
        self.t = 1
        result = self.update()
        self.slots = [np.array(slot, dtype=dtype) for slot in result[1 : 1 + len(rule.slots)]]
        self.scalars = result[1 + len(rule.slots) :]
        self.t = 2

    def update(self) -> tuple[Any, ...]:
        """Call the Rule's `update`.

        Raises:
            CheckFailedError: It does not return what the Rule declares.
        """
        arguments = (self.theta, self.grad, *self.slots, *self.scalars, self.t, self.h)
        result: Any = self.rule.update(*arguments)
        size = 1 + len(self.rule.slots) + len(self.rule.scalars)
        require(
            isinstance(result, tuple) and len(result) == size, describe_returned(self.rule, result)
        )
        return result  # type: ignore[no-any-return]

    def arrays(self, result: tuple[Any, ...]) -> dict[str, Any]:
        """Return the arrays of a result of `update` by name."""
        return dict(zip(("theta", *self.rule.slots), result, strict=False))


@check(("rule",))
def check_returns_what_it_declares(item: type[Rule]) -> None:
    """`update` returns theta, each slot and each scalar, in this order."""
    _require_order(item)
    call = Call(item)
    result = call.update()
    for name, value in zip(item.scalars, result[1 + len(item.slots) :], strict=True):
        require(np.ndim(value) == 0, f"the scalar state '{name}' became an array")
        require(np.isfinite(value), f"the scalar state '{name}' is not finite")


def _require_order(item: type[Rule]) -> None:
    """Fail the check if the last line returns the names of the states in another order."""
    states = [*item.slots, *item.scalars]
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(item.update))).body[0]
    except (OSError, TypeError, SyntaxError):
        return  # its values are checked, if not its text
    end = function.body[-1] if isinstance(function, ast.FunctionDef) else None
    if isinstance(end, ast.Return) and isinstance(end.value, ast.Tuple):
        names = [part.id for part in end.value.elts[1:] if isinstance(part, ast.Name)]
        require(
            names == states or sorted(names) != sorted(states),
            f"update returns {', '.join(names)}; write `return theta, {', '.join(states)}`",
        )


@check(("rule",))
def check_state_keeps_shape_and_dtype(item: type[Rule]) -> None:
    """Theta and every slot come back with the shape and dtype that they had."""
    for dtype in ("float32", "float64"):
        call = Call(item, dtype)
        for name, value in call.arrays(call.update()).items():
            _require_shape(name, value, call.theta)
            require(isinstance(value, np.ndarray), f"'{name}' does not come back as an array")
            require(
                value.dtype == call.theta.dtype,
                f"'{name}' goes in as {dtype} and comes back as {value.dtype}; np.sqrt of a "
                "plain number promotes, so write x ** 0.5 for plain numbers",
            )


def _require_shape(name: str, value: Any, theta: Array) -> None:
    array = np.asarray(value)
    require(
        array.shape == theta.shape,
        f"{name} came back as {array.dtype} of shape {array.shape}, not as {theta.dtype} of shape "
        f"{theta.shape}",
    )


@check(("rule",))
def check_inputs_are_not_mutated(item: type[Rule]) -> None:
    """`update` does not write to its arguments."""
    call = Call(item)
    with read_only([call.theta, call.grad, *call.slots], "an argument of `update`"):
        call.update()


@check(("rule",))
def check_update_is_pure(item: type[Rule]) -> None:
    """The same arguments give the same result at every call."""
    call = Call(item)
    first, second = (list(call.arrays(call.update()).values()) for _ in range(2))
    require(
        same_bits(first, second),
        "a second call with the same arguments gives another result; keep state only in slots",
    )


@check(("rule",))
def check_update_is_elementwise(item: type[Rule]) -> None:
    """The update of each weight depends only on its own numbers."""
    order = np.random.default_rng(1).permutation(SIZE)
    straight, shuffled = Call(item), Call(item, order=order)
    part = Call(item, order=order[: SIZE // 2])
    expected = straight.arrays(straight.update())
    for name, value in expected.items():
        _require_shape(name, value, straight.theta)
    for other, rows in ((shuffled, order), (part, order[: SIZE // 2])):
        for name, value in other.arrays(other.update()).items():
            require(
                np.allclose(value, expected[name][rows], rtol=1e-12, atol=1e-15, equal_nan=True),
                f"'{name}' of one weight depends on other weights; a Rule is elementwise, write "
                "a Stepper to use whole arrays",
            )


@check(("rule",))
def check_compiled_equals_reference(item: type[Rule]) -> None:
    """The compiled loop and the NumPy reference reach the same weights."""
    from optbench.conformance.training_checks import train_once
    from optbench.engine.loops.choice import choose_loop

    if choose_loop(item)[0] != "compiled":
        return  # it trains in the reference loop, so there is nothing to compare
    for dtype, rtol in (("float64", 1e-7), ("float32", 1e-3)):
        reference = train_once(item, loop="reference", dtype=dtype).params or []
        compiled = train_once(item, loop="compiled", dtype=dtype)
        require(compiled.loop == "compiled", f"it should be compiled, but ran {compiled.loop}")
        for pair, expected in zip(compiled.params or [], reference, strict=True):
            for actual, wanted in zip(pair, expected, strict=True):
                error, size = float(np.abs(actual - wanted).max()), float(np.abs(wanted).max())
                if not error <= rtol * max(size, 0.01):
                    raise CheckFailedError(
                        f"compiled and reference differ by {error:.3g} in {dtype}"
                    )
