"""Promises of datasets."""

from __future__ import annotations

import numpy as np

from optbench.contracts import Dataset


def test_a_dataset_knows_its_width() -> None:
    """The input layer is as wide as the data."""
    x, y = np.zeros((4, 3)), np.zeros(4, dtype=np.int64)
    data = Dataset("d", "binary", x, y, x, y, x, y, 1, "hash")
    assert data.n_features == 3
