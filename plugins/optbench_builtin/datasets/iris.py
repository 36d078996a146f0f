"""Irises of three species."""

from __future__ import annotations

from types import MappingProxyType
from typing import cast

from optbench import Array, DatasetSource


class Iris(DatasetSource):
    """150 irises, 4 measurements of the flower, three species."""

    name = "iris"
    task = "multiclass"
    source = "Fisher 1936, The Use of Multiple Measurements in Taxonomic Problems; scikit-learn"
    url = "https://doi.org/10.1111/j.1469-1809.1936.tb02137.x"
    cached = True
    expected_cautions = MappingProxyType(
        {"duplicates": "two of the flowers were measured alike, and one is a test example"}
    )

    def load(self) -> tuple[Array, Array]:
        """Return measurements in cm (150, 4) and the species."""
        from sklearn.datasets import load_iris

        return cast("tuple[Array, Array]", load_iris(return_X_y=True))
