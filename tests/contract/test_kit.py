"""The kit itself: every check can fail, and a good plugin passes all of them."""

from __future__ import annotations

from typing import Any

import pytest

from optbench import ConfigError, PluginError, Rule, conformance, hyper
from optbench.conformance import (
    CHECKS,
    CheckFailedError,
    checks_for,
    parametrize_with_checks,
    run_check,
    run_checks,
)
from optbench.registry import default_registry
from tests.contract.planted import GOOD, PLANTED, GoodRule, stepper, variant


def test_every_check_has_a_planted_plugin_that_breaks_it() -> None:
    """A check that cannot fail proves nothing."""
    assert set(PLANTED) == set(CHECKS)


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_the_planted_plugin_is_caught(name: str) -> None:
    """Each check fails on the plugin that breaks its promise, and says why in one line."""
    item = PLANTED[name]
    assert CHECKS[name].applies_to(item)
    outcome = run_check(CHECKS[name], item)
    assert outcome.verdict == "failed"
    assert len(outcome.detail) > 20
    assert "\n" not in outcome.detail


@pytest.mark.parametrize("item", GOOD, ids=lambda item: item.name)
def test_a_good_plugin_passes_every_check(item: type) -> None:
    """The kit demands nothing that an honest plugin cannot do."""
    outcomes = list(run_checks(item))
    assert len(outcomes) >= 8
    assert [outcome for outcome in outcomes if not outcome.ok] == []


# -- expected failures --------------------------------------------------------------------------

BROKEN = variant(
    GoodRule, variant="", expected_failures={"check_variant_is_named": "kept for the test"}
)


def test_an_expected_failure_counts_as_kept() -> None:
    """A promise that is broken on purpose, with a reason, is not a failure."""
    outcome = run_check(CHECKS["check_variant_is_named"], BROKEN)
    assert (outcome.ok, outcome.verdict) == (True, "expected failure")
    assert outcome.detail == "kept for the test"


def test_an_expected_failure_that_passes_is_a_failure() -> None:
    """The declaration cannot outlive its reason."""
    item = variant(BROKEN, variant="said after all")
    outcome = run_check(CHECKS["check_variant_is_named"], item)
    assert not outcome.ok
    assert "take it out of expected_failures" in outcome.detail


def test_an_expected_failure_of_no_check_is_refused() -> None:
    """A misspelt name does not silence anything."""
    item = variant(GoodRule, expected_failures={"check_variant_is_nmaed": "a slip"})
    with pytest.raises(PluginError, match="check_variant_is_nmaed"):
        checks_for(item)


def test_other_classes_have_no_checks() -> None:
    """The error names the classes that can be checked."""
    with pytest.raises(PluginError, match=r"is not a Rule, .* DatasetSource or Schedule class"):
        checks_for(int)


def test_an_exception_of_the_plugin_is_reported_with_its_type() -> None:
    """The author sees what went wrong, not only that something did."""

    def crash(self: object, params: object, grads: object, state: object, context: object) -> None:
        raise LookupError("no such\nthing")

    outcome = run_check(CHECKS["check_something_moves"], stepper(crash))
    assert outcome.detail == "optimizer 'good-stepper': LookupError: no such thing"


def test_an_interrupt_is_not_a_failure() -> None:
    """Ctrl-C ends the checks."""

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_check(CHECKS["check_something_moves"], stepper(interrupt))


def test_under_pytest_each_check_is_a_test_and_expected_failures_are_strict() -> None:
    """`parametrize_with_checks` names each case and marks what is expected to fail."""
    cases = parametrize_with_checks([BROKEN]).args[1]
    assert [case.id for case in cases][:1] == ["good-rule-check_name_is_kebab_case"]
    assert len(cases) == len(checks_for(BROKEN))
    (marked,) = [case for case in cases if case.marks]
    assert marked.id.endswith("check_variant_is_named")
    assert marked.marks[0].kwargs == {"reason": "kept for the test", "strict": True}


def test_a_registered_plugin_can_be_given_by_name() -> None:
    """A name can be given instead of a class; an unknown one gets the nearest."""
    name = next(iter(default_registry().entries("optimizers")))
    assert parametrize_with_checks([name]).args[1]
    with pytest.raises(ConfigError, match="unknown optimizer 'no-such-optimizer'"):
        parametrize_with_checks(["no-such-optimizer"])


def test_checks_are_functions_that_can_be_called_by_themselves() -> None:
    """An author may call one check in a test of their own."""
    conformance.check_something_moves(GoodRule)  # type: ignore[attr-defined]  # put there by name
    with pytest.raises(CheckFailedError, match="variant"):
        conformance.check_variant_is_named(BROKEN)  # type: ignore[attr-defined]


# -- one fault, one text ------------------------------------------------------------------------


def still(theta: Any, grad: Any, v: Any, t: int, h: Any) -> Any:
    """A step along a state that is never filled."""
    return theta - h.lr * v, v


def returns_nothing(theta: Any, grad: Any, v: Any, t: int, h: Any) -> None:
    """An update without its last line."""


def returns_a_bare_array(theta: Any, grad: Any, v: Any, t: int, h: Any) -> Any:
    """An update that forgets the state."""
    return theta - h.lr * grad


class WithState(Rule):
    """A rule with one state."""

    name = "with-state"
    source, variant = "planted", "plain"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))
    slots = ("v",)
    update = staticmethod(still)


def faults_of(item: type) -> set[str]:
    """The faults of the checks that fail, without where they showed."""
    return {outcome.fault for outcome in run_checks(item) if not outcome.ok}


def test_a_rule_that_stands_still_is_told_so_and_nothing_else() -> None:
    """A Rule has no `step`, and no hyperparameter can matter where nothing moves."""
    (fault,) = faults_of(WithState)
    assert "does not move; `update` returns the new theta first" in fault
    assert "`step`" not in fault


@pytest.mark.parametrize(
    ("update", "words"),
    [
        (returns_nothing, "update returned nothing; end it with `return theta, v`"),
        (returns_a_bare_array, "update returned an array; write `return theta, v`"),
    ],
)
def test_a_wrong_return_value_is_one_fault(update: Any, words: str) -> None:
    """No TypeError follows from it, and two trainings that failed are not called different."""
    assert faults_of(variant(WithState, update=staticmethod(update))) == {words}


def test_an_undeclared_need_is_one_fault() -> None:
    """Every check names it, and no training is said to end in different weights."""

    def step(self: Any, params: Any, grads: Any, state: Any, context: Any) -> None:
        context.closure()

    faults = faults_of(stepper(step))
    assert faults == {"the optimizer uses 'closure' without declaring it in `needs`"}
