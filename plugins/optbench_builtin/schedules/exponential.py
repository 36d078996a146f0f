"""The same factor at every update."""

from optbench import Array, Schedule

DEFAULT_FINAL = 0.01
"""Final factor unless one is given; an exponential never reaches 0."""


class Exponential(Schedule):
    """A decay by the same factor at every update.

    factor = final^s.
    """

    name = "exponential"
    source = (
        "Senior et al. 2013, An empirical study of learning rates in deep neural networks for "
        "speech recognition"
    )
    variant = "ends at `final`, or at 0.01 if that is 0"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return (final or DEFAULT_FINAL) ** s
