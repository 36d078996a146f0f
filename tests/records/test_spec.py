"""What a run is, and its content key."""

from __future__ import annotations

import json

import msgspec
import pytest

from optbench.records import ENGINE_VERSION, RunSpec, StepControl, Workload, engine_version
from optbench.records.packing import pack_spec, unpack_spec
from tests.records.factories import make_run_spec

STORED = {
    "37b42f7e1cabeb7d55c5": """
        {"optimizer":"adam","hyper":{"lr":0.001,"beta1":0.9,"amsgrad":true,"n":3,"mode":"x"},
        "control":{"schedule":"cosine","warmup":0.1,"final":0.01,"clip_norm":1.0},
        "optimizer_code":"206d1cf81bb2","dataset":"iris","dataset_hash":"dfed","hidden":[8,4],
        "activation":"tanh","initializer":"constant","initializer_hyper":{"value":0.1},
        "initializer_code":"554a767b742f","regime":"sgd","batch_size":1,"epochs":5,"seed":1000000,
        "dtype":"float64","grid_points":12,"engine":1}""",
    "f8c749b55e16200a8270": """
        {"optimizer":"sgd","hyper":{},
        "control":{"schedule":"constant","warmup":0.0,"final":0.0,"clip_norm":0.0},
        "optimizer_code":"","dataset":"d","dataset_hash":"","hidden":[32,32],"activation":"relu",
        "initializer":"he-normal","initializer_hyper":{},"initializer_code":"",
        "regime":"mini-batch","batch_size":32,"epochs":10,"seed":0,"dtype":"float32",
        "grid_points":40,"engine":1}""",
}
"""Specs by key, as the first version of the store wrote them."""


@pytest.mark.parametrize("key", STORED)
def test_a_stored_run_keeps_its_key_and_its_json(key: str) -> None:
    """A key is the identity of a run in every store; a new one would train everything again."""
    spec = unpack_spec(STORED[key].encode(), key)
    assert spec.key == key
    assert json.loads(pack_spec(spec)) == json.loads(STORED[key])


def test_the_key_depends_on_every_field() -> None:
    """Two runs with one key would be one run with the wrong result."""
    spec = make_run_spec()
    changes = {
        "optimizer": "other", "hyper": {"lr": 0.1}, "control": StepControl(warmup=0.1),
        "optimizer_code": "a", "dataset": "e", "dataset_hash": "b", "hidden": (1,),
        "activation": "tanh", "initializer": "zeros", "initializer_hyper": {"gain": 1.0},
        "initializer_code": "c", "regime": "sgd", "batch_size": 1, "epochs": 1, "seed": 1,
        "dtype": "float64", "grid_points": 2, "engine": 0, "schedule_code": "d",
        "curve_rows": (1, 2), "curve_points": 3,
    }  # fmt: skip
    assert set(changes) == set(RunSpec.__struct_fields__)
    keys = {msgspec.structs.replace(spec, **{name: value}).key for name, value in changes.items()}
    assert len(keys | {spec.key}) == len(changes) + 1


def test_the_workload_of_a_run_has_the_same_values() -> None:
    """Whatever a workload says, its runs say too."""
    workload = Workload(
        dataset="d", hidden=(4,), activation="tanh", initializer="constant",
        initializer_hyper={"value": 0.1}, regime="sgd", batch_size=1, epochs=3,
    )  # fmt: skip
    spec = RunSpec(optimizer="some", hyper={}, **msgspec.structs.asdict(workload))
    assert spec.workload == workload
    assert workload.label == "d | 4 tanh | constant[value=0.1] | sgd | 3 epochs"


def test_the_version_of_gelu_is_not_below_the_engine() -> None:
    """Otherwise a change of all runs would leave old results of gelu in use."""
    assert engine_version("gelu") >= engine_version("relu") == ENGINE_VERSION
