"""A bag of words in which only rare words matter."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource

DOCUMENTS = 1500
CLASSES = 4
VOCABULARY = 400
COMMON = 40
"""Number of the most frequent words, which do not depend on the class."""
LENGTH = 30
BOOST = 5.0
"""Factor on the probability of a rare word in its own class."""


class SparseTextLike(DatasetSource):
    """1,500 sparse bags of words over 400 words, four classes that only rare words distinguish.

    Word k has a frequency in proportion to 1 / (k + 1) (Zipf). The 40 most frequent words are the
    same in every class; each rarer word belongs to one class, where it is five times as likely.
    The gradient of a rare word's weights is usually zero, so methods with a separate step size for
    each weight have an advantage.
    """

    name = "sparse-text-like"
    task = "multiclass"
    source = "generated: Zipf words, after the sparse case of Duchi, Hazan & Singer 2011; seed 0"
    cached = True
    standardize = False  # a zero means that the word is absent

    def load(self) -> tuple[Array, Array]:
        """Return word counts (1500, 400) and the class."""
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
