"""Runs and curves as flat rows."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from optbench.records import (
    CURVE_COLUMNS,
    EVALUATION_SEED,
    TUNING_SEED,
    RunResult,
    Status,
    StepControl,
)
from optbench.records.protocol import OLD_TUNING_SEED
from optbench.records.run_table import curve_rows, run_row
from optbench.records.seeds import evaluation_seed, tuning_seed
from tests.records.factories import empty_curve, make_curve, make_result, make_run_spec

COLUMNS = [
    "key", "role", "optimizer", "configuration", "workload", "dataset", "network", "initializer",
    "regime", "batch_size", "epochs", "seed", "dtype", "status", "reason", "final_train_loss",
    "final_val_loss", "final_train_metric", "final_val_metric", "test_loss", "test_metric",
    "updates", "examples", "grad_evals", "seconds", "loop", "best_test_loss", "best_test_metric",
    "guess_train_loss", "guess_val_loss", "guess_test_loss", "replicate", "hyper_schedule",
    "hyper_warmup", "hyper_final", "hyper_clip_norm", "hyper_lr", "hyper_beta",
]  # fmt: skip


@pytest.fixture
def result() -> RunResult:
    """A run whose columns rise from their index by quarters."""
    spec = make_run_spec(
        hyper={"lr": 0.1, "beta": 0.9},
        control=StepControl(schedule="cosine"),
        hidden=(8, 4),
        initializer_hyper={"gain": 2.0},
    )
    curve = make_curve({name: i + np.arange(3) / 4 for i, name in enumerate(CURVE_COLUMNS)})
    return make_result(spec, curve, test_loss=0.5, grad_evals=7, seconds=0.25)


def test_a_run_is_one_row_with_the_same_columns_everywhere(result: RunResult) -> None:
    """The columns are a promise to scripts: none is renamed or moved unnoticed."""
    row = run_row(result)
    assert list(row) == COLUMNS
    assert row["key"] == result.key
    assert row["configuration"] == "some[lr=0.1,beta=0.9,schedule=cosine]"
    assert (row["network"], row["initializer"]) == ("8-4 relu", "he-normal[gain=2]")
    assert row["workload"] == result.spec.workload.label
    assert (row["updates"], row["final_val_metric"]) == (1.5, 7.5)
    assert (row["hyper_schedule"], row["hyper_lr"]) == ("cosine", 0.1)
    assert row["test_metric"] != row["test_metric"]


def test_the_replicate_follows_from_the_seed(result: RunResult) -> None:
    """Rows of one replicate can be grouped; a run outside of a study has none."""
    label = result.spec.workload.label
    for seed in (tuning_seed(label, 4, 1), evaluation_seed(label, 4, 2)):
        spec = msgspec.structs.replace(result.spec, seed=seed)
        assert run_row(make_result(spec, result.curve))["replicate"] == 4
    assert np.isnan(run_row(result)["replicate"])


def test_the_role_follows_from_the_seed(result: RunResult) -> None:
    """Tuning runs and evaluation runs can be told apart without the record of the study."""
    roles = {
        seed: run_row(replace(result, run=msgspec.structs.replace(result.spec, seed=seed)))["role"]
        for seed in (0, OLD_TUNING_SEED, TUNING_SEED, EVALUATION_SEED)
    }
    assert list(roles.values()) == ["evaluation", "tuning", "tuning", "evaluation"]


def test_an_optimizers_own_hyperparameter_wins_over_the_control(result: RunResult) -> None:
    """An optimizer may declare a hyperparameter `warmup`; its value is the one that counts."""
    spec = msgspec.structs.replace(result.spec, hyper={"warmup": 0.25})
    assert run_row(replace(result, run=spec))["hyper_warmup"] == 0.25


def test_a_failed_run_has_a_row_and_no_curve_rows(result: RunResult) -> None:
    """Its measured numbers are NaN, so every run has the same columns."""
    failed = make_result(result.spec, empty_curve(), Status.FAILED, reason="no good")
    row = run_row(failed)
    assert list(row) == COLUMNS
    assert (row["status"], row["reason"]) == ("failed", "no good")
    assert np.isnan(row["final_val_loss"])
    assert list(curve_rows(failed)) == []


def test_a_curve_is_one_row_for_each_evaluation(result: RunResult) -> None:
    """The key joins them with the row of their run."""
    rows = list(curve_rows(result))
    assert [list(row) for row in rows] == [["key", *CURVE_COLUMNS]] * 3
    assert {row["key"] for row in rows} == {result.key}
    assert [row["updates"] for row in rows] == result.curve["updates"].tolist()
