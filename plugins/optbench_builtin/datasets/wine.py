"""Wines of three growers."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource


class Wine(DatasetSource):
    """178 wines, 13 chemical measurements, three growers."""

    name = "wine"
    task = "multiclass"
    source = "Aeberhard & Forina 1991, UCI Wine; scikit-learn"
    url = "https://doi.org/10.24432/C5PC7J"
    cached = True

    def load(self) -> tuple[Array, Array]:
        """Return measurements (178, 13) and the grower."""
        from sklearn.datasets import load_wine

        return cast("tuple[Array, Array]", load_wine(return_X_y=True))
