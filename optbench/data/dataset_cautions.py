"""What in a dataset makes its figures misleading, though a network can be trained on it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from optbench.contracts import Array, CautionKind, Dataset, DatasetSource
from optbench.data.base_rates import base_rate
from optbench.data.splits import prepare_dataset
from optbench.support.text import count, plural

DUPLICATE_SHARE = 0.01
"""Smallest share of test examples that are duplicates of training examples."""
MOST_UNEQUAL = 10
"""Smallest ratio of the sizes of the largest and the smallest class."""
LARGEST_SHARE = 0.8
"""Smallest share of the largest class."""
NAMED_COLUMNS = 5
"""Number of constant columns that are named; the others are only counted."""
FIRST_ROWS = 64
"""Number of rows that show for nearly all columns that they are not constant."""
FIRST_COLUMNS = 16
"""Number of columns that show for nearly all rows that they are not duplicates."""
HASH_BITS = 20
HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio, an odd number


@functools.lru_cache(maxsize=128)
def dataset_cautions(source: type[DatasetSource]) -> tuple[str, ...]:
    """Return the cautions about a dataset, except those that it declares as expected.

    Args:
        source: The dataset, which is loaded.

    Returns:
        One sentence for each kind of caution, without the name of the dataset.

    Example:
        >>> from optbench import make_dataset
        >>> x = np.random.default_rng(0).normal(size=(1000, 2))
        >>> (caution,) = dataset_cautions(make_dataset(x, np.arange(1000) % 100 == 0))
        >>> caution.partition(": ")[2]
        'always guessing class 0 gets a test accuracy of 0.99'
    """
    expected = source.expected_cautions
    return tuple(text for kind, text in find_cautions(source).items() if kind not in expected)


def find_cautions(source: type[DatasetSource]) -> dict[CautionKind, str]:
    """Return every caution about a dataset, expected or not, by its kind."""
    data = prepare_dataset(source)
    are_pixels = source.standardize == "jointly"  # some pixels are never lit
    sentences: dict[CautionKind, str] = {
        "constant-columns": "" if are_pixels else _about_constant_columns(data.x_train),
        "duplicates": _about_duplicates(data),
        "unequal-classes": _about_classes(data, base_rate(source)),
    }
    return {kind: text for kind, text in sentences.items() if text}


def _about_constant_columns(x: Array) -> str:
    """Return a sentence about columns that hold one value, or ''."""
    candidates = np.flatnonzero((x[:FIRST_ROWS] == x[0]).all(axis=0))
    constant = [int(c) for c in candidates if (x[:, c] == x[0, c]).all()]
    if not constant:
        return ""
    named = ", ".join(map(str, constant[:NAMED_COLUMNS]))
    more = ", ..." if len(constant) > NAMED_COLUMNS else ""
    n = len(constant)
    return (
        f"{n} of {x.shape[1]} columns {plural(n, 'is', 'are')} constant in the training part "
        f"({plural(n, 'column', 'columns')} {named}{more}): nothing can be learned from "
        f"{plural(n, 'it', 'them')}"
    )


def _about_duplicates(data: Dataset) -> str:
    """Return a sentence about test examples that stand in the training part too, or ''."""
    twice = count_duplicates((data.x_train, data.y_train), (data.x_test, data.y_test))
    n = len(data.x_test)
    if twice < DUPLICATE_SHARE * n or not twice:
        return ""
    return (
        f"{twice} of {count(n, 'test example')} ({twice / n:.0%}) "
        f"{plural(twice, 'is', 'are')} in the training "
        "part too: the test score also rewards memorization"
    )


def count_duplicates(train: tuple[Array, Array], test: tuple[Array, Array]) -> int:
    """Return the number of examples of `test` with inputs and target of an example of `train`.

    Inputs are compared by a hash over a few columns first, and exactly where it agrees.

    Args:
        train: Inputs, shape (n, d), float64, and targets, shape (n,) or (n, n_outputs).
        test: The same of m examples.
    """
    keys, test_keys = _hash_rows(train[0]), _hash_rows(test[0])
    known = set(_examples(train, _are_among(keys, test_keys)))
    return sum(example in known for example in _examples(test, _are_among(test_keys, keys)))


def _examples(part: tuple[Array, Array], chosen: Array) -> Iterator[tuple[bytes, bytes]]:
    """Yield inputs and target of the chosen examples; -0.0 becomes 0.0."""
    inputs, targets = (values[chosen] + 0 for values in part)
    return ((x.tobytes(), y.tobytes()) for x, y in zip(inputs, targets, strict=True))


def _hash_rows(x: Array) -> Array:
    """Return a number below 2**HASH_BITS for each row, from at most `FIRST_COLUMNS` columns."""
    keys = np.zeros(len(x), dtype=np.uint64)
    for column in np.unique(np.linspace(0, x.shape[1] - 1, FIRST_COLUMNS).astype(int)):
        keys ^= (x[:, column] + 0.0).view(np.uint64)
        keys *= HASH_FACTOR
        keys ^= keys >> np.uint64(32)
    return keys >> np.uint64(64 - HASH_BITS)


def _are_among(keys: Array, others: Array) -> Array:
    is_other = np.zeros(2**HASH_BITS, dtype=bool)
    is_other[others] = True
    return is_other[keys]


def _about_classes(data: Dataset, accuracy: float | None) -> str:
    """Return a sentence about very unequal classes, with the accuracy of guessing, or ''."""
    if accuracy is None:
        return ""
    counts = np.bincount(data.y_train)
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    is_unequal = counts[largest] >= MOST_UNEQUAL * counts[smallest]
    if not is_unequal and counts[largest] < LARGEST_SHARE * counts.sum():
        return ""
    return (
        f"class {largest} has {counts[largest]} training examples, class {smallest} only "
        f"{counts[smallest]}: always guessing class {largest} gets a test accuracy of "
        f"{accuracy:.2f}"
    )
