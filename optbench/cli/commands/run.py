"""``optbench run``."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from optbench.cli.interrupts import exit_code
from optbench.cli.options import (
    baseline_option,
    json_option,
    plugin_options,
    region_option,
    registered,
)
from optbench.cli.output import print_json, remark, remark_prose
from optbench.cli.run_options import execution, growth, protocol, selection
from optbench.cli.study_output import (
    Recorded,
    show_board,
    show_failures,
    summary_json,
    typed_command,
)
from optbench.errors import ConfigError, OptbenchError
from optbench.records import Health
from optbench.support.text import count, plural

if TYPE_CHECKING:
    from optbench.plan import StudyPlan, StudyRecord
    from optbench.registry import Registry
    from optbench.study import Study
    from optbench.study.progress_displays import Display
    from optbench.suites.overrides import SuiteChanges

_log = logging.getLogger(__name__)

EXIT_FAILED_RUNS = 3
HEALTH: dict[bool | None, Health] = {None: "first", True: "all", False: "none"}


@click.command("run", cls=Recorded)
@click.argument("suite", default="quick", shell_complete=registered("suites"))
@selection
@protocol
@growth
@baseline_option
@region_option
@execution
@json_option
@plugin_options
def command(
    suite: str,
    out: Path,
    shard: tuple[int, int] | None,
    jobs: int | None,
    scheduler: str | None,
    timeout: float | None,
    memory: int | None,
    live: bool,
    retry_failed: bool,
    formats: Sequence[str],
    health: bool | None,
    dry_run: bool,
    as_json: bool,
    until: Literal["decided"] | None,
    time_limit: float | None,
    more: int | None,
    baseline: str | None,
    regions: Sequence[tuple[str, str]],
    **changes: Any,
) -> int:
    """Train, tune and rank optimizers on SUITE, a name or a TOML file (default: quick).

    Options replace the values of the suite. If you interrupt the command with Ctrl-C, every
    finished run is kept, and the same command continues from there.

    \b
    Examples:
      optbench run
      optbench run -o adam -o 'sgd[lr=0.1]' -d digits -r mini-batch
      optbench run standard --jobs 8 --out results
      optbench run mine.toml --dry-run
      optbench run --until decided --time-limit 10m
      optbench run --more 4
      optbench run --baseline adam --region final-loss=0.05
      optbench run standard --shard 2/10 --out part2
    """
    from optbench.registry import default_registry

    registry = default_registry()
    _check_growth(until, time_limit, more, shard)
    extended = None
    if more is not None:
        extended, plan = _extension(out, more, until, changes)
    else:
        try:
            plan = _plan(suite, until, changes)
        except ConfigError as problem:
            raise ConfigError(f"{problem}{_plugin_hint(problem, out)}") from None
    plan = plan.with_criteria(baseline, dict(regions))
    if shard is not None:
        plan = plan.shard(*shard)
    if dry_run:
        from optbench.cli.dry_run import show_plan

        show_plan(plan, out, jobs, as_json, until=until)
        return 0
    from optbench.execution import Limits, make_executor
    from optbench.study.folders import writable_folder
    from optbench.study.progress_displays import terminal_display
    from optbench.study.progress_view import ProgressView
    from optbench.study.running import run_study_in

    writable_folder(out)
    _say_what_was_read(plan, registry)
    typed, repeatable = typed_command(), typed_command(without="--retry-failed")
    with ProgressView(_live_curves(plan) if live else terminal_display()) as view:
        limits = Limits(seconds=timeout, memory_mb=memory)
        study = run_study_in(
            out,
            plan,
            make_executor(
                jobs,
                scheduler,
                health=HEALTH[health],
                first_seeds=plan.first_seeds,
                limits=limits,
            ),
            observer=view,
            command=typed,
            retry_failed=retry_failed,
            until=until,
            time_limit=time_limit,
            extended=extended,
        )
        complete = study.complete
        files: list[Path] = []
        if study.is_evaluated and shard is None:
            complete, files = _report(study, out, repeatable, formats)
        elif not complete:
            _log.info("interrupted; nothing to report yet")
    if as_json:
        print_json(summary_json(study, files))
    elif files:
        show_board(study)
    _say_what_happened(study, complete, out, typed, shard)
    if complete and shard is None and not files:
        cause = "" if time_limit is None else "the time limit is reached; "
        remark(f"{cause}nothing to report yet; to continue: {typed}")
    if not complete:
        return exit_code()
    return EXIT_FAILED_RUNS if study.failed else 0


def _report(
    study: Study, out: Path, command: str, formats: Sequence[str]
) -> tuple[bool, list[Path]]:
    """Write the report; return whether nothing was interrupted, and the files of the report."""
    from optbench.study.reporting import write_report

    if not study.complete:
        _log.info("interrupted; writing the report (Ctrl-C again skips it)")
    try:
        return study.complete, write_report(study, out, command=command, formats=formats)
    except KeyboardInterrupt:
        return False, []


def _check_growth(
    until: str | None, time_limit: float | None, more: int | None, shard: tuple[int, int] | None
) -> None:
    """Refuse options that do not go together.

    Raises:
        click.UsageError: They do not.
    """
    if time_limit is not None and until is None:
        raise click.UsageError("--time-limit needs --until decided")
    if shard is not None and (until or more):
        raise click.UsageError(
            "--shard trains a part of a study whose replicates are known: it goes with neither "
            "--until nor --more"
        )


def _plan(suite: str, until: str | None, changes: dict[str, Any]) -> StudyPlan:
    """Return the plan of a suite with the values that were typed.

    Raises:
        ConfigError: A name or a value is not allowed.
    """
    from optbench.plan import build_plan
    from optbench.registry import default_registry
    from optbench.suites.overrides import change_suite, resolve_suite

    chosen = cast("SuiteChanges", changes)
    if until is not None:
        from optbench.study.growing_defaults import growing_changes

        chosen = growing_changes(chosen)
    registry = default_registry()
    return build_plan(change_suite(resolve_suite(suite, registry), chosen), registry)


def _extension(
    out: Path, more: int, until: str | None, changes: Mapping[str, Any]
) -> tuple[StudyRecord, StudyPlan]:
    """Return the finished study in a folder and the plan of its further replicates.

    Raises:
        click.UsageError: The command line has other choices than the study.
    """
    from optbench.registry import default_registry
    from optbench.study.extending import plan_extension, read_finished

    given = sorted(name for name, value in changes.items() if value not in (None, (), []))
    typed_suite = click.get_current_context().get_parameter_source("suite")
    if until or given or typed_suite is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError(
            "--more continues the study in --out as it is: leave out the suite, --until and the "
            "options that choose what is compared"
        )
    record = read_finished(out)
    try:
        return record, plan_extension(record, more, default_registry())
    except ConfigError as problem:
        raise ConfigError(f"{problem}{_plugin_hint(problem, out)}") from None


def _plugin_hint(problem: ConfigError, out: Path) -> str:
    """Return the plugins of the study in a folder, if a name is unknown; else ''."""
    from optbench.study import STORE_NAME
    from optbench.study.extending import plugins_of

    if not str(problem).startswith("unknown ") or not (out / STORE_NAME).is_file():
        return ""
    try:
        plugins = [name for name in plugins_of(out) if name not in sys.argv]
    except OptbenchError:
        return ""
    options = " ".join(f"--plugin {shlex.quote(name)}" for name in plugins)
    return f"; the study in {out} was run with {options}" if options else ""


def _say_what_was_read(plan: StudyPlan, registry: Registry) -> None:
    """Print to stderr what was done to the values of each dataset that is a file."""
    for name in dict.fromkeys(workload.dataset for workload in plan.workloads):
        for note in registry.dataset_source(name).notes:
            remark_prose(f"{name}: {note}")


def _live_curves(plan: StudyPlan) -> Display:
    from optbench.plan import planned_runs
    from optbench.study.progress_displays import LiveCurves

    planned = sum(planned_runs(cell, plan.protocol) for cell in plan.cells)
    return LiveCurves([entrant.label for entrant in plan.entrants], planned)


def _say_what_happened(
    study: Study, complete: bool, out: Path, typed: str, shard: tuple[int, int] | None
) -> None:
    """Print a summary to stderr: notes on the plan, runs trained and failed, and the report."""
    for line in study.left_out:
        remark(f"note: {line}")
    show_failures(study)
    finished = len(study.runs)
    if not complete:
        kept = f"{count(finished, 'finished run')} {plural(finished, 'is', 'are')} stored in {out}"
        remark(f"interrupted: {kept}; to continue: {typed}")
        return
    trained = f"trained {count(study.trained, 'run')}" if study.trained else "nothing to train"
    were = f"{count(study.reused, 'run')} {plural(study.reused, 'was', 'were')}"
    reused = f"{were} in the store already" if study.reused else ""
    remark(", ".join(filter(None, (trained, reused))))
    if shard is None and study.is_evaluated:
        remark(f"report: {out / 'report.html'}")
    elif shard is not None:
        remark(
            f"shard {shard[0]} of {shard[1]}: {count(finished, 'run')} in {out}; when all are done"
        )
        remark("  optbench merge FOLDER... --out ALL  # joins them and writes the report")
