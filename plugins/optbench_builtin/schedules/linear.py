"""A straight line."""

from optbench import Array, Schedule


class Linear(Schedule):
    """A straight line from 1 to `final`.

    factor = 1 - (1 - final) s.
    """

    name = "linear"
    source = "Goodfellow, Bengio & Courville 2016, Deep Learning, equation 8.14"
    url = "https://www.deeplearningbook.org/contents/optimization.html"
    variant = "falls over the whole run after the warm-up"

    @staticmethod
    def factor(s: Array, final: float) -> Array:
        return 1 - (1 - final) * s
