"""Public functions that compare optimizers, and merge and replay studies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

from optbench.data.data_tables import is_bunch, is_table
from optbench.data.given_data import DatasetLike, as_dataset, check_target, is_pair
from optbench.engine.specs import check_widths
from optbench.errors import ConfigError, suggest_arguments
from optbench.execution import Limits, make_executor
from optbench.plan import build_plan
from optbench.records import Health, Regime
from optbench.registry.scoped import InitializerLike, OptimizerLike, ScopedRegistry
from optbench.study.calls import as_list, call_text, parse_time
from optbench.study.driver import Observer
from optbench.study.folders import TemporaryFolder, writable_folder
from optbench.study.growing_defaults import growing_changes
from optbench.study.merging import merge_studies
from optbench.study.progress_view import shown_progress
from optbench.study.replaying import Replay, replay_run
from optbench.study.running import run_study_in
from optbench.study.study import Session, Study
from optbench.suites.overrides import SuiteChanges, SuiteLike, change_suite, resolve_suite


@suggest_arguments
def compare(
    optimizers: OptimizerLike | Sequence[OptimizerLike] | None = None,
    *,
    suite: SuiteLike = "quick",
    datasets: DatasetLike | Sequence[DatasetLike] | None = None,
    target: str | None = None,
    hidden: int | Sequence[int] | Sequence[Sequence[int]] | None = None,
    activations: str | Sequence[str] | None = None,
    initializers: InitializerLike | Sequence[InitializerLike] | None = None,
    regimes: Regime | Sequence[Regime] | None = None,
    batch_size: int | None = None,
    epochs: int | Mapping[Regime, int] | None = None,
    workloads: int | None = None,
    seeds: int | None = None,
    replicates: int | None = None,
    stepper_replicates: int | None = None,
    first_replicate: int | None = None,
    budget: int | None = None,
    ruleset: Literal["defaults", "lr", "full"] | None = None,
    tuning_seeds: int | None = None,
    refine_trials: int | None = None,
    retest_trials: int | None = None,
    retest_seeds: int | None = None,
    select: Literal["best_val_loss", "val_loss", "time"] | None = None,
    dtype: Literal["float32", "float64"] | None = None,
    grid_points: int | None = None,
    until: Literal["decided"] | None = None,
    time_limit: float | str | None = None,
    baseline: str | None = None,
    regions: Mapping[str, float | str] | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    timeout: float | str | None = None,
    memory: int | None = None,
    health: Health = "first",
    retry_failed: bool = False,
    progress: bool | Observer | None = None,
) -> Study:
    """Train, tune and rank optimizers, like ``optbench run``.

    Arguments that are not given are taken from the suite. Every finished run is kept in the folder
    `out`; the same call continues from there and trains no run twice. Ctrl-C ends the study early
    and returns the runs finished so far, with ``complete=False``.

    Args:
        optimizers: Optimizers to compare, such as ``["adam", "sgd[lr=0.1]", MyRule]``; ``"all"``
            for all registered ones. A value in brackets is fixed; tuning chooses the others.
            Names, Rule and Stepper classes are allowed. With the adapters for torch and optax
            installed, so are ``torch.optim.Optimizer`` classes and optax functions.
            `functools.partial` fixes values.
        suite: Name of a registered suite, path of a TOML file, or its content as a dict.
        datasets: Names of datasets, DatasetSource classes, pairs of arrays ``(x, y)`` or data
            frames (see `optbench.make_dataset`).
        target: Column to predict, for data frames.
        hidden: Widths of the hidden layers, as in ``(32, 32)``; several networks as a list of
            such tuples; ``()`` for a linear model.
        activations: Names of activations: relu, tanh, sigmoid, leaky-relu, gelu or linear.
        initializers: Names of initializers, values in brackets allowed, or Initializer classes.
        regimes: Any of ``"batch"``, ``"mini-batch"`` and ``"sgd"``.
        batch_size: Examples per update in ``"mini-batch"``, at least 1.
        epochs: Passes over the training part, at least 1; one number, or one per regime.
        workloads: Number of workloads of a suite that draws them, 1 to 10,000.
        seeds: Number of evaluation seeds in each replicate, at least 1.
        replicates: Number of independent repetitions of tuning and evaluation, at least 1. With a
            single one, no optimizer can be called better than another.
        stepper_replicates: Number of replicates of optimizers in ordinary Python (Steppers), if
            fewer; 0 for as many as the others have.
        first_replicate: Number of the first replicate, at least 0; studies with different
            replicates share no seed and no search point, so they can be merged.
        budget: Number of trials of an optimizer on each workload, at least 1.
        ruleset: Hyperparameters to tune: ``"defaults"`` for none, ``"lr"`` for the learning rate,
            ``"full"`` for all that declare a search range.
        tuning_seeds: Number of seeds per trial, at least 1.
        refine_trials: Number of further trials beside the best one, the same for every optimizer.
        retest_trials: Number of best trials that are trained on further tuning seeds before one of
            them is chosen; 0 for none.
        retest_seeds: Number of these further seeds, at least 1; the better half of four or more
            trials is then trained on twice as many more.
        select: Criterion by which a trial is chosen: ``"best_val_loss"``, the lowest validation
            loss along the run; ``"val_loss"``, the final one; or ``"time"``, the number of examples
            needed to reach a target.
        dtype: ``"float32"`` or ``"float64"``.
        grid_points: Number of evaluations along a run, at least 2.
        until: ``"decided"`` to add replicates until final loss and speed of all pairs are decided,
            at most `replicates` (32 if not given). Optimizers without open pairs get no further
            runs.
        time_limit: With `until`: time after which no further run is started, in seconds or as in
            ``"10m"``.
        baseline: Label of the optimizer that all others are compared with, as in the leaderboard;
            with `until`, only its pairs are decided.
        regions: Half widths of regions of practical equivalence by board, such as
            ``{"final-loss": 0.05, "speed": "20%"}``.
        out: Folder of the study; by default a temporary one that lives as long as the study.
        jobs: Number of parallel runs on this machine, at least 1; one per core if None.
        scheduler: Address of a Dask cluster to train on.
        timeout: Time after which a run is aborted, in seconds or as in ``"90s"``; if given, runs
            are trained in processes.
        memory: Megabytes that a worker process may allocate for its runs (Linux).
        health: Which evaluation runs record layer health: ``"none"``, ``"first"`` (one for each
            configuration) or ``"all"``.
        retry_failed: Whether to train runs again that failed before.
        progress: True or False, or a function that is called with each `Progress`. By default,
            a bar is shown in a notebook or a terminal, and nothing elsewhere.

    Returns:
        The study.

    Raises:
        ConfigError: A name is unknown, a value is not allowed, or the folder is not writable.
        PluginError: A plugin fails before anything is trained.
        StoreError: The store in the folder cannot be read or written.

    Example:
        >>> import optbench
        >>> study = optbench.compare(["sgd", "adam"], suite="smoke", seeds=2)
        >>> sorted(row.label for row in study.leaderboard.overall)
        ['adam', 'sgd']
        >>> study.frame("runs")["dataset"].unique().tolist()
        ['iris']
    """
    registry = ScopedRegistry()
    if time_limit is not None and until is None:
        raise ConfigError('compare: time_limit needs until="decided"')
    seconds = parse_time("compare", "time_limit", time_limit)
    limits = Limits(seconds=parse_time("compare", "timeout", timeout), memory_mb=memory)
    changes = SuiteChanges(
        optimizers=_optimizers(optimizers, registry),
        datasets=_datasets(datasets, target, registry),
        hidden=_networks(hidden),
        activations=_listed("activations", activations),
        initializers=_initializers(initializers, registry),
        regimes=_listed("regimes", regimes),
        batch_size=batch_size,
        epochs=epochs,
        workloads=workloads,
        seeds=seeds,
        replicates=replicates,
        stepper_replicates=stepper_replicates,
        first_replicate=first_replicate,
        budget=budget,
        ruleset=ruleset,
        tuning_seeds=tuning_seeds,
        refine_trials=refine_trials,
        retest_trials=retest_trials,
        retest_seeds=retest_seeds,
        select=select,
        dtype=dtype,
        grid_points=grid_points,
    )
    grown = changes if until is None else growing_changes(changes)
    plan = build_plan(change_suite(resolve_suite(suite, registry), grown, "compare"), registry)
    plan = plan.with_criteria(baseline, regions)
    others = {
        "target": target,
        "suite": suite,
        "until": until,
        "time_limit": time_limit,
        "baseline": baseline,
        "regions": regions,
        "out": out,
        "timeout": timeout,
        "memory": memory,
        "health": None if health == "first" else health,
    }
    temporary = None
    if out is None:
        temporary = TemporaryFolder()
        out = temporary.path
    folder = writable_folder(out)
    executor = make_executor(
        jobs,
        scheduler,
        health=health,
        first_seeds=plan.first_seeds,
        limits=limits,
        registry=registry,
    )
    with shown_progress(progress) as observer:
        study = run_study_in(
            folder,
            plan,
            executor,
            observer=observer,
            command=call_text("compare", changes | others),
            retry_failed=retry_failed,
            until=until,
            time_limit=seconds,
        )
    return replace(study, _session=Session(registry, temporary))


def merge(folders: Iterable[str | Path], *, out: str | Path, keep_first: bool = False) -> Study:
    """Merge studies that were run on several machines into one, like ``optbench merge``.

    Args:
        folders: Folders of the studies, at least one; their protocols must be equal.
        out: Folder of the merged study.
        keep_first: Whether to keep the first version of a run if two studies have it with different
            numbers, instead of raising an error.

    Returns:
        The merged study.

    Raises:
        ConfigError: A folder has no study, the protocols differ, or two studies have a run with
            different numbers.

    Example:
        >>> import optbench
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for name in ("sgd", "adam"):
        ...         _ = optbench.compare([name], suite="smoke", out=f"{folder}/{name}")
        ...     study = optbench.merge([f"{folder}/sgd", f"{folder}/adam"], out=f"{folder}/both")
        ...     sorted(row.label for row in study.leaderboard.overall)
        ['adam', 'sgd']
    """
    return merge_studies(folders, out, keep_first=keep_first).study


def replay(
    study: Study | str | Path, run_id: str, *, objects: Iterable[OptimizerLike] = ()
) -> Replay:
    """Train a stored run again and compare it bit by bit, like ``optbench replay``.

    Args:
        study: The study, or its folder.
        run_id: Key of the run, or its first digits.
        objects: Classes or datasets that were passed to `compare` instead of names; not needed for
            a study that `compare` returned.

    Returns:
        Both results, with their differences.

    Raises:
        ConfigError: The run does not exist, or a name in it is no longer registered.

    Example:
        >>> import optbench
        >>> study = optbench.compare(["sgd"], suite="smoke")
        >>> optbench.replay(study, study.runs[0].key).is_same
        True
    """
    if isinstance(study, Study):
        if study.folder is None:
            raise ConfigError("this study has no folder, so there is no stored run to replay")
        return replay_run(study.folder, run_id, registry=study.registry)
    registry = ScopedRegistry()
    for item in objects:
        registry.pass_object(item)
    return replay_run(study, run_id, registry=registry)


def _optimizers(
    optimizers: OptimizerLike | Sequence[OptimizerLike] | None, registry: ScopedRegistry
) -> Literal["all"] | Sequence[str] | None:
    """Return the spellings of optimizers; objects are added to the registry."""
    if optimizers is None or (isinstance(optimizers, str) and optimizers == "all"):
        return cast('Literal["all"] | None', optimizers)
    return [registry.optimizer_text(item) for item in _listed("optimizers", optimizers) or ()]


def _datasets(
    datasets: DatasetLike | Sequence[DatasetLike] | None,
    target: str | None,
    registry: ScopedRegistry,
) -> Sequence[str] | None:
    """Return the names of datasets; objects are added to the registry."""
    single = is_table(datasets) or is_bunch(datasets) or is_pair(datasets)
    listed = [datasets] if single else _listed("datasets", datasets)
    if target is not None:
        check_target(listed or [], target)
    if listed is None:
        return None
    return [registry.dataset_name(as_dataset(item, target)) for item in listed]


def _initializers(
    initializers: InitializerLike | Sequence[InitializerLike] | None, registry: ScopedRegistry
) -> Sequence[str] | None:
    """Return the spellings of initializers; objects are added to the registry."""
    listed = _listed("initializers", initializers)
    return None if listed is None else [registry.initializer_text(item) for item in listed]


def _listed(name: str, items: Any) -> tuple[Any, ...] | None:
    """Return one or several items as a tuple, or None if nothing is given.

    Raises:
        ConfigError: The sequence is empty.
    """
    if items is None:
        return None
    listed = tuple(as_list(items))
    if not listed:
        raise ConfigError(f"compare: {name} is empty; nothing would be trained")
    return listed


def _networks(
    hidden: int | Sequence[int] | Sequence[Sequence[int]] | None,
) -> Sequence[tuple[int, ...]] | None:
    """Return the hidden widths of each network.

    A number means one layer, a sequence of numbers one network, and a sequence of sequences several
    networks.
    """
    if hidden is None:
        return None
    if isinstance(hidden, int | str) or not any(isinstance(each, Iterable) for each in hidden):
        return [check_widths("hidden", cast("int | Sequence[int]", hidden))]
    return [check_widths("hidden", each) for each in hidden]
