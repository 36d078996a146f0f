"""Entrants, workloads and runs: checked once, with the defaults of the public face."""

from __future__ import annotations

import inspect

import optbench
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.records import StepControl


def test_train_has_the_defaults_of_a_workload_and_a_run() -> None:
    """What is not given means the same in `optbench.train`, in a plan and in a sweep."""
    public = inspect.signature(optbench.train).parameters
    inner = {
        **inspect.signature(make_workload).parameters,
        **inspect.signature(make_spec).parameters,
    }
    for name in ("entrant", "workload", "registry"):
        del inner[name]
    assert set(public) - set(inner) == {"optimizer", "hyper", "health", "target", "values"}
    assert {name: public[name].default for name in inner} == {
        name: parameter.default for name, parameter in inner.items()
    }


def test_a_run_is_its_entrant_on_its_workload() -> None:
    """Given values stay, the others are defaults; the batch is at most the training part."""
    entrant = make_entrant("momentum[lr=0.3]", {"schedule": "cosine"})
    workload = make_workload(dataset="iris", initializer="constant[value=0.2]", batch_size=1000)
    spec = make_spec(entrant=entrant, workload=workload, seed=3)
    assert entrant.label == "momentum[lr=0.3,schedule=cosine]"
    assert (spec.hyper["lr"], spec.control) == (0.3, StepControl(schedule="cosine"))
    assert set(spec.hyper) > {"lr"}
    assert spec.workload == workload
    assert workload.initializer_hyper == {"value": 0.2}
    assert workload.batch_size == len(optbench.load_dataset("iris").x_train)
    assert spec.seed == 3
