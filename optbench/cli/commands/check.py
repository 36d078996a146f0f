"""``optbench check``."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from optbench.cli.options import json_option, plugin_options, registered
from optbench.cli.output import echo, print_json, say
from optbench.contracts import Rule, Stepper, rate_of
from optbench.records import DTYPES
from optbench.support.text import printable

if TYPE_CHECKING:
    from optbench.conformance import Outcome

KINDS = ("optimizers", "initializers", "datasets", "schedules")
MARKS = {
    "passed": ("ok", "green"),
    "failed": ("FAIL", "red"),
    "expected failure": ("xfail", "yellow"),
}


@click.command("check")
@click.argument(
    "targets", nargs=-1, required=True, metavar="NAME|FILE...", shell_complete=registered(*KINDS)
)
@click.option("-q", "--quiet", is_flag=True, help="Print failures and the summary only.")
@json_option
@plugin_options
def command(targets: tuple[str, ...], quiet: bool, as_json: bool) -> int:
    """Check that plugins keep their promises.

    NAME is a registered optimizer, initializer, dataset or schedule. FILE is a Python file;
    everything that it registers is checked. The output lists each check with the promise that it
    tests. To declare that a plugin fails a check on purpose, add the check and the reason to
    expected_failures in the plugin's class. The exit code is 1 if a check fails.

    \b
    Examples:
      optbench check mine
      optbench check mine.py
      optbench check adam he-normal digits --quiet
    """
    from optbench.conformance import run_checks

    outcomes: list[Outcome] = []
    for name, item in _resolve(targets):
        if not as_json:
            echo(click.style(printable(name), bold=True) + _rate(item))
        _prepare(item)
        mine: list[Outcome] = []
        again: Counter[str] = Counter()  # repetitions of each fault
        for outcome in run_checks(item):
            known = not outcome.ok and any(outcome.fault == each.fault for each in mine)
            again[outcome.fault] += known
            mine.append(outcome)
            if not as_json and not known:
                _print(outcome, quiet)
        if not as_json:
            _print_again(again)
            echo(_summary(mine))
        outcomes += mine
    if as_json:
        fields = ("item", "check", "promise", "verdict", "detail")
        print_json([{field: getattr(each, field) for field in fields} for each in outcomes])
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def _resolve(targets: Sequence[str]) -> list[tuple[str, type]]:
    """Return the label and the class of each item to check, without duplicates.

    Raises:
        ConfigError: A name is not registered.
        PluginError: A file does not load.
    """
    from optbench.errors import unknown_name
    from optbench.registry import default_registry

    registry = default_registry()
    found: dict[tuple[str, str], type] = {}
    for target in targets:
        if target.endswith(".py"):
            registry.load_once(target)
            registry.check()
            plugin = next(p for p in registry.plugins if p.name == target)
            names = [(kind, name) for kind in KINDS for name in plugin.provides.get(kind, [])]
        else:
            names = [(kind, target) for kind in KINDS if target in registry.entries(kind)]
            if not names and ":" in target:
                names = [("optimizers", target)]
        if not names:
            known = [name for kind in KINDS for name in registry.entries(kind)]
            raise unknown_name("optimizer, initializer or dataset", target, known)
        found |= {(kind, name): registry.entry(kind, name).item for kind, name in names}
    return [(f"{name} ({kind.removesuffix('s')})", item) for (kind, name), item in found.items()]


def _prepare(item: type) -> None:
    """Download the files of a dataset, or compile the training loop of an optimizer.

    Doing so before the checks shows progress for these slow steps.

    Raises:
        ConfigError: The files of a dataset are not available, which is not the plugin's fault.
    """
    from optbench.contracts import DatasetSource
    from optbench.data.downloads import fetch_files
    from optbench.engine.loops.choice import choose_loop
    from optbench.engine.loops.warmup import warm_up

    if issubclass(item, DatasetSource):
        fetch_files(item)
    if not issubclass(item, Rule | Stepper):
        return
    with contextlib.suppress(Exception):  # the checks report a plugin that cannot be compiled
        for dtype in DTYPES:
            fused = choose_loop(item)[0] == "compiled"
            warm_up(item, fused, dtype)


def _rate(item: type) -> str:
    """Return which hyperparameter of an optimizer is its rate, to stand behind its name."""
    if not issubclass(item, Rule | Stepper):
        return ""
    rate = rate_of(item)
    return ", no rate" if rate is None else f", rate {printable(rate.name)}"


def _print(outcome: Outcome, quiet: bool) -> None:
    if quiet and outcome.ok:
        return
    mark, colour = MARKS[outcome.verdict]
    echo(f"  {click.style(f'{mark:<5}', fg=colour)} {printable(outcome.promise)}")
    if outcome.detail:
        say(f"        {outcome.check}: {outcome.detail}")
    sys.stdout.flush()


def _print_again(again: Mapping[str, int]) -> None:
    """Print how many more checks failed with the same fault, instead of repeating it."""
    for fault, count in again.items():
        if count:
            checks = "1 more check fails" if count == 1 else f"{count} more checks fail"
            say(f"        and {checks} in the same way: {fault}")


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.verdict for outcome in outcomes)
    parts = [f"{counts['passed']} of {len(outcomes)} checks passed"]
    if counts["expected failure"]:
        parts.append(f"{counts['expected failure']} failed on purpose")
    if counts["failed"]:
        parts.append(click.style(f"{counts['failed']} failed", fg="red", bold=True))
    return ", ".join(parts) + "\n"
