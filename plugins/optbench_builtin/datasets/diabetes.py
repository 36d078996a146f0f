"""Progression of diabetes."""

from __future__ import annotations

from typing import cast

from optbench import Array, DatasetSource


class Diabetes(DatasetSource):
    """442 patients, 10 measurements, progression of diabetes after a year (regression)."""

    name = "diabetes"
    task = "regression"
    source = "Efron, Hastie, Johnstone & Tibshirani 2004, Least Angle Regression; scikit-learn"
    url = "https://doi.org/10.1214/009053604000000067"
    cached = True

    def load(self) -> tuple[Array, Array]:
        """Return measurements (442, 10) and the measure of progression."""
        from sklearn.datasets import load_diabetes

        return cast("tuple[Array, Array]", load_diabetes(return_X_y=True))
