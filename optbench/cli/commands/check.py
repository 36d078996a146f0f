"""``optbench check``."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from optbench.cli.options import json_option, plugin_options, registered
from optbench.cli.output import echo, folded, print_json, say_prose
from optbench.contracts import Optimizer, Rule, Stepper, Value, rate_of
from optbench.errors import ConfigError
from optbench.records import DTYPES
from optbench.support.log_lines import PrintedLines
from optbench.support.text import count, plural, printable

if TYPE_CHECKING:
    from optbench.conformance import Outcome

KINDS = ("optimizers", "initializers", "datasets", "schedules")
MARKS = {
    "passed": ("ok", "green"),
    "failed": ("FAIL", "red"),
    "expected failure": ("xfail", "yellow"),
    "caution": ("note", "yellow"),
}


@click.command("check")
@click.argument(
    "targets", nargs=-1, required=True, metavar="NAME|FILE...", shell_complete=registered(*KINDS)
)
@click.option(
    "--like",
    metavar="NAME",
    shell_complete=registered("optimizers"),
    help="Compare the steps of each optimizer with those of NAME, such as 'adam[debias=false]'.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print failures and the summary only.")
@json_option
@plugin_options
def command(targets: tuple[str, ...], like: str | None, quiet: bool, as_json: bool) -> int:
    """Check that plugins keep their promises.

    NAME is a registered optimizer, initializer, dataset or schedule. FILE is a Python file;
    everything that it registers is checked. The output lists each check with the promise that it
    tests. To declare that a plugin fails a check on purpose, add the check and the reason to
    expected_failures in the plugin's class. The exit code is 1 if a check fails. A note points
    out data that make results misleading, such as test examples that are training examples too.

    With --like, the steps of each optimizer are compared with those of a registered one, on small
    problems in float64 and at equal hyperparameters. Where they differ, the output gives the
    update, the parameter, both steps, and what may be wrong with the formula.

    \b
    Examples:
      optbench check mine
      optbench check mine.py
      optbench check adam he-normal digits --quiet
      optbench check mine.py --like adam
    """
    outcomes: list[Outcome] = []
    reference = _reference(like)
    items = _resolve(targets)
    _refuse_others(items, like)
    for name, item in items:
        if not as_json:
            echo(click.style(printable(name), bold=True) + _rate(item))
        _prepare(item)
        mine: list[Outcome] = []
        cautions: list[Outcome] = []
        again: Counter[str] = Counter()  # repetitions of each fault
        for outcome in _outcomes(item, reference):
            if outcome.verdict == "caution":
                cautions.append(outcome)
                continue
            known = next((each for each in mine if each.kind == outcome.kind and not each.ok), None)
            if known is not None:
                again[known.fault] += 1
            mine.append(outcome)
            if not as_json and known is None:
                _print(outcome, quiet)
        if not as_json:
            _print_again(again)
            for caution in cautions:
                _print_marked(caution, caution.detail)
            echo(_summary(mine))
        outcomes += mine + cautions
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
            plugin = registry.load_once(target)
            registry.check()
            for kind, name in ((k, n) for k in KINDS for n in plugin.provides.get(k, ())):
                found[kind, name] = registry.entry_of(plugin, kind, name).item
            continue
        kinds = registry.kinds_of(target, KINDS)
        if not kinds and ":" in target:
            kinds = ["optimizers"]
        if not kinds:
            known = [name for kind in KINDS for name in registry.entries(kind)]
            raise unknown_name(
                "optimizer, initializer, dataset or schedule",
                target,
                known,
                listing="optbench list",
            )
        found |= {(kind, target): registry.entry(kind, target).item for kind in kinds}
    return [(f"{name} ({kind.removesuffix('s')})", item) for (kind, name), item in found.items()]


def _reference(like: str | None) -> tuple[Optimizer, Mapping[str, Value]] | None:
    """Return the optimizer that is named with ``--like``, and the values in brackets.

    Raises:
        ConfigError: There is no such optimizer.
    """
    from optbench.hyperparameters import complete, parse_spelling
    from optbench.registry import default_registry

    if like is None:
        return None
    name, values = parse_spelling(like)
    reference = default_registry().optimizer(name)
    complete(reference, values)
    return reference, values


def _refuse_others(items: Sequence[tuple[str, type]], like: str | None) -> None:
    """Refuse ``--like`` if there is no optimizer to compare.

    Raises:
        ConfigError: None of the items is an optimizer.
    """
    if like is not None and not any(issubclass(item, Rule | Stepper) for _, item in items):
        raise ConfigError(f"--like {like} compares optimizers, and there is none: {items[0][0]}")


def _outcomes(
    item: type, reference: tuple[Optimizer, Mapping[str, Value]] | None
) -> Iterator[Outcome]:
    """Yield the outcome of each check, of the comparison with a reference, and the cautions.

    What the plugin prints goes to stderr, where lines that repeat are shown once.
    """
    from optbench.conformance import checks_for, compare_steps, run_cautions, run_check

    for each in checks_for(item):
        with contextlib.redirect_stdout(PrintedLines()):
            outcome = run_check(each, item)
        yield outcome
    if reference is not None and issubclass(item, Rule | Stepper):
        with contextlib.redirect_stdout(PrintedLines()):
            compared = list(compare_steps(item, *reference))
        yield from compared
    yield from run_cautions(item)


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
    _print_marked(outcome, outcome.promise)
    if outcome.detail:
        say_prose(f"        {outcome.check}: {outcome.detail}", indent=8)
    sys.stdout.flush()


def _print_marked(outcome: Outcome, text: str) -> None:
    """Print the verdict in its color, and a sentence."""
    mark, colour = MARKS[outcome.verdict]
    line = folded(f"  {mark:<5} {text}", indent=8)
    echo(line.replace(mark, click.style(mark, fg=colour), 1))


def _print_again(again: Mapping[str, int]) -> None:
    """Print how many more checks failed with the same fault, instead of repeating it."""
    for fault, checks in again.items():
        if checks:
            fail = f"{count(checks, 'more check')} {plural(checks, 'fails', 'fail')}"
            say_prose(f"        and {fail} in the same way: {fault}", indent=8)


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.verdict for outcome in outcomes)
    parts = [f"{counts['passed']} of {count(len(outcomes), 'check')} passed"]
    if counts["expected failure"]:
        parts.append(f"{counts['expected failure']} failed on purpose")
    if counts["failed"]:
        parts.append(click.style(f"{counts['failed']} failed", fg="red", bold=True))
    return ", ".join(parts) + "\n"
