"""``optbench run``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli._options import Place, json_option, plugin_options, registered
from optbench.cli._output import print_json, remark
from optbench.cli._progress import ProgressView
from optbench.cli._signals import exit_code
from optbench.cli._study import (
    DEFAULT_OUT,
    Formats,
    Recorded,
    open_folder,
    show_board,
    show_failures,
    summary_json,
    typed_command,
    write_report,
)
from optbench.errors import ConfigError
from optbench.records import Health

if TYPE_CHECKING:
    from optbench.execution import Executor
    from optbench.plan import StudyPlan
    from optbench.study import Study

EXIT_FAILED_RUNS = 3
HEALTH: dict[bool | None, Health] = {None: "first", True: "all", False: "none"}
POSITIVE = click.IntRange(min=1)


def _selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is compared; each replaces what the suite says."""
    options = [
        click.option(
            "-o",
            "--optimizer",
            "optimizers",
            multiple=True,
            metavar="NAME[...]",
            shell_complete=registered("optimizers"),
            help="Optimizer, values in brackets: 'adam[lr=0.01,schedule=cosine]'. Repeatable.",
        ),
        click.option(
            "-d",
            "--dataset",
            "datasets",
            multiple=True,
            metavar="NAME",
            shell_complete=registered("datasets"),
            help="Dataset. Repeatable.",
        ),
        click.option(
            "-i",
            "--initializer",
            "initializers",
            multiple=True,
            metavar="NAME[...]",
            shell_complete=registered("initializers"),
            help="Initializer. Repeatable.",
        ),
        click.option(
            "-r",
            "--regime",
            "regimes",
            multiple=True,
            type=click.Choice(["batch", "mini-batch", "sgd"]),
            help="All examples an update, --batch-size of them, or one. Repeatable.",
        ),
        click.option(
            "--hidden",
            "hidden",
            multiple=True,
            metavar="WIDTHS",
            help="Widths of the hidden layers, 32,32; 'linear' for none. Repeatable.",
        ),
        click.option(
            "--activation",
            "activations",
            multiple=True,
            metavar="NAME",
            help="relu, tanh, sigmoid, leaky-relu, gelu or linear. Repeatable.",
        ),
        click.option("--batch-size", type=POSITIVE, help="Examples an update in mini-batch."),
        click.option("--epochs", type=POSITIVE, help="Passes over the training part."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _protocol(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how it is judged."""
    options = [
        click.option(
            "--ruleset",
            type=click.Choice(["defaults", "lr", "full"]),
            help="What is tuned: nothing, the learning rate, everything.",
        ),
        click.option("--budget", type=POSITIVE, help="Trials an optimizer has on each workload."),
        click.option("--seeds", type=POSITIVE, help="Fresh seeds to judge the chosen one on."),
        click.option("--tuning-seeds", type=POSITIVE, help="Seeds a trial is trained with."),
        click.option(
            "--select",
            type=click.Choice(["val_loss", "time"]),
            help="Choose by final validation loss, or by examples to the target.",
        ),
        click.option("--dtype", type=click.Choice(["float32", "float64"]), help="Precision."),
        click.option(
            "--grid", "grid_points", type=click.IntRange(min=2), help="Evaluations along a run."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _execution(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where it runs and what is written."""
    options = [
        click.option(
            "--out",
            type=Place(folder=True),
            default=DEFAULT_OUT,
            show_default=True,
            help="Folder of the study: its runs are kept there and never trained twice.",
        ),
        click.option("--jobs", type=POSITIVE, help="Runs at a time; all cores if not given."),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Train on this Dask cluster, e.g. tcp://host:8786 (needs optbench[cluster]).",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="Give a run up after this long (all runs go to processes then).",
        ),
        click.option(
            "--memory",
            type=POSITIVE,
            metavar="MB",
            help="What a worker process may allocate for its runs (Linux).",
        ),
        click.option("--live", is_flag=True, help="Draw the curves while they grow."),
        click.option("--retry-failed", is_flag=True, help="Train again what failed before."),
        click.option(
            "--formats",
            type=Formats(),
            default="png,svg",
            show_default=True,
            help="Formats of the plots: png, svg, pdf, or none.",
        ),
        click.option(
            "--health/--no-health",
            default=None,
            help="Record the state of the layers in every judged run, or in none; else in one a "
            "configuration.",
        ),
        click.option(
            "--dry-run", is_flag=True, help="List what would be trained, with an estimate of time."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("run", cls=Recorded)
@click.argument("suite", default="quick", shell_complete=registered("suites"))
@_selection
@_protocol
@_execution
@json_option
@plugin_options
def command(
    suite: str,
    out: Path,
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
    **changes: Any,
) -> int:
    """Train, tune and rank optimizers on SUITE: a name, or a TOML file. Default: quick.

    Options replace what the suite says. Interrupted with Ctrl-C, it keeps every finished run, and
    the same command goes on from there.

    \b
    Examples:
      optbench run
      optbench run -o adam -o 'sgd[lr=0.1]' -d digits -r mini-batch
      optbench run standard --jobs 8 --out results
      optbench run mine.toml --dry-run
    """
    from optbench.cli._suite import chosen_suite
    from optbench.plan import build_plan
    from optbench.registry import default_registry

    registry = default_registry()
    plan = build_plan(chosen_suite(suite, changes, registry), registry)
    if dry_run:
        from optbench.cli._dry_run import show_plan

        show_plan(plan, out, jobs, as_json)
        return 0
    open_folder(out)
    typed = typed_command()
    plugins = tuple(p.name for p in registry.plugins if p.origin == "--plugin")
    labels = [entrant.label for entrant in plan.entrants]
    with ProgressView(live=live, labels=labels, planned=_rough_total(plan)) as view:
        executor = _executor(jobs, scheduler, timeout, memory, plugins, health)
        study = _train(plan, out, executor, view, typed, retry_failed)
        complete = study.complete
        if not complete:
            view.say("interrupted; reporting what is finished (Ctrl-C again: no report)")
        try:
            board, files = write_report(study, out, typed, formats, view.say)
        except KeyboardInterrupt:
            board, files, complete = None, [], False
    if as_json:
        print_json(summary_json(study, board, files))
    elif board is not None:
        show_board(board, study)
    _say_what_happened(study, complete, out, typed)
    if not complete:
        return exit_code()
    return EXIT_FAILED_RUNS if study.failed else 0


def _rough_total(plan: StudyPlan) -> int:
    protocol = plan.protocol
    return len(plan.cells) * (protocol.budget * protocol.tuning_seeds + protocol.seeds)


def _executor(
    jobs: int | None,
    scheduler: str | None,
    timeout: float | None,
    memory: int | None,
    plugins: Sequence[str],
    health: bool | None,
) -> Executor:
    from optbench.execution import Limits, LocalExecutor

    limits = Limits(seconds=timeout, memory_mb=memory)
    where = HEALTH[health]
    if scheduler is None:
        return LocalExecutor(jobs, plugins=plugins, limits=limits, health=where)
    from optbench.execution.cluster import ClusterExecutor

    if jobs is not None:
        raise ConfigError("--jobs is for this machine; with --scheduler the cluster decides")
    return ClusterExecutor(scheduler, plugins=plugins, limits=limits, health=where)


def _train(
    plan: StudyPlan,
    out: Path,
    executor: Executor,
    view: ProgressView,
    typed: str,
    retry_failed: bool,
) -> Study:
    from optbench.registry import default_registry
    from optbench.store import Store
    from optbench.study import (
        STORE_NAME,
        SearchTuning,
        describe_environment,
        known_targets,
        run_study,
    )

    registry = default_registry()
    tuning = SearchTuning(plan.protocol, known_targets(registry))
    tuning.check(plan.cells)
    with executor, Store(out / STORE_NAME) as store:
        return run_study(
            plan,
            store,
            executor,
            tuning,
            view,
            say=view.say,
            command=typed,
            environment=describe_environment(registry),
            retry_failed=retry_failed,
        )


def _say_what_happened(study: Study, complete: bool, out: Path, typed: str) -> None:
    """On stderr: what was trained, what was left out, where things are, how to go on."""
    for line in study.left_out:
        remark(f"left out: {line}")
    show_failures(study)
    if not complete:
        remark(f"interrupted: {len(study.runs)} finished runs are kept in {out}; to go on: {typed}")
        return
    trained = f"trained {study.trained} runs" if study.trained else "nothing to train"
    reused = f"{study.reused} runs were in the store already" if study.reused else ""
    remark(", ".join(filter(None, (trained, reused))))
    remark(f"report: {out / 'report.html'}")
