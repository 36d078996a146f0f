"""Breast cancer, Wisconsin (diagnostic)."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource


class BreastCancer(DatasetSource):
    """569 tumours, 30 measurements of cell nuclei, malignant or benign."""

    name = "breast-cancer"
    task = "binary"
    source = (
        "Street, Wolberg & Mangasarian 1993, UCI Breast Cancer Wisconsin (Diagnostic); scikit-learn"
    )
    url = "https://doi.org/10.24432/C5DW2B"
    cached = True

    def load(self) -> tuple[Array, Array]:
        """Return measurements (569, 30); 0 is malignant, 1 benign."""
        from sklearn.datasets import load_breast_cancer

        return cast("tuple[Array, Array]", load_breast_cancer(return_X_y=True))
