"""Handwritten digits, 8 x 8 pixels."""

from __future__ import annotations

from types import MappingProxyType
from typing import cast

from optbench import Array, DatasetSource


class Digits(DatasetSource):
    """1,797 handwritten digits of 8 x 8 pixels, ten classes."""

    name = "digits"
    task = "multiclass"
    source = "Alpaydin & Kaynak 1998, UCI Optical Recognition of Handwritten Digits; scikit-learn"
    url = "https://doi.org/10.24432/C50P49"
    cached = True
    expected_cautions = MappingProxyType(
        {"constant-columns": "pixels at the edge are blank in every image"}
    )

    def load(self) -> tuple[Array, Array]:
        """Return pixels (1797, 64), 0 to 16, and the digit."""
        from sklearn.datasets import load_digits

        return cast("tuple[Array, Array]", load_digits(return_X_y=True))
