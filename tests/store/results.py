"""Results to store, and stores of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from optbench.records import CURVE_COLUMNS, RunResult, Status
from optbench.records.packing import pack_result
from optbench.store import Store
from tests.records import factories

NEWER = (
    "best_test_loss", "best_test_metric", "guess_train_loss", "guess_val_loss", "guess_test_loss",
    "end_train_loss", "end_train_metric",
)  # fmt: skip
"""Fields of a result that stores of an older schema lack."""


def make_result(seed: int = 0, rows: int = 40, status: Status = Status.OK) -> RunResult:
    """Return a result with random numbers that follow from the seed."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(len(CURVE_COLUMNS), rows))
    return factories.make_result(
        factories.make_run_spec(hyper={"lr": 0.1, "n": 3, "on": True}, seed=seed),
        factories.make_curve(dict(zip(CURVE_COLUMNS, table, strict=True))),
        status,
        test_loss=float(rng.normal()),
        test_metric=0.5,
        params_hash=f"hash{seed}",
        grad_evals=12,
        seconds=0.25,
        loop="compiled",
        **dict(zip(NEWER, rng.normal(size=len(NEWER)).tolist(), strict=True)),
    )


def assert_same(left: RunResult, right: RunResult) -> None:
    """Check that two results have the same bits; NaN equals NaN."""
    assert pack_result(left) == pack_result(right)
    assert left.spec == right.spec


def fill_store(path: Path, runs: int = 50) -> Path:
    """Store results with the seeds 0, 1, ...; return the path."""
    with Store(path) as store:
        for seed in range(runs):
            store.put(make_result(seed))
    return path
