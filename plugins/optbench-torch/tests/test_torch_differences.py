"""Reports of the class "under its own name, but with other numbers": the adapter against PyTorch.

Seen with a class that changes its learning rate itself: the adapter overwrote it at every step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from optbench_torch.adapter import adapt, adapt_class
from optbench_torch.names import BUILTIN

import optbench
from optbench import Array, Values
from tests.support.differences import (
    CASES,
    START,
    STEPS,
    WEIGHTS,
    adapted_path,
    assert_same_path,
    check_linear_end,
    loss_and_grads,
    rate_factors,
)

DTYPES = ("float64", "float32")


def bare_path(make: Any, h: Values, dtype: str, control: str, steps: int = STEPS) -> Array:
    """Return the parameters after each step of PyTorch itself, with PyTorch's own scheduler."""
    shaped = [x.T if i in WEIGHTS else x for i, x in enumerate(START)]
    params = [torch.nn.Parameter(torch.from_numpy(x.astype(dtype, "C"))) for x in shaped]
    optimizers = make(params, h)
    factors = rate_factors(control)
    schedulers = [
        torch.optim.lr_scheduler.LambdaLR(o, lambda t: float(factors[min(t, STEPS - 1)]))
        for o in optimizers
        if control != "constant"
    ]

    def arrays() -> list[Array]:
        values = [p.detach().numpy() for p in params]
        return [x.T if i in WEIGHTS else x for i, x in enumerate(values)]

    def closure() -> Any:
        loss, grads = loss_and_grads(arrays())
        for index, (param, grad) in enumerate(zip(params, grads, strict=True)):
            param.grad = torch.from_numpy((grad.T if index in WEIGHTS else grad).copy("C"))
        return torch.tensor(loss, dtype=params[0].dtype)

    path = []
    for _ in range(steps):
        closure()
        for optimizer in optimizers:
            optimizer.step(closure)
        for scheduler in schedulers:
            scheduler.step()
        path.append(np.concatenate([x.ravel() for x in arrays()]))
    return np.array(path)


def make_bare(name: str) -> Any:
    """Return what makes PyTorch's optimizers for a name; Muon takes matrices only."""
    cls = adapt(f"torch:{name}")

    def make(params: list[Any], h: Values) -> list[Any]:
        given = cls._arguments.bind(h)
        if name != "muon":
            return [cls._wrapped(params, **given)]
        matrices, rest = ([p for p in params if (p.ndim > 1) is flag] for flag in (True, False))
        muon: Any = cls._wrapped(matrices, **given)
        same = {key: muon.param_groups[0][key] for key in ("lr", "weight_decay")}
        return [muon, torch.optim.AdamW(rest, **same)]

    return make


FIXED_RATE = {"rprop": "its learning rate is that of the first step"}

SHORT = {"lbfgs": {"steps": 8, "max_iter": 3}}
"""L-BFGS divides 0 by 0 once it has arrived, in PyTorch as in the adapter."""


@pytest.mark.parametrize(("dtype", "control"), CASES)
@pytest.mark.parametrize("name", BUILTIN)
def test_every_class_of_pytorch_gives_its_own_numbers(name: str, dtype: str, control: str) -> None:
    """Over 200 steps, with a constant rate and with PyTorch's own scheduler."""
    cls = adapt(f"torch:{name}")
    if name in FIXED_RATE and control != "constant":
        with pytest.raises(optbench.PluginError, match="a schedule would change nothing"):
            adapted_path(cls, dtype, control)
        return
    short: dict[str, Any] = SHORT.get(name, {})
    ours, h = adapted_path(cls, dtype, control, **short)
    assert_same_path(ours, bare_path(make_bare(name), h, dtype, control, len(ours)), dtype)


class Hypergradient(torch.optim.Optimizer):
    """SGD that learns its learning rate (Baydin et al. 2018), and writes it into its groups."""

    def __init__(self, params: Any, lr: float = 0.02, hyper_lr: float = 0.001) -> None:
        super().__init__(params, {"lr": lr, "hyper_lr": hyper_lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                before = self.state[p].setdefault("before", torch.zeros_like(p))
                group["lr"] += group["hyper_lr"] * float((p.grad * before).sum())
                self.state[p]["before"] = p.grad.clone()
            for p in group["params"]:
                p.sub_(p.grad, alpha=group["lr"])


class Decaying(torch.optim.SGD):
    """Multiplies the rate and the decay in its groups, and counts its own steps."""

    def __init__(self, params: Any, lr: float = 0.1, weight_decay: float = 0.1) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay)
        self.count = 0

    def step(self, closure: Any = None) -> Any:
        result = super().step(closure)
        self.count += 1
        for group in self.param_groups:
            group["lr"] *= 0.99
            group["weight_decay"] = 0.1 / (1 + self.count)
        return result


class OwnSchedule(torch.optim.SGD):
    """Computes its rate from the step number, whatever its group has."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, lr=lr)
        self.first, self.count = lr, 0

    def step(self, closure: Any = None) -> Any:
        self.count += 1
        for group in self.param_groups:
            group["lr"] = self.first / self.count
        return super().step(closure)


class TensorRate(torch.optim.Adam):
    """Keeps its rate in a tensor, as a compiled class does."""

    def __init__(self, params: Any, lr: float = 0.01) -> None:
        super().__init__(params, lr=torch.tensor(lr, dtype=torch.float64), foreach=False)


@pytest.mark.parametrize("cls", [Hypergradient, Decaying, OwnSchedule, TensorRate])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_a_class_writes_into_its_groups_stays(cls: Any, dtype: str) -> None:
    """With a constant rate, all numbers are those of the class."""
    adapted, _ = adapt_class(cls, {})
    ours, h = adapted_path(adapted, dtype, "constant")
    assert_same_path(ours, bare_path(lambda p, h: [cls(p, **h)], h, dtype, "constant"), dtype)


def test_a_schedule_scales_what_a_class_has_made_of_its_rate() -> None:
    """A rate that shrinks by 1 % a step and a schedule multiply."""
    adapted, _ = adapt_class(Decaying, {})
    ours, h = adapted_path(adapted, "float64", "cosine")
    factors = rate_factors("cosine")

    class Product(torch.optim.SGD):
        """The two factors in one place."""

        count = 0

        def step(self, closure: Any = None) -> Any:
            for group in self.param_groups:
                group["lr"] = h.lr * 0.99**self.count * float(factors[self.count])
                group["weight_decay"] = 0.1 / (1 + self.count)
            self.count += 1
            return super().step(closure)

    def make(params: Any, h: Values) -> list[Any]:
        return [Product(params, lr=h.lr, weight_decay=0.1)]

    assert_same_path(ours, bare_path(make, h, "float64", "constant"), "float64")


def test_a_schedule_on_a_tensor_is_pytorchs() -> None:
    """The tensor is filled, since the class may have kept it."""
    adapted, _ = adapt_class(TensorRate, {})
    ours, h = adapted_path(adapted, "float64", "cosine")
    theirs = bare_path(lambda p, h: [torch.optim.Adam(p, lr=h.lr)], h, "float64", "cosine")
    assert_same_path(ours, theirs, "float64")


def test_a_schedule_that_would_change_nothing_is_refused() -> None:
    """A class that overwrites its rate at each step is told apart from one that changes it."""
    adapted, _ = adapt_class(OwnSchedule, {})
    with pytest.raises(
        optbench.PluginError, match=r"sets its learning rate itself.*schedule=const"
    ):
        adapted_path(adapted, "float64", "cosine")


def test_a_line_search_ends_with_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of gradients varies from update to update; the rate still falls to its end."""
    check_linear_end(adapt("torch:lbfgs"), monkeypatch)
