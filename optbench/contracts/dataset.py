"""The contract of a dataset's source, and the dataset that optbench makes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from optbench.contracts.declarations import Value, Values
from optbench.contracts.plugin import Array, Configurable

Task = Literal["multiclass", "binary", "regression"]
CautionKind = Literal["constant-columns", "duplicates", "unequal-classes"]
"""Faults of a dataset that make its figures misleading, though it can be trained on."""


@dataclass(frozen=True)
class Dataset:
    """A dataset that is split, standardized and hashed: what networks are trained on.

    Attributes:
        x_train, x_val, x_test: Inputs, shape (n, n_features), float64, standardized with mean and
            deviation of the training part.
        y_train, y_val, y_test: Class labels, shape (n,), int64 (multiclass and binary), or
            targets, shape (n, n_outputs), float64, standardized (regression).
        task: ``"multiclass"``, ``"binary"`` or ``"regression"``; decides output layer and loss.
        n_outputs: Number of units of the output layer.
        content_hash: SHA-256 over all of the above.

    Example:
        >>> import optbench
        >>> data = optbench.load_dataset("iris")
        >>> data.x_train.shape, data.task, data.n_outputs
        ((90, 4), 'multiclass', 3)
    """

    name: str
    task: Task
    x_train: Array
    y_train: Array
    x_val: Array
    y_val: Array
    x_test: Array
    y_test: Array
    n_outputs: int
    content_hash: str
    summary: str = ""
    source: str = ""

    @property
    def n_features(self) -> int:
        """Width of the input layer."""
        return int(self.x_train.shape[1])


class DatasetSource(Configurable, ABC):
    """Source of a dataset. optbench splits, standardizes and hashes the arrays of `load`.

    A family of datasets declares hyperparameters with `hyper`, and `load` finds their values in
    ``self.h``. Users give values in brackets: ``signs[n=400]``.

    Example:
        >>> import numpy as np
        >>> from optbench import DatasetSource, hyper
        >>> class Signs(DatasetSource):
        ...     '''Points in the plane, and the sign of the first coordinate.'''
        ...     name = "signs"
        ...     task = "binary"
        ...     n: int = hyper(100, "number of points", low=10)
        ...     def load(self):
        ...         x = np.random.default_rng(0).normal(size=(self.h.n, 2))
        ...         return x, (x[:, 0] > 0).astype(int)
        >>> [array.shape for array in Signs().load()]
        [(100, 2), (100,)]
    """

    task: ClassVar[Task]
    standardize: ClassVar[bool | Literal["jointly"]] = True
    """True scales each feature to mean 0 and variance 1; ``"jointly"`` scales all features
    together, for pixels, where one that is hardly ever lit would become huge; False changes
    nothing, for sparse inputs, where a zero means absence and must stay a zero."""
    cached: ClassVar[bool] = False
    """True if `load` depends only on its source code and values: its arrays are cached on disk.

    Leave it False for a file that may change, because the cached copy would not follow. All
    processes share one copy in memory if `files` are declared too, which cannot change."""
    files: ClassVar[Mapping[str, str]] = {}
    """Files to download, each with its SHA-256; `load` gets them from `optbench.fetch_files`."""
    contents: ClassVar[Mapping[str, str]] = {}
    """The SHA-256 of what compressed files hold, by the names in `files`.

    A copy with another compression is then accepted, as distributions and libraries have them;
    `load` must read each: gzip, xz, bzip2, or none."""
    mirrors: ClassVar[tuple[str, ...]] = ()
    """Addresses of folders that contain the files, tried in this order."""
    missing: ClassVar[Literal["refuse", "median"]] = "refuse"
    """Whether NaN among the inputs is refused, or replaced by the median of the feature in the
    training part."""
    notes: ClassVar[tuple[str, ...]] = ()
    """What was done to the values before `load` returns them, one sentence each; ``optbench show``
    and ``optbench run`` print them."""
    data_files: ClassVar[tuple[str, ...]] = ()
    """Files that its code reads; their contents count where `cached` is set. A relative
    path starts at the folder of the class's own file."""
    expected_cautions: ClassVar[Mapping[str, str]] = {}
    """Cautions about the data that are true and known, each with the reason why they do no harm:
    ``"constant-columns"``, ``"duplicates"`` or ``"unequal-classes"``. Reports leave them out."""

    @abstractmethod
    def load(self) -> tuple[Array, Array] | tuple[Array, Array, Array, Array]:
        """Return inputs (n, n_features) and labels (n,) or targets; or train x, y and test x, y.

        The values are the same at every call. Two arrays are split 60 / 20 / 20; of four arrays,
        a fifth of the training part becomes the validation part.
        """

    _whole: ClassVar[type[DatasetSource] | None] = None
    _train_size: ClassVar[float] = 1.0
    _family: ClassVar[type[DatasetSource] | None] = None
    _given: ClassVar[Mapping[str, Value]] = {}

    @property
    def h(self) -> Values:
        """Values of the hyperparameters."""
        defaults = {name: declared.default for name, declared in self.hypers().items()}
        return Values({**defaults, **self._given})


def family_of(source: type[DatasetSource]) -> type[DatasetSource]:
    """Return the class that a plugin registers, for a class that also has values."""
    return source._family or source


def subset_of(source: type[DatasetSource]) -> tuple[type[DatasetSource], float] | None:
    """Return the whole dataset and the train size, for a dataset with ``train_size``."""
    return None if source._whole is None else (source._whole, source._train_size)
