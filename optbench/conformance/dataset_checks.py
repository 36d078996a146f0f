"""Checks of datasets."""

from __future__ import annotations

import numpy as np

from optbench.conformance.driving import other_values, random_state_untouched, same_bits
from optbench.conformance.kit import check, require
from optbench.contracts import Array, DatasetSource
from optbench.data.table_values import class_indices
from optbench.support.text import count

TASKS = ("multiclass", "binary", "regression")
FEWEST = 50
"""Smallest number of examples; with fewer, the validation loss is mostly noise."""


def load(item: type[DatasetSource]) -> tuple[Array, ...]:
    """Return the arrays of `load`.

    Raises:
        CheckFailedError: These are not two or four arrays.
    """
    arrays = item().load()
    require(
        isinstance(arrays, tuple) and len(arrays) in (2, 4),
        "`load` must return inputs and targets, or train x, y and test x, y",
    )
    require(all(isinstance(a, np.ndarray) for a in arrays), "`load` must return NumPy arrays")
    return arrays


@check(("dataset",))
def check_task_is_known(item: type[DatasetSource]) -> None:
    """Its task is multiclass, binary or regression."""
    task = getattr(item, "task", None)
    require(task in TASKS, f"`task` is {task!r}, not one of {', '.join(TASKS)}")


@check(("dataset",))
def check_inputs_are_a_finite_table(item: type[DatasetSource]) -> None:
    """Inputs are finite numbers, one row per example, with one target per row."""
    arrays = load(item)
    for x, y in zip(arrays[::2], arrays[1::2], strict=True):
        require(x.ndim == 2, f"inputs have shape {x.shape}, not (n, n_features)")
        require(x.dtype.kind in "fiu", f"inputs are {x.dtype}, not numbers")
        require(len(x) == len(y), f"there are {len(x)} inputs, but {len(y)} targets")
        require(np.isfinite(x).all(), "not every input is finite")
        require(np.ptp(x, axis=0).any(), "no feature varies over the examples")


@check(("dataset",))
def check_targets_fit_the_task(item: type[DatasetSource]) -> None:
    """Labels are 0, 1, ... without a gap, or text; targets of a regression are finite numbers."""
    targets = list(load(item)[1::2])
    if item.task != "regression":
        targets = class_indices(targets, "y")
    for y in targets:
        if item.task == "regression":
            require(
                y.dtype.kind in "fiu" and np.isfinite(y).all(), "targets are not finite numbers"
            )
            require(y.ndim in (1, 2), f"targets have shape {y.shape}, not (n,) or (n, n_outputs)")
            continue
        require(y.ndim == 1, f"labels have shape {y.shape}, not (n,)")
        require(
            y.dtype.kind in "iu", f"labels are {y.dtype}, not whole numbers; return y.astype(int)"
        )
    if item.task != "regression":
        labels = np.unique(targets[0])
        gapless = np.array_equal(labels, np.arange(len(labels)))
        require(gapless and len(labels) > 1, f"labels are {labels[:5]}..., not 0, 1, ...")
        require(item.task != "binary" or len(labels) == 2, f"binary, but {len(labels)} labels")


@check(("dataset",))
def check_every_load_is_the_same(item: type[DatasetSource]) -> None:
    """It loads the same values at every call, in new arrays."""
    first = load(item)
    copies = [array.copy() for array in first]
    for array in first:
        if array.flags.writeable:
            array[...] = 0
    require(
        same_bits(copies, load(item)),
        "a second call loads other values; fix the seed, and return new arrays",
    )


@check(("dataset",))
def check_dataset_leaves_global_random_state_alone(item: type[DatasetSource]) -> None:
    """It does not draw from a random state that the whole process shares."""
    load(item)  # the imports of its first load may draw numbers, which is not its fault
    with random_state_untouched():
        load(item)


@check(("dataset",))
def check_splits_into_three_parts(item: type[DatasetSource]) -> None:
    """It has enough examples for training, validation and test, every class in each."""
    from optbench.data.splits import prepare_dataset

    data = prepare_dataset(item)
    total = len(data.x_train) + len(data.x_val) + len(data.x_test)
    require(total >= FEWEST, f"it has {count(total, 'example')}; {FEWEST} is the minimum")
    if item.task != "regression":
        classes = set(np.unique(data.y_train).tolist())
        for part, y in (("validation", data.y_val), ("test", data.y_test)):
            missing = classes ^ set(np.unique(y).tolist())
            require(not missing, f"class {sorted(missing)} is missing in {part} or training")


@check(("dataset",), when=lambda item: bool(item.expected_cautions))
def check_expected_cautions_apply(item: type[DatasetSource]) -> None:
    """Each caution that it declares as expected is true."""
    from optbench.data.dataset_cautions import find_cautions

    idle = sorted(set(item.expected_cautions) - set(find_cautions(item)))
    require(not idle, f"expected_cautions names {', '.join(idle)}, which does not apply")


@check(("dataset",), when=lambda item: bool(item.hypers()))
def check_every_value_is_used(item: type[DatasetSource]) -> None:
    """Another value of each hyperparameter gives other data, as valid as those of the default."""
    from optbench.data.splits import prepare_dataset
    from optbench.registry.dataset_values import with_values

    default = prepare_dataset(item).content_hash
    for name, declared in item.hypers().items():
        values = other_values(declared)
        if not values:
            continue
        value = values[0]
        data = prepare_dataset(with_values(item, {name: value}))
        require(
            data.content_hash != default,
            f"{name}={value} changes nothing; `load` finds the values in self.h",
        )
