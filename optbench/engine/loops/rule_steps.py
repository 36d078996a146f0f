"""The steps of a Rule in NumPy: its update applied to one array after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from optbench.contracts import Array, Rule, Values
from optbench.errors import PluginError, describe_error


class RuleSteps:
    """The slots and scalars of a Rule, and its steps.

    Args:
        rule: The Rule.
        params: Arrays to train, changed in place.
        h: Hyperparameter values before the first step.

    Attributes:
        used: Empty, because a Rule declares no needs.
    """

    used: frozenset[str] = frozenset()

    def __init__(self, rule: type[Rule], params: list[Array], h: Values) -> None:
        self._rule = rule
        self._params = params
        self._slots = [initial_slots(rule, p, h) for p in params]
        self._scalars = tuple(rule.scalars.values())

    @property
    def state(self) -> object:
        """The slots of each array."""
        return self._slots

    def step(
        self,
        grads: list[Array],
        t: int,
        h: Values,
        loss: float,
        closure: Callable[[], float] | None,
    ) -> None:
        """Update every array; loss and closure are not used.

        Raises:
            PluginError: The update does not return the values that the Rule declares.
        """
        rule, scalars = self._rule, self._scalars
        n_slots = len(rule.slots)
        expected = 1 + n_slots + len(scalars)
        for index, (theta, grad) in enumerate(zip(self._params, grads, strict=True)):
            result = rule.update(theta, grad, *self._slots[index], *scalars, t, h)
            if not isinstance(result, tuple) or len(result) != expected:
                raise PluginError(f"optimizer '{rule.name}': {describe_returned(rule, result)}")
            # Copied before theta changes: a rule may keep the gradient or the old theta as a slot,
            # and both buffers are overwritten.
            slots = result[1 : 1 + n_slots]
            self._slots[index] = [
                np.array(checked_array(slot, theta, rule, name), dtype=theta.dtype)
                for slot, name in zip(slots, rule.slots, strict=True)
            ]
            theta[...] = checked_array(result[0], theta, rule, "theta")
            self._scalars = result[1 + n_slots :]
            _check_scalars(rule, self._scalars)

    def expect(self, total_steps: int) -> None:
        """Do nothing, because a Rule does not know the number of updates."""

    def eval_params(self) -> list[Array]:
        """Return the arrays themselves."""
        return self._params


def describe_returned(rule: type[Rule], result: object) -> str:
    """Say how what `update` returned differs from the tuple that the Rule declares.

    Example:
        >>> describe_returned(Rule, np.zeros(3))
        'update returned an array; write `return (theta,)`, a tuple with a comma'
    """
    names = ["theta", *rule.slots, *rule.scalars]
    wanted = f"`return ({names[0]},)`" if len(names) == 1 else f"`return {', '.join(names)}`"
    if result is None:
        return f"update returned nothing; end it with {wanted}"
    if isinstance(result, np.ndarray | np.generic):
        comma = ", a tuple with a comma" if len(names) == 1 else ""
        return f"update returned an array; write {wanted}{comma}"
    if isinstance(result, tuple):
        return f"update returned a tuple of {len(result)}; write {wanted}"
    return f"update returned a {type(result).__name__}; write {wanted}"


def initial_slots(rule: type[Rule], theta: Array, h: Values) -> list[Array]:
    """Return the state arrays of a Rule before its first step.

    Args:
        rule: The Rule.
        theta: The array that is trained.
        h: Hyperparameter values.

    Returns:
        One array per slot, with the shape and dtype of `theta`.

    Raises:
        PluginError: `init` of the Rule raises, or does not return its slots.
    """
    try:
        slots = rule.init(theta, h)
        if slots is None:
            return [np.zeros_like(theta) for _ in rule.slots]
        slots = tuple(slots)
    except Exception as cause:
        raise PluginError(
            f"optimizer '{rule.name}': init: {describe_error(cause, rule)}"
        ) from cause
    if len(slots) != len(rule.slots):
        raise PluginError(
            f"optimizer '{rule.name}': init returned {len(slots)} slots, not {len(rule.slots)}"
        )
    checked = [
        checked_array(slot, theta, rule, name) for slot, name in zip(slots, rule.slots, strict=True)
    ]
    return [np.array(np.broadcast_to(slot, theta.shape), dtype=theta.dtype) for slot in checked]


def checked_array(value: Any, theta: Array, rule: type[Rule], name: str) -> Any:
    """Return the value of a Rule for an array: real numbers in theta's shape, or one number.

    Args:
        value: Value that the Rule returned.
        theta: The array that is trained.
        rule: The Rule.
        name: ``"theta"``, or the name of the slot.

    Raises:
        PluginError: The value has another shape or type; NumPy would broadcast it, or drop an
            imaginary part.
    """
    if isinstance(value, np.ndarray) and value.dtype == theta.dtype and value.shape == theta.shape:
        return value
    try:
        array = np.asarray(value)
    except Exception as cause:
        raise PluginError(f"optimizer '{rule.name}': {name}: {describe_error(cause)}") from cause
    if array.shape not in (theta.shape, ()) or array.dtype.kind not in "fiub":
        raise PluginError(
            f"optimizer '{rule.name}': {name} came back as {array.dtype} of shape {array.shape}, "
            f"not as {theta.dtype} of shape {theta.shape}"
        )
    return array


def _check_scalars(rule: type[Rule], values: Sequence[object]) -> None:
    for value, name in zip(values, rule.scalars, strict=True):
        try:
            if not isinstance(value, int | float | np.floating | np.integer | np.bool_):
                raise TypeError
            float(value)
        except (TypeError, OverflowError):
            raise PluginError(
                f"optimizer '{rule.name}': {name} came back as {type(value).__name__}, "
                "not as a number that fits into float64"
            ) from None
