"""The source of one fused loop, collected line by line while a Rule is translated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["scalar", "array", "mask"]


@dataclass(frozen=True)
class Term:
    """A translated expression.

    Attributes:
        code: Python source of the term in the fused function.
        kind: ``"scalar"`` for one float64 value per step; ``"array"`` for one number and
            ``"mask"`` for one truth value per element.
        integer: Value of an integer literal, which decides how a power is computed.
    """

    code: str
    kind: Kind
    integer: int | None = None


ARGUMENTS = "theta, grad, slots, scalars, h, t, first, rows, columns, factors, at, last"
"""Arguments of a fused function, see `compiled_rule`."""


class LoopSource:
    """The lines of a fused function, whose arguments are `ARGUMENTS`.

    Scalars are computed before the loop in float64, elements inside the loop in the dtype of the
    run. Every value is bound to a new name, so a scalar can move before the loop safely.
    """

    def __init__(self) -> None:
        self._before: list[str] = []
        self._inside: list[str] = []
        self._after: list[str] = []
        self._casts: dict[str, str] = {}
        self._count = 0

    def bind_scalar(self, code: str) -> str:
        """Compute a scalar before the loop and return its new name."""
        name = self._new_name("s")
        self._before.append(f"{name} = {code}")
        return name

    def bind_element(self, code: str) -> str:
        """Compute a value for each element inside the loop and return its new name."""
        name = self._new_name("e")
        self._inside.append(f"{name} = {code}")
        return name

    def cast(self, code: str) -> str:
        """Cast a scalar to the dtype of the run once before the loop, and return its name."""
        if code not in self._casts:
            self._casts[code] = self.bind_scalar(f"dtype({code})")
        return self._casts[code]

    def element(self, term: Term) -> str:
        """Return the source of a term as one number of the run's dtype."""
        if term.kind == "mask":
            return f"(one if {term.code} else zero)"
        if term.kind == "array":
            return term.code
        return self.cast(term.code)

    def store_theta(self, term: Term) -> None:
        """Write the new parameter."""
        self._inside.append(f"store(theta, i, {self.element(term)})")

    def store_slot(self, index: int, term: Term) -> None:
        """Write a slot; subnormal numbers become 0 because arithmetic with them is slow."""
        value = self.bind_element(self.element(term))
        kept = f"zero if abs({value}) < tiny else {value}"
        self._inside.append(f"store(slots, {index} * size + i, {kept})")

    def store_scalar(self, index: int, term: Term) -> None:
        """Write a scalar state, after the loop over the last part of the parameters."""
        self._after.append(f"scalars[{index}] = {self.bind_scalar(term.code)}")

    def render(self, dtype: str) -> str:
        """Return the fused function as Python source.

        Args:
            dtype: ``"float32"`` or ``"float64"``, of theta, grad and slots.
        """
        tiny = float(np.finfo(dtype).smallest_normal)
        lines = [
            f"def update({ARGUMENTS}):",
            "    step, size = float(t), slots.shape[1]",
            f"    zero, one, tiny = dtype(0), dtype(1), dtype({tiny!r})",
            *("    " + line for line in self._before),
            "    for row in range(rows):",
            "        factor = load(factors, at + row)",
            "        begin = first + row * columns",
            "        for j in range(columns):",
            "            i = begin + j",
            *("            " + line for line in self._inside),
            *(["    if last:"] if self._after else []),
            *("        " + line for line in self._after),
        ]
        return "\n".join(lines) + "\n"

    def _new_name(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"
