"""A bag of words in which only rare words matter."""

from __future__ import annotations

import numpy as np

from optbench import Array, DatasetSource, hyper


class SparseTextLike(DatasetSource):
    """Sparse bags of words, in classes that only rare words distinguish.

    Word k has a frequency in proportion to 1 / (k + 1) (Zipf). The most frequent tenth of the
    words is the same in every class; each rarer word belongs to one class, where it is `boost`
    times as likely. The gradient of a rare word's weights is usually zero, so methods with a
    separate step size for each weight have an advantage.
    """

    name = "sparse-text-like"
    task = "multiclass"
    source = "generated: Zipf words, after the sparse case of Duchi, Hazan & Singer 2011"
    cached = True
    standardize = False  # a zero means that the word is absent
    n: int = hyper(1500, "number of documents", low=50, high=100_000)
    vocabulary: int = hyper(400, "number of words", low=20, high=10_000)
    classes: int = hyper(4, "number of classes", low=2, high=10)
    length: int = hyper(30, "words in a document", low=1, high=10_000)
    boost: float = hyper(5.0, "factor on the probability of a rare word in its class", low=1)
    seed: int = hyper(0, "seed of the documents", low=0, high=2**32 - 1)

    def load(self) -> tuple[Array, Array]:
        """Return word counts (n, vocabulary) and the class."""
        h = self.h
        rng = np.random.default_rng(h.seed)
        word = np.arange(h.vocabulary)
        zipf, owner, rare = 1 / (word + 1), word % h.classes, word >= h.vocabulary // 10
        frequencies = np.stack(
            [zipf * np.where(rare & (owner == label), h.boost, 1.0) for label in range(h.classes)]
        )
        frequencies /= frequencies.sum(axis=1, keepdims=True)
        labels = rng.integers(h.classes, size=h.n)
        counts = rng.multinomial(h.length, frequencies[labels])
        return counts.astype(np.float64), labels
