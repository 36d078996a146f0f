"""A bag of words in which rare words decide."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource

DOCUMENTS = 1500
CLASSES = 4
VOCABULARY = 400
COMMON = 40
"""The most frequent words, which say nothing about the class."""
LENGTH = 30
BOOST = 5.0
"""How much likelier a rare word is in the class it belongs to."""


class SparseTextLike(DatasetSource):
    """1,500 sparse bags of words over 400 words, four classes told apart by rare words alone.

    Word k has a frequency in proportion to 1 / (k + 1) (Zipf). The 40 most frequent words are the
    same in every class; each rarer word belongs to one class, where it is five times as likely.
    The gradient of a rare word's weights is seldom other than zero, so a method with a step size
    of its own for each weight is at an advantage.
    """

    name = "sparse-text-like"
    task = "multiclass"
    source = "generated: Zipf words, after the sparse case of Duchi, Hazan & Singer 2011; seed 0"
    cached = True
    standardize = False  # a zero means that the word is absent

    def load(self) -> tuple[Array, Array]:
        """Word counts (1500, 400) and the class."""
        rng = np.random.default_rng(0)
        zipf = 1 / np.arange(1, VOCABULARY + 1)
        owner = np.arange(VOCABULARY) % CLASSES
        rare = np.arange(VOCABULARY) >= COMMON
        frequencies = np.stack(
            [zipf * np.where(rare & (owner == label), BOOST, 1.0) for label in range(CLASSES)]
        )
        frequencies /= frequencies.sum(axis=1, keepdims=True)
        labels = rng.integers(CLASSES, size=DOCUMENTS)
        counts = rng.multinomial(LENGTH, frequencies[labels])
        return counts.astype(np.float64), labels
