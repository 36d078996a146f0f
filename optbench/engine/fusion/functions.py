"""The functions that the update of a Rule may call, as source of the fused function."""

from __future__ import annotations

BUILTINS = ("abs", "min", "max", "float", "pow")
"""Python builtins that may be called; all other functions belong to numpy or math."""

SCALAR_FUNCTIONS = {
    "sqrt": "math.sqrt", "exp": "math.exp", "log": "math.log", "log1p": "math.log1p",
    "expm1": "math.expm1", "cos": "math.cos", "sin": "math.sin", "tanh": "math.tanh",
    "floor": "math.floor", "ceil": "math.ceil", "abs": "abs", "fabs": "abs",
    "min": "min", "max": "max", "minimum": "min", "maximum": "max", "float": "float",
    "power": "pow", "pow": "pow",
}  # fmt: skip
"""Functions of float64 scalars: name in the update -> name in the fused function."""

ELEMENT_FUNCTIONS: dict[str, tuple[int, str]] = {
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
    # NaN and 0 map to themselves, as in NumPy.
    "sign": (1, "(one if {0} > zero else (-one if {0} < zero else {0}))"),
    "maximum": (2, "({0} if {0} > {1} or {0} != {0} else {1})"),
    "minimum": (2, "({0} if {0} < {1} or {0} != {0} else {1})"),
    "copysign": (2, "math.copysign({0}, {1})"),
    "where": (3, "({1} if {0} else {2})"),
}
"""Functions of one array element: name in the update -> number of arguments and source."""
