"""Every optimizer of torch.optim is held to the promises of the conformance kit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from optbench_torch.adapter import TorchStepper, adapt
from optbench_torch.names import BUILTIN, PREFIX

from optbench.conformance import Check, parametrize_with_checks
from tests.support.adapters import cases

FROM_ELSEWHERE = (
    "pytorch_optimizer.Lion",  # its own closure handling, decoupled decay
    "pytorch_optimizer.Muon",  # groups flagged use_muon
    "pytorch_optimizer.AdamP",  # wants contiguous weights
    "pytorch_optimizer.Kron",  # draws from the process's random state
    "schedulefree.AdamWScheduleFree",  # evaluated away from where it trains
)


def short(cls: type[TorchStepper]) -> type[TorchStepper]:
    """L-BFGS with 4 iterations a step in place of 20: the kit takes thousands of steps."""
    smaller = {k: replace(cls.hypers()[k], default=4) for k in ("max_iter", "history_size")}
    return type(cls.__name__, (cls,), {"__doc__": cls.__doc__, **smaller})


BUILT_IN = [
    short(adapt(PREFIX + name)) if name == "lbfgs" else adapt(PREFIX + name) for name in BUILTIN
]


@parametrize_with_checks(BUILT_IN)
def test_promises(item: Any, check: Check) -> None:
    """An adapted optimizer is held to what every optimizer is held to."""
    check(item)


QUICK = {
    "check_shape_and_dtype_kept",
    "check_same_seed_same_bits",
    "check_instances_are_isolated",
    "check_global_random_state_is_left_alone",
    "check_declared_needs_are_used",
    "check_gradients_are_not_mutated",
    "check_gradients_are_not_kept",
    "check_evaluation_leaves_training_alone",
    "check_any_list_of_arrays_is_trained",
    "check_defaults_are_allowed",
    "check_trains_in_every_regime",
}


OTHERS = parametrize_with_checks([adapt(PREFIX + name) for name in FROM_ELSEWHERE])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("item", "check"), cases(OTHERS, lambda item, check: check.name in QUICK))
def test_what_the_adapter_promises_for_any_class(item: Any, check: Check) -> None:
    """Whatever a class does with its buffers and random states stays between it and its run."""
    check(item)


def test_every_optimizer_of_torch_is_listed() -> None:
    """A class that a new PyTorch brings is not forgotten."""
    classes = {
        item.__name__
        for item in vars(torch.optim).values()
        if isinstance(item, type) and issubclass(item, torch.optim.Optimizer)
    }
    listed = {known.cls for known in BUILTIN.values()}
    assert classes - {"Optimizer"} - listed == {"SparseAdam"}
