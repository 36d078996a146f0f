"""The portrait of an optimizer: what it does in ten named properties, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optbench.inspection.portraits import behaviours, invariances
from optbench.inspection.portraits.costs import state_arrays, update_microseconds
from optbench.inspection.portraits.subject import Subject

INVARIANT = 0.01
"""Largest deviation, as a share of the way covered, of a path that counts as the same."""
MARKS = {True: "yes ", False: "no ", None: ""}
"""Of a value that meets its criterion, of one that does not, and of one that has none."""


@dataclass(frozen=True)
class Property:
    """One property of an optimizer.

    Attributes:
        name: Short name.
        question: What is measured, as a question.
        unit: Unit of the measured value, after the number; empty if it has none.
        least, most: Range of values with which an optimizer has the property; both infinite if the
            value is a figure that is neither good nor bad.
        source: Paper or book that describes the property.
        measure: Returns the value, NaN if it does not apply.
    """

    name: str
    question: str
    unit: str
    source: str
    measure: Callable[[Subject], float]
    least: float = -math.inf
    most: float = math.inf

    @property
    def criterion(self) -> str:
        """Condition that a value has to meet; empty if there is none."""
        if math.isfinite(self.most):
            return f"at most {self.text(self.most)}"
        return f"at least {self.text(self.least)}" if math.isfinite(self.least) else ""

    def text(self, value: float) -> str:
        """Return a value with its unit; a dash if the property does not apply."""
        if math.isnan(value):
            return "–"
        if math.isinf(value):
            return "never" if self.unit == " updates" else "diverges"
        if value > 10 and self.unit == "%":
            return "over 1000%"
        if self.unit == "%":
            return "<0.01%" if 0 < value < 1e-4 else f"{100 * value:.3g}%"
        unit = self.unit.removesuffix("s") if value == 1 else self.unit
        return f"{value:.3g}{unit}"


@dataclass(frozen=True)
class Measured:
    """A property of one optimizer.

    Attributes:
        of: The property.
        value: The measured value; NaN if the property does not apply.
    """

    of: Property
    value: float

    @property
    def passed(self) -> bool | None:
        """Whether the value meets the criterion; None without a criterion or a value."""
        if not self.of.criterion or math.isnan(self.value):
            return None
        return self.of.least <= self.value <= self.of.most

    def __str__(self) -> str:
        return self.of.text(self.value)


PROPERTIES = (
    Property(
        "scale of the loss",
        "Does the path stay the same if the loss is multiplied by 1000?",
        "%",
        "Kingma and Ba 2015, section 2.1",
        invariances.loss_scale,
        most=INVARIANT,
    ),
    Property(
        "scale of parameters",
        "Does the path stay the same if the parameters have other units?",
        "%",
        "You, Gitman and Ginsburg 2017",
        invariances.parameter_scale,
        most=INVARIANT,
    ),
    Property(
        "rotation",
        "Does the path stay the same if the rows of a matrix are rotated?",
        "%",
        "Maes et al. 2024, arXiv:2410.19964",
        invariances.rotation,
        most=INVARIANT,
    ),
    Property(
        "narrow valley",
        "How soon is a quadratic of condition number 100 at a millionth?",
        " updates",
        "Polyak 1964",
        behaviours.valley_updates,
        most=160,
    ),
    Property(
        "saddle",
        "How soon does it leave a saddle, starting a millionth beside the ridge?",
        " updates",
        "Dauphin et al. 2014",
        behaviours.saddle_updates,
        most=50,
    ),
    Property(
        "curved ravine",
        "How low is Rosenbrock's function after 500 updates?",
        "",
        "Rosenbrock 1960",
        behaviours.ravine_value,
        most=0.1,
    ),
    Property(
        "rare gradients",
        "How much longer is the step of a coordinate with a gradient in 1 of 20 updates?",
        "×",
        "Duchi, Hazan and Singer 2011",
        behaviours.rare_step,
        least=2,
    ),
    Property(
        "larger batches",
        "With which exponent does the loss floor fall as the batch grows?",
        "",
        "Zhang et al. 2019, arXiv:1907.04164",
        behaviours.noise_exponent,
        least=0.8,
    ),
    Property(
        "choice of the rate",
        "Over how many decades of learning rates does it solve a quadratic?",
        " decades",
        "Asi and Duchi 2019",
        behaviours.rate_decades,
        least=1.5,
    ),
    Property(
        "bad gradient",
        "How soon does it recover from one gradient that is 1000 times too large?",
        " updates",
        "Zhang et al. 2020, arXiv:1905.11881",
        behaviours.recovery_updates,
        most=100,
    ),
    Property(
        "memory",
        "How many numbers does it keep for each parameter?",
        "",
        "",
        state_arrays,
    ),
    Property(
        "cost",
        "How long is an update of a 64-32-32-10 network, gradient included?",
        " µs",
        "",
        update_microseconds,
    ),
)
"""The properties of a portrait, in their order."""


def compare_portraits(portraits: Sequence[Sequence[Measured]]) -> list[tuple[str, ...]]:
    """Return a row for each property: its name, the value of each optimizer, and the criterion.

    In front of a value stands whether it meets the criterion: yes, no, or nothing without one.
    """
    return [
        (row[0].of.name, *(f"{MARKS[each.passed]}{each}" for each in row), row[0].of.criterion)
        for row in zip(*portraits, strict=True)
    ]


def draw_portrait(subject: Subject, properties: Sequence[Property] = PROPERTIES) -> list[Measured]:
    """Return the properties of an optimizer, measured in about three seconds.

    Args:
        subject: The optimizer.
        properties: Properties to measure.
    """
    return [Measured(each, each.measure(subject)) for each in properties]
