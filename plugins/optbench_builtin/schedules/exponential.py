"""The same factor at every update."""

from optbench import Array, Schedule


class Exponential(Schedule):
    """A decay by the same factor at every update.

    factor = final^s.
    """

    name = "exponential"
    source = (
        "Senior et al. 2013, An empirical study of learning rates in deep neural networks for "
        "speech recognition"
    )
    variant = "ends at `final`, 0.01 unless given; with final=0 only the first update has a rate"
    final = 0.01

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return final**s
