"""A power of the rest of the run."""

from optbench import Array, Schedule

POWER = 2.0


class Polynomial(Schedule):
    """The square of the rest of the run, from 1 to `final`.

    factor = final + (1 - final) (1 - s)^2.
    """

    name = "polynomial"
    source = "You, Gitman & Ginsburg 2017, Large batch training of convolutional networks"
    url = "https://arxiv.org/abs/1708.03888"
    variant = "power 2; power 1 is the schedule `linear`"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return final + (1 - final) * (1 - s) ** POWER
