"""Promises of the PyTorch adapter: the same numbers, nothing copied, and a reason for refusals."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import numpy as np
import pytest
import torch
from optbench_torch import optbench_list_optimizers
from optbench_torch.adapter import adapt, adapt_class
from optbench_torch.session import Recipe, Session

import optbench
from optbench import ConfigError
from optbench.registry.scoped import ScopedRegistry
from optbench.study.best_values import code_lines
from tests.support.adapters import Adapter, AdapterPromises, check_refusal, curve_difference
from tests.support.packages import need


class TestAdapter(AdapterPromises):
    """Promises of every adapter."""

    adapter = Adapter(
        distribution="optbench-torch",
        prefix="torch:",
        adapt=adapt,
        listed=optbench_list_optimizers(),
        libraries=("torch",),
        version=torch.__version__,
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("torch:adam", "adam"),
        ("torch:adam[schedule=cosine,warmup=0.2]", "adam[schedule=cosine,warmup=0.2]"),
        ("torch:adam[clip_norm=0.1]", "adam[clip_norm=0.1]"),
        ("torch:adamw[weight_decay=0.1]", "adamw[weight_decay=0.1]"),
        ("torch:sgd[lr=0.1,momentum=0.9]", "heavy-ball[lr=0.1,mu=0.9]"),
        ("torch:rmsprop[lr=0.001,alpha=0.9]", "rmsprop[lr=0.001,rho=0.9]"),
        ("torch:radam[lr=0.001]", "radam[lr=0.001]"),
    ],
)
def test_pytorch_and_the_formula_give_the_same_curve(theirs: str, ours: str) -> None:
    """The same method, run by PyTorch and by optbench, trains the same network."""
    assert curve_difference(theirs, ours) < 1e-10


def test_schedule_free_of_its_authors_and_the_formula_give_the_same_curve() -> None:
    """train() and eval() are called where its authors want them."""
    need("schedulefree")
    theirs = "torch:schedulefree.AdamWScheduleFree[lr=0.01]"
    assert curve_difference(theirs, "schedule-free-adamw[lr=0.01]") < 1e-10


def test_muon_sees_weights_as_pytorch_has_them() -> None:
    """The step of a matrix depends on which dimension is the output: rows, in PyTorch."""
    rng = np.random.default_rng(0)
    weight, bias, grad = rng.normal(size=(4, 9)), np.zeros(9), rng.normal(size=(4, 9))
    linear = torch.nn.Parameter(torch.from_numpy(weight.T.copy()))
    linear.grad = torch.from_numpy(grad.T.copy())
    torch.optim.Muon([linear], lr=0.1).step()  # type: ignore[no-untyped-call]
    session = Session(
        lambda p: torch.optim.Muon(p, lr=0.1), [weight, bias], frozenset({0}),
        Recipe(groups="matrices"), 0.1,
    )  # fmt: skip
    session.step([grad, np.ones(9)], 1.0, 0.1, None)
    np.testing.assert_array_equal(weight.T, linear.detach().numpy())
    assert (bias != 0).all()


def session_of(cls: Any, recipe: Recipe, array: np.ndarray[Any, Any]) -> Session:
    return Session(lambda p: cls(p, lr=0.1), [array], frozenset(), recipe, 0.1)


def test_parameters_and_gradients_are_not_copied() -> None:
    """PyTorch works on the harness's own memory."""
    theta, grad = np.ones((3, 2)), np.ones((3, 2))
    session = session_of(torch.optim.SGD, Recipe(), theta)
    assert session._tensors[0].data_ptr() == theta.ctypes.data
    for _ in range(3):
        session.step([grad], 1.0, 0.1, None)
    assert session._grads[0].data_ptr() == grad.ctypes.data


class WritesToGradients(torch.optim.SGD):
    """Halves each gradient in place, as clipping and centralization do."""

    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                p.grad.mul_(0.5)
        return super().step(closure)


class KeepsGradients(torch.optim.SGD):
    """Steps along the last gradient, which it remembers without copying it."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(self.state[p].get("last", p.grad), alpha=group["lr"])
                self.state[p]["last"] = p.grad


def test_an_optimizer_that_writes_to_gradients_gets_copies() -> None:
    """Gradients are the harness's, which may look at them after the step."""
    theta, grad = np.ones(3), np.ones(3)
    session = session_of(WritesToGradients, Recipe(), theta)
    for _ in range(4):
        session.step([grad], 1.0, 0.1, None)
        assert (grad == 1).all()
    np.testing.assert_allclose(theta, 1 - 4 * 0.05)


def test_an_optimizer_that_keeps_gradients_keeps_what_it_saw() -> None:
    """A buffer that is filled again does not rewrite what an optimizer remembers."""
    theta, grad = np.zeros(1), np.zeros(1)
    session = session_of(KeepsGradients, Recipe(), theta)
    for value in (1.0, 2.0, 3.0, 4.0):
        grad[...] = value
        session.step([grad], 1.0, 0.1, None)
    np.testing.assert_allclose(theta, -0.1 * (1 + 1 + 2 + 3))


def test_closures_count_and_the_first_is_free() -> None:
    """L-BFGS pays for each evaluation but that at its start, which the harness had made."""
    result = optbench.train(
        "torch:lbfgs[max_iter=5]", dataset="iris", regime="batch", epochs=3, dtype="float64"
    )
    calls = 0
    data = optbench.load_dataset("iris")
    layers = optbench.initialize("he-normal", (4, 32, 32, 3))
    parts = [np.ascontiguousarray(part.T) for pair in layers for part in pair]
    params = [torch.tensor(part, requires_grad=True) for part in parts]
    x, y = torch.tensor(data.x_train), torch.tensor(data.y_train)
    reference = torch.optim.LBFGS(params, max_iter=5)

    def closure() -> torch.Tensor:
        nonlocal calls
        calls += 1
        reference.zero_grad()
        hidden = torch.relu(torch.relu(x @ params[0].T + params[1]) @ params[2].T + params[3])
        loss = torch.nn.functional.cross_entropy(hidden @ params[4].T + params[5], y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    for _ in range(round(result.curve["updates"][-1])):
        reference.step(closure)  # type: ignore[no-untyped-call]
    assert result.grad_evals == calls
    assert result.curve["train_loss"][-1] == pytest.approx(closure().item(), rel=1e-8)


def test_the_fused_implementation_is_the_plain_one() -> None:
    """What is chosen for speed changes no number beyond rounding."""
    theta = [np.linspace(-1, 1, 12).reshape(4, 3) for _ in range(2)]
    for array, fused in zip(theta, (True, False), strict=True):
        session = Session(
            lambda p, fused=fused: torch.optim.Adam(p, fused=fused),  # type: ignore[misc]
            [array], frozenset({0}), Recipe(), 1e-3,
        )  # fmt: skip
        for _ in range(20):
            session.step([array**2 + 0.1], 1.0, 1e-3, None)
    np.testing.assert_allclose(theta[0], theta[1], rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "error", "reason"),
    [
        ("torch:adamww", optbench.ConfigError, "did you mean 'adamw'"),
        ("torch:planted", optbench.ConfigError, "'planted'; other classes are torch:module.Class"),
        ("torch:planted.Stepless", optbench.PluginError, r"NotImplementedError$"),
        ("torch:sparseadam", optbench.PluginError, "takes only sparse gradients"),
        ("torch:no_such_package.Lion", optbench.ConfigError, "'no_such_package' .*PYTHONPATH"),
        ("torch:torch.optim.Adom", optbench.ConfigError, "did you mean 'Adam'"),
        ("torch:torch.nn.Linear", optbench.ConfigError, "is not an optimizer class"),
        ("torch:planted.Model", optbench.PluginError, "takes a whole torch.nn.Module"),
        ("torch:planted.Around", optbench.PluginError, "wrapper around another optimizer"),
        ("torch:planted.Sized", optbench.PluginError, "arguments without a default: size"),
        ("torch:planted.Graph", optbench.PluginError, "second time through PyTorch's graph"),
        ("torch:planted.Idle", optbench.PluginError, "does not change the parameters"),
        (
            "torch:planted.Branch",
            optbench.PluginError,
            r"one True or False is needed; use torch.where .*test_torch_adapter.py:\d+\)",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(
    name: str, error: type[Exception], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal says in one line why."""

    class Model(torch.optim.SGD):
        def __init__(self, model: Any, lr: float = 0.1) -> None: ...

    class Around(torch.optim.SGD):
        def __init__(self, optimizer: Any, lr: float = 0.1) -> None: ...

    class Stepless(torch.optim.Optimizer):
        def __init__(self, params: Any, lr: float = 0.1) -> None:
            super().__init__(params, {"lr": lr})

    class Sized(torch.optim.SGD):
        def __init__(self, params: Any, size: int) -> None: ...

    class Graph(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            for p in self.param_groups[0]["params"]:
                torch.autograd.grad(p.grad.sum(), p, create_graph=True)

    class Idle(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any: ...

    class Branch(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            for p in self.param_groups[0]["params"]:
                if p.grad > 0:
                    p.data.sub_(1e-3)

    module = types.ModuleType("planted")
    vars(module).update(
        {c.__name__: c for c in (Model, Around, Sized, Graph, Idle, Branch, Stepless)}
    )
    monkeypatch.setitem(sys.modules, "planted", module)
    check_refusal(adapt, name, error, reason)


def test_arguments_that_the_class_refuses_fail_the_run_with_its_words() -> None:
    """What only the constructor can know is told in the constructor's words."""
    with pytest.raises(optbench.PluginError, match="torch:sgd: ValueError: Nesterov momentum"):
        optbench.train("torch:sgd[nesterov=true]", dataset="iris", epochs=1)


class Late(torch.optim.SGD):
    """Raises in the middle of a run."""

    steps = 0

    def step(self, closure: Any = None) -> Any:
        self.steps += 1
        if self.steps > 40:
            raise ValueError("too late")
        return super().step()


def test_an_exception_in_step_is_told_with_its_place() -> None:
    """File and line are those of the class, not of the adapter."""
    with pytest.raises(optbench.PluginError, match=r"too late \(test_torch_adapter.py:\d+\)"):
        optbench.trajectory(Late, lambda x: (0.0, 2 * x), np.ones(3), 50)


class Replaces(torch.optim.SGD):
    """Descent that replaces the data of its parameters, as much code of others does."""

    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                p.data = p.data - group["lr"] * p.grad


def test_parameters_whose_data_are_replaced_are_trained() -> None:
    """The same path as by a change in place, in both ways that weights are handed over."""
    settings: Any = {"dataset": "iris", "epochs": 3, "dtype": "float64", "lr": 0.1}
    theirs, ours = optbench.train(Replaces, **settings), optbench.train("torch:sgd", **settings)
    assert theirs.final("train_loss") == pytest.approx(ours.final("train_loss"), rel=1e-12)
    array = np.linspace(-1, 1, 12).reshape(4, 3)
    for strided in (True, False):
        theta = array.copy()
        make = functools.partial(Replaces, lr=0.5)
        session = Session(make, [theta], frozenset({0}), Recipe(strided=strided), 0.5)
        for _ in range(3):
            session.step([theta.copy()], 1.0, 0.5, None)
        np.testing.assert_allclose(theta, array / 8, rtol=1e-15)


class OwnAdam(torch.optim.Adam):
    """A class of this module, as a user's notebook has one."""


def test_classes_stand_for_their_names() -> None:
    """Of torch.optim, of another module, and of a function, with arguments fixed by a partial."""

    class Local(torch.optim.SGD):
        """Found by no name."""

    fix: Any = functools.partial
    scope = ScopedRegistry()
    assert scope.optimizer_text(torch.optim.AdamW) == "torch:adamw"
    fixed = scope.optimizer_text(fix(torch.optim.Adam, lr=0.1, betas=(0.8, 0.99)))
    assert fixed == "torch:adam[lr=0.1,beta1=0.8,beta2=0.99]"
    assert scope.optimizer_text(OwnAdam) == f"torch:{__name__}.OwnAdam"
    assert scope.optimizer_text(Local) == "torch:Local"
    assert [each.item for each in scope.passed if each.item is Local] == [Local]
    with pytest.raises(ConfigError, match="did you mean 'lr'"):
        scope.optimizer_text(fix(torch.optim.Adam, lrr=0.1))


def test_a_class_trains_like_its_name() -> None:
    """The same run, under the same key."""
    by_name = optbench.train("torch:adam[lr=0.01]", dataset="iris", epochs=1)
    by_class = optbench.train(torch.optim.Adam, dataset="iris", epochs=1, lr=0.01)
    assert by_class.spec.key == by_name.spec.key
    assert by_class.params_hash == by_name.params_hash


class Counting(torch.optim.SGD):
    """Descent that counts the steps of all runs on its class."""

    calls = 0

    def step(self, closure: Any = None) -> Any:
        """Count the step."""
        type(self).calls += 1
        return super().step(closure)


def test_a_run_names_what_it_changes_on_the_wrapped_class() -> None:
    """State there is shared by all runs of a process; torch's own classes keep none."""
    changed = optbench.train(Counting, dataset="iris", regime="batch", epochs=1)
    assert changed.reason == "changed Counting.calls of the optimizer's class"
    assert optbench.train(torch.optim.Adam, dataset="iris", regime="batch", epochs=1).reason == ""


def test_the_line_for_pytorch_makes_the_same_optimizer() -> None:
    """By its short and by its full name; a class that needs groups has no line."""
    weight = torch.nn.Parameter(torch.zeros(3))
    for name, values in (
        ("torch:adam", {"lr": 0.02, "beta2": 0.95, "amsgrad": True}),
        ("torch:torch.optim.NAdam", {"lr": 0.02, "beta1": 0.8}),
    ):
        stepper = adapt(name)
        complete = {key: h.default for key, h in stepper.hypers().items()} | values
        line = code_lines(stepper, complete)["torch"]
        made = eval(line, {"torch": torch, "params": [weight]})
        assert isinstance(made, stepper._wrapped)
        group = made.param_groups[0]
        assert group["lr"] == 0.02
        assert group["betas"] == (complete["beta1"], complete["beta2"])
        assert group.get("amsgrad") is complete.get("amsgrad")
    assert adapt("torch:muon").equivalents == {}


class Printing(torch.optim.SGD):
    """Descent that prints at each step."""

    def step(self, closure: Any = None) -> Any:
        """Print."""
        print("step")
        return super().step(closure)


def test_what_a_class_prints_while_it_is_tried_is_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """These steps are no run; those of a run are shown."""
    adapt_class(Printing, {})
    assert capsys.readouterr().out == ""
    optbench.train(Printing, dataset="iris", regime="batch", epochs=1)
    assert "step" in capsys.readouterr().out
