"""One workload of a suite, as its file spells it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from optbench.records import Regime

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
"""Epochs, or units of a layer."""
Size = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
"""Examples per update."""


class WorkloadChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One workload of a suite, as the arguments of `optbench.engine.specs.make_workload`.

    Attributes:
        dataset: Name of a dataset, values in brackets allowed.
        hidden: Widths of the hidden layers.
        activation: Activation of the hidden layers.
        initializer: Name of an initializer, values in brackets allowed.
        regime: How many examples an update uses.
        batch_size: Examples per update in ``"mini-batch"``.
        epochs: Passes over the training part.
    """

    dataset: str
    hidden: tuple[Count, ...] = (32, 32)
    activation: str = "relu"
    initializer: str = "he-normal"
    regime: Regime = "mini-batch"
    batch_size: Size = 32
    epochs: Count = 10
