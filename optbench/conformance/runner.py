"""Runs the checks of a plugin class, on the command line or under pytest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from optbench.conformance.kit import Check, CheckFailedError, checks_for, expected_failures
from optbench.contracts import DatasetSource
from optbench.errors import OptbenchError, describe_error
from optbench.registry import default_registry
from optbench.support.text import one_line

if TYPE_CHECKING:
    import pytest

CHECKED = ("optimizers", "initializers", "datasets", "schedules")
"""Kinds of registered things that have checks."""

_CONTEXT = re.compile(r"^(at \S+ a step fails: |.*?training failed: )?(optimizer '\S+': )?")
"""Where a fault showed, which comes before the fault itself."""
_NO_NUMBERS = str.maketrans("", "", "0123456789, ")
_RAISED = re.compile(r"\b([A-Z]\w+): .*\((\S+:\d+)\)")

Verdict = Literal["passed", "failed", "expected failure", "caution"]


@dataclass(frozen=True)
class Outcome:
    """How one check ended.

    Attributes:
        item: Name of the plugin.
        check: Name of the check.
        promise: What it checks.
        verdict: An expected failure counts as passed; one that unexpectedly passes has failed. A
            caution is not about a promise, but about figures that may mislead.
        detail: Reason in one line; empty if it passed.
    """

    item: str
    check: str
    promise: str
    verdict: Verdict
    detail: str = ""

    @property
    def fault(self) -> str:
        """Type and place of the exception, or else the detail; the same for the same fault."""
        raised = _RAISED.search(self.detail)
        return " at ".join(raised.groups()) if raised else _CONTEXT.sub("", self.detail)

    @property
    def kind(self) -> str:
        """The fault without numbers and shapes: the same for other arrays."""
        return self.fault.translate(_NO_NUMBERS)

    @property
    def ok(self) -> bool:
        """Whether the check passed or failed as expected."""
        return self.verdict != "failed"


def run_checks(item: type) -> Iterator[Outcome]:
    """Run every check that applies to a plugin class, and yield the outcomes one by one.

    Raises:
        PluginError: The class implements no contract, or expects failures of unknown checks.
    """
    for each in checks_for(item):
        yield run_check(each, item)


def run_check(each: Check, item: type) -> Outcome:
    """Run one check; an exception becomes its outcome."""
    reason = expected_failures(item).get(each.name)
    name = getattr(item, "name", "") or item.__name__
    try:
        each(item)
    except (Exception, SystemExit) as problem:
        broken = isinstance(problem, CheckFailedError)
        text = one_line(str(problem)) if broken else describe_error(problem, item)
        if reason is not None:
            return Outcome(name, each.name, each.promise, "expected failure", reason)
        return Outcome(name, each.name, each.promise, "failed", text)
    if reason is not None:
        text = f"is expected to fail ({reason}), but passes: take it out of expected_failures"
        return Outcome(name, each.name, each.promise, "failed", text)
    return Outcome(name, each.name, each.promise, "passed")


def run_cautions(item: type) -> Iterator[Outcome]:
    """Yield the cautions about a dataset that loads; none about another class.

    Example:
        >>> from optbench import make_dataset
        >>> data = make_dataset([[i, 7.0] for i in range(100)], [i % 2 for i in range(100)])
        >>> [outcome.check for outcome in run_cautions(data)]
        ['constant-columns']
    """
    from optbench.data.dataset_cautions import find_cautions

    if not issubclass(item, DatasetSource):
        return
    try:
        cautions = find_cautions(item)
    except OptbenchError:  # the checks report it
        return
    for kind, text in cautions.items():
        if kind not in item.expected_cautions:
            yield Outcome(item.name, kind, "Its figures mean what they seem to", "caution", text)


def parametrize_with_checks(items: Iterable[type | str]) -> pytest.MarkDecorator:
    """Return a pytest mark that runs a test for each class and each check that applies to it.

    Args:
        items: Plugin classes, or names of registered plugins.

    Returns:
        The mark; the test has arguments ``item`` and ``check``. Checks in the class's
        ``expected_failures`` are strict expected failures.

    Example:
        A complete test file::

            from optbench.conformance import parametrize_with_checks
            from mine import Mine

            @parametrize_with_checks([Mine])
            def test_promises(item, check):
                check(item)
    """
    import pytest

    cases = []
    for item in _resolve(items):
        for each in checks_for(item):
            reason = expected_failures(item).get(each.name)
            marks = () if reason is None else (pytest.mark.xfail(reason=reason, strict=True),)
            name = getattr(item, "name", "") or item.__name__
            cases.append(pytest.param(item, each, id=f"{name}-{each.name}", marks=marks))
    return pytest.mark.parametrize(("item", "check"), cases)


def _resolve(items: Iterable[type | str]) -> Iterator[type]:
    for item in items:
        if not isinstance(item, str):
            yield item
            continue
        registry = default_registry()
        kinds = registry.kinds_of(item, CHECKED)
        for kind in kinds or ["optimizers"]:  # the registry knows how to refuse an unknown name
            yield registry.entry(kind, item).item
