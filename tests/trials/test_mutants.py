"""Reports of a textbook formula with a slip in it: it trains, so nobody notices.

Mutants of built-in formulas. The contract kit sees those that break a promise of every optimizer;
``optbench check --like`` sees all of them, and says what is wrong where it can.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from optbench import Rule, decay, hyper
from optbench.cli import main
from optbench.conformance import checks_for, compare_steps, run_check
from optbench.registry import default_registry

REGISTRY = default_registry()
PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


@dataclass(frozen=True)
class Mutant:
    """A formula with one slip.

    Attributes:
        name: The slip in a few words.
        reference: Name of the built-in optimizer.
        update: The formula.
        failing: Checks of the contract kit that fail, without ``check_``.
        hint: What ``--like`` says may be wrong; empty if it only says where the paths part.
    """

    name: str
    reference: str
    update: Callable[..., Any]
    hint: str = ""
    failing: tuple[str, ...] = ()

    @property
    def rule(self) -> type[Rule]:
        """The plugin class, with everything but the formula as in the original.

        Those of Adam have no ``debias``, an option that plugins have rarely.
        """
        original: Any = REGISTRY.optimizer(self.reference)
        same = ("__doc__", "source", "variant", "slots")
        body = {name: getattr(original, name) for name in same} | original.hypers()
        body.pop("debias", None)
        if "init" in vars(original):
            body["init"] = original.init
        body |= {"name": "mutant", "__module__": __name__, "update": staticmethod(self.update)}
        return type("Mutant", (Rule,), body)


def averages(grad: Any, m: Any, v: Any, h: Any) -> tuple[Any, Any]:
    """Return Adam's averages of the gradient and of its square."""
    return h.beta1 * m + (1 - h.beta1) * grad, h.beta2 * v + (1 - h.beta2) * grad * grad


def corrected(m: Any, v: Any, t: Any, h: Any) -> tuple[Any, Any]:
    """Return Adam's averages, corrected for their start at 0."""
    return m / (1 - h.beta1**t), v / (1 - h.beta2**t)


def wrong_sign(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    return theta + h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v


def late_correction(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t + 1, h)
    return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v


def early_correction(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t - 1, h)
    return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v


def no_correction_of_squares(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    return theta - h.lr * m / (1 - h.beta1**t) / (np.sqrt(v) + h.eps), m, v


def no_correction(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    return theta - h.lr * m / (np.sqrt(v) + h.eps), m, v


def eps_in_the_root(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    return theta - h.lr * m_hat / np.sqrt(v_hat + h.eps), m, v


def eps_before_the_correction(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    rate = h.lr * (1 - h.beta2**t) ** 0.5 / (1 - h.beta1**t)
    return theta - rate * m / (np.sqrt(v) + h.eps), m, v


def no_eps(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    return theta - h.lr * m_hat / (np.sqrt(v_hat) + 1e-300), m, v


def exchanged_decays(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m = h.beta2 * m + (1 - h.beta2) * grad
    v = h.beta1 * v + (1 - h.beta1) * grad * grad
    m_hat = m / (1 - h.beta2**t)
    v_hat = v / (1 - h.beta1**t)
    return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v


def no_root(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    return theta - h.lr * m_hat / (v_hat + h.eps), m, v


def a_sum_for_the_mean(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m = h.beta1 * m + grad
    v = h.beta2 * v + (1 - h.beta2) * grad * grad
    m_hat, v_hat = corrected(m, v, t, h)
    return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v


def twice_the_step(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    return theta - 2 * h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v


def coupled_decay(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    g = grad + h.weight_decay * theta
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    m_hat, v_hat = corrected(m, v, t, h)
    return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v


def decay_without_lr(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    step = h.lr * m_hat / (np.sqrt(v_hat) + h.eps)
    return theta - step - h.weight_decay * theta, m, v


def growing_weights(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    step = m_hat / (np.sqrt(v_hat) + h.eps)
    return theta - h.lr * (step - h.weight_decay * theta), m, v


def decay_after_the_step(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    step = h.lr * m_hat / (np.sqrt(v_hat) + h.eps)
    return (theta - step) * (1 - h.lr * h.weight_decay), m, v


def forgotten_decay(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
    m, v = averages(grad, m, v, h)
    m_hat, v_hat = corrected(m, v, t, h)
    return theta - h.lr * m_hat / (np.sqrt(v_hat) + h.eps), m, v


def sum_of_gradients(theta: Any, grad: Any, v: Any, t: Any, h: Any) -> Any:
    v = h.beta * v + grad
    return theta - h.lr * v, v


def no_look_ahead(theta: Any, grad: Any, m: Any, t: Any, h: Any) -> Any:
    m = h.mu * m + grad
    return theta - h.lr * m, m


def old_mean_square(theta: Any, grad: Any, s: Any, m: Any, t: Any, h: Any) -> Any:
    m = h.rho * m + (1 - h.rho) * grad if h.centered else m
    spread = np.maximum(s - m * m, 0) if h.centered else s
    denominator = np.sqrt(spread + h.eps) if h.eps_in_root else np.sqrt(spread) + h.eps
    return theta - h.lr * grad / denominator, h.rho * s + (1 - h.rho) * grad * grad, m


def sign_of_the_new_mean(theta: Any, grad: Any, m: Any, t: Any, h: Any) -> Any:
    m = h.beta2 * m + (1 - h.beta2) * grad
    direction = np.sign(h.beta1 * m + (1 - h.beta1) * grad)
    return theta - h.lr * (direction + h.weight_decay * theta), m


def no_memory(theta: Any, grad: Any, s: Any, t: Any, h: Any) -> Any:
    s = grad * grad + h.initial_accumulator
    denominator = np.sqrt(s + h.eps) if h.eps_in_root else np.sqrt(s) + h.eps
    return theta - h.lr * grad / denominator, s


def error_of_the_old_mean(theta: Any, grad: Any, m: Any, s: Any, t: Any, h: Any) -> Any:
    error = grad - m
    m = h.beta1 * m + (1 - h.beta1) * grad
    s = h.beta2 * s + (1 - h.beta2) * error * error + h.eps
    m_hat = m / (1 - h.beta1**t)
    s_hat = s / (1 - h.beta2**t)
    return theta - h.lr * m_hat / (np.sqrt(s_hat) + h.eps), m, s


def no_learning_rate(theta: Any, grad: Any, t: Any, h: Any) -> Any:
    return (theta - 0.1 * grad,)


MUTANTS = [
    Mutant(
        "the sign is flipped", "adam", wrong_sign,
        "the sign of the step is flipped",
        ("defaults_descend", "descends_on_a_quadratic"),
    ),
    Mutant(
        "both averages corrected for t + 1", "adam", late_correction,
        "the bias correction of beta1 uses t + 1, and the bias correction of beta2 uses t + 1",
    ),
    Mutant(
        "both averages corrected for t - 1", "adam", early_correction,
        "its first step is not finite",
        ("zero_gradient_moves_nothing", "zero_learning_rate_moves_nothing", "defaults_descend",
         "descends_on_a_quadratic", "finite_after_many_steps", "finite_at_extreme_gradients",
         "every_hyperparameter_matters", "every_state_matters"),
    ),
    Mutant(
        "v is not corrected", "adam", no_correction_of_squares,
        "the bias correction of beta2 is missing",
    ),
    Mutant(
        "neither average is corrected", "adam", no_correction,
        "these are the steps of adam[debias=false]",
    ),
    Mutant(
        "eps inside the root", "adam", eps_in_the_root,
        "only eps differs: it stands inside the root",
    ),
    Mutant(
        "eps before the correction", "adam", eps_before_the_correction,
        "only eps differs: it is added before the bias correction of beta2",
    ),
    Mutant(
        "eps is not used", "adam", no_eps,
        "eps seems to have no effect",
        ("finite_at_extreme_gradients", "every_hyperparameter_matters"),
    ),
    Mutant(
        "beta1 and beta2 exchanged", "adam", exchanged_decays,
        "beta1 and beta2 seem to be exchanged",
    ),
    Mutant(
        "v without its root", "adam", no_root,
        "the root in the denominator is missing",
    ),
    Mutant(
        "m is a sum, not an average", "adam", a_sum_for_the_mean,
        "the factor 1 - beta1 is missing",
    ),
    Mutant(
        "twice the step", "adam", twice_the_step,
        "every step is 2 times that of adam",
    ),
    Mutant(
        "coupled weight decay", "adamw", coupled_decay,
        "only weight_decay differs: it goes through the gradient (coupled)",
    ),
    Mutant(
        "weight decay without lr", "adamw", decay_without_lr,
        "only weight_decay differs: it is not multiplied by lr",
        ("zero_learning_rate_moves_nothing",),
    ),
    Mutant(
        "weight decay with the wrong sign", "adamw", growing_weights,
        "only weight_decay differs: it has the wrong sign",
    ),
    Mutant(
        "weight decay after the step", "adamw", decay_after_the_step,
        "only weight_decay differs: it is applied to the parameters after the step",
    ),
    Mutant(
        "weight decay forgotten", "adamw", forgotten_decay,
        "weight_decay seems to have no effect",
        ("every_hyperparameter_matters",),
    ),
    Mutant(
        "a sum of gradients, not an average", "momentum", sum_of_gradients,
        "the factor 1 - beta is missing",
    ),
    Mutant(
        "no look ahead", "nesterov", no_look_ahead,
        "these are the steps of heavy-ball",
    ),
    Mutant(
        "the mean square is a step late", "rmsprop", old_mean_square,
        "its steps are proportional to the current gradient, those of rmsprop are not",
        ("defaults_descend", "descends_on_a_quadratic", "finite_after_many_steps"),
    ),
    Mutant(
        "the sign of the new m", "lion", sign_of_the_new_mean,
        "",
    ),
    Mutant(
        "squares are not accumulated", "adagrad", no_memory,
        "its steps depend on the current gradient only",
        ("every_state_matters",),
    ),
    Mutant(
        "the error of the old m", "adabelief", error_of_the_old_mean,
        "every step is multiplied by beta1 once more",
    ),
    Mutant(
        "lr is not used", "sgd", no_learning_rate,
        "lr seems to have no effect",
        ("zero_learning_rate_moves_nothing", "every_hyperparameter_matters"),
    ),
]  # fmt: skip
COMPILED = (
    "check_compiled_equals_reference",
    "check_trains_in_every_regime",
    "check_same_run_same_bits",
)
"""Checks that are left out here, because they compile each mutant."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_what_the_contract_kit_sees(mutant: Mutant) -> None:
    """A slip is seen if it breaks a promise that every optimizer keeps."""
    item = mutant.rule
    outcomes = [run_check(c, item) for c in checks_for(item) if c.name not in COMPILED]
    failed = [o.check.removeprefix("check_") for o in outcomes if not o.ok]
    assert tuple(failed) == mutant.failing


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_what_a_comparison_sees(mutant: Mutant) -> None:
    """Every slip, with the update, the parameter and both steps, and what may be wrong."""
    outcomes = list(compare_steps(mutant.rule, REGISTRY.optimizer(mutant.reference)))
    failed = [outcome for outcome in outcomes if outcome.verdict == "failed"]
    assert failed
    assert failed[0].check == f"like_{mutant.reference}"
    parting = r"^on .*, at update \d+ the (weight|bias) \[[\d, ]+\] moves by \S+, not by \S+[,;]?"
    assert re.match(parting, failed[0].detail)
    hint = failed[0].detail.partition("; ")[2]
    assert hint.startswith(mutant.hint) if mutant.hint else not hint


@pytest.mark.parametrize("name", sorted(REGISTRY.entries("optimizers")))
def test_every_optimizer_is_like_itself(name: str) -> None:
    """No false alarm, whatever the state of an optimizer is."""
    optimizer = REGISTRY.optimizer(name)
    assert [o.verdict for o in compare_steps(optimizer, optimizer)] == ["passed"]


def test_another_order_of_the_arithmetic_is_no_difference() -> None:
    """Rounding differs, and no more; other names of hyperparameters and defaults are matched."""

    class Rewritten(Rule):
        """Adam in the order of Kingma & Ba's remark on efficiency."""

        name = "rewritten"
        learning_rate: float = hyper(0.02, "learning rate", low=0, rate=True)
        b1: float = decay(0.8, "decay of the mean")
        b2: float = decay(0.99, "decay of the mean square")
        epsilon: float = hyper(1e-6, "eps", low=0)
        slots = ("m", "v")

        @staticmethod
        def update(theta: Any, grad: Any, m: Any, v: Any, t: Any, h: Any) -> Any:
            m = m + (1 - h.b1) * (grad - m)
            v = v + (1 - h.b2) * (grad**2 - v)
            root = (1 - h.b2**t) ** 0.5
            rate = h.learning_rate * root / (1 - h.b1**t)
            return theta - rate * m / (np.sqrt(v) + h.epsilon * root), m, v

    outcomes = list(compare_steps(Rewritten, REGISTRY.optimizer("adam")))
    assert [o.verdict for o in outcomes] == ["caution", "passed"]
    assert outcomes[0].detail == "compared with adam: only adam has debias=true"
    given = {"beta1": 0.5, "debias": False}
    verdicts = [o.verdict for o in compare_steps(Rewritten, REGISTRY.optimizer("adam"), given)]
    assert "failed" in verdicts


def test_an_option_of_the_optimizer_itself_is_found() -> None:
    """The formulas are the same, and a choice of the optimizer differs."""
    (plain,) = (m.rule for m in MUTANTS if m.name == "neither average is corrected")
    outcomes = list(compare_steps(REGISTRY.optimizer("adam"), plain))
    assert outcomes[-1].verdict == "failed"
    assert outcomes[-1].detail.endswith("; with debias=false it takes these steps")


def test_the_page_has_the_table() -> None:
    """What `check` and `--like` say of each mutant, as the tests above find it."""
    page = PAGE.read_text()
    for mutant in MUTANTS:
        failing = [f"`{name}`" for name in mutant.failing[:2]]
        more = f" and {len(mutant.failing) - 2} more" if len(mutant.failing) > 2 else ""
        seen = ", ".join(failing) + more if failing else "nothing"
        said = mutant.hint or "where they part"
        assert f"| {mutant.name} | `{mutant.reference}` | {seen} | {said} |" in page
    caught = sum(bool(mutant.failing) for mutant in MUTANTS)
    explained = sum(bool(mutant.hint) for mutant in MUTANTS)
    assert f"`check` finds {caught} of {len(MUTANTS)}" in page
    assert f"and explains {explained}" in page


def test_the_command_line_compares(tmp_path: Path) -> None:
    """The comparison is listed after the checks; the exit code is 1 where the steps part."""
    run = CliRunner().invoke
    good = run(main, ["check", "sgd", "--like", "sgd"])
    assert good.exit_code == 0
    assert "It takes the steps of sgd on 5 problems" in good.stdout
    bad = run(main, ["check", "momentum", "--like", "heavy-ball[mu=0.8]", "--quiet"])
    assert bad.exit_code == 1
    assert "like_heavy-ball: on " in bad.stdout
    others = run(main, ["check", "he-normal", "--like", "sgd"])
    assert others.exit_code == 1
    assert "--like sgd compares optimizers, and there is none: he-normal" in others.stderr
    assert "did you mean 'adam'" in run(main, ["check", "sgd", "--like", "adm"]).stderr
