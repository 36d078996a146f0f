"""The record of a study: read as it was written, also by an earlier version."""

from __future__ import annotations

import json

import msgspec
import pytest

from optbench.plan import CellRecord, StudyRecord, TrialRecord, decode_study
from optbench.records import Entrant, StudyProtocol, Workload

BEFORE_REPLICATES = b"""{
  "suite": "quick",
  "protocol": {"ruleset": "lr", "budget": 2, "tuning_seeds": 1, "seeds": 2, "select": "val_loss",
    "widen": 1, "dtype": "float32", "grid_points": 40},
  "cells": [{
    "entrant": {"label": "sgd", "optimizer": "sgd", "given": {}, "control": {"schedule": "constant",
      "warmup": 0.0, "final": 0.0, "clip_norm": 0.0}},
    "workload": {"dataset": "moons", "hidden": [32, 32], "activation": "relu", "initializer":
      "he-normal", "initializer_hyper": {}, "regime": "batch", "batch_size": 600, "epochs": 50},
    "trials": [{"hyper": {"lr": 0.1}, "runs": ["a"]}, {"hyper": {"lr": 1.0}, "runs": ["b"]}],
    "chosen": {"lr": 0.1}, "edges": {}, "evaluation": ["c", "d"]}],
  "complete": true, "left_out": []
}"""
"""What a store of optbench without replicates has in its table ``studies``."""


def test_a_study_from_before_replicates_has_one_and_no_retest() -> None:
    """Today's defaults do not apply to it: it was tuned once, and chosen as it says."""
    record = decode_study(BEFORE_REPLICATES)
    assert record.shards == ()
    assert not record.merged
    protocol = record.protocol
    assert (protocol.replicates, protocol.first_replicate, protocol.retest_trials) == (1, 0, 0)
    assert protocol.select == "val_loss"
    assert protocol.refine_trials == 0
    (cell,) = record.cells
    assert cell.replicate == 0
    assert [(trial.runs, trial.retest, trial.is_default) for trial in cell.trials] == [
        (("a",), (), False),
        (("b",), (), False),
    ]
    assert sorted(record.keys()) == ["a", "b", "c", "d"]


def test_a_study_from_before_trials_beside_the_best_has_none() -> None:
    """Its replicates and its retest stay what they were."""
    document = json.loads(BEFORE_REPLICATES)
    document["protocol"] |= {"replicates": 6, "retest_trials": 3, "retest_seeds": 3}
    protocol = decode_study(json.dumps(document).encode()).protocol
    assert (protocol.replicates, protocol.refine_trials) == (6, 0)
    assert (protocol.retest_trials, protocol.retest_seeds) == (3, 3)


def test_a_record_is_read_as_it_was_written() -> None:
    """Replicates, retests and the default configuration survive."""
    record = StudyRecord(
        suite="x",
        protocol=StudyProtocol(replicates=3, first_replicate=5, retest_trials=1),
        cells=(
            CellRecord(
                entrant=Entrant(label="sgd", optimizer="sgd"),
                workload=Workload(dataset="iris"),
                trials=(TrialRecord(hyper={}, runs=("a",), retest=("b",), is_refined=True),),
                chosen={},
                edges={},
                evaluation=("c",),
                replicate=6,
            ),
        ),
    )
    assert decode_study(msgspec.json.encode(record)) == record
    assert list(record.keys()) == ["c", "a", "b"]


@pytest.mark.parametrize("key", ["protocol", "cells", "suite"])
def test_a_record_that_lacks_a_part_is_refused(key: str) -> None:
    """It is not completed with defaults."""
    document = json.loads(BEFORE_REPLICATES)
    del document[key]
    with pytest.raises(msgspec.MsgspecError):
        decode_study(json.dumps(document).encode())
