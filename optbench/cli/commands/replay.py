"""``optbench replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optbench.cli.options import Place, json_option, plugin_options
from optbench.cli.output import print_json, say
from optbench.cli.study_output import DEFAULT_OUT
from optbench.errors import ConfigError

if TYPE_CHECKING:
    from optbench.records import RunResult, RunSpec

EXIT_DIFFERS = 1


@click.command("replay")
@click.argument("run_id")
@click.option(
    "--in",
    "folder",
    type=Place(),
    default=DEFAULT_OUT,
    show_default=True,
    help="Folder of the study.",
)
@json_option
@plugin_options
def command(run_id: str, folder: Path, as_json: bool) -> int:
    """Train the stored run RUN_ID again and compare it bit by bit; exit with 1 if it differs.

    RUN_ID is the key of a run, or its first few digits. `optbench export` lists the keys.

    \b
    Examples:
      optbench replay 3fa9c2
      optbench replay 3fa9c2 --in results --json
    """
    from threadpoolctl import threadpool_limits

    from optbench.engine.training import train_spec

    stored = find_run(folder, run_id)
    reasons = changes(stored.spec)
    with threadpool_limits(1):  # as in a study
        again = train_spec(stored.spec)
    differences = compare_bits(stored, again)
    if as_json:
        print_json(
            {
                "key": stored.key,
                "configuration": stored.spec.configuration,
                "workload": stored.spec.workload.label,
                "seed": stored.spec.seed,
                "same": not differences,
                "differences": differences,
                "reasons": reasons,
            }
        )
    else:
        say(f"{stored.key}  {stored.spec.configuration}, seed {stored.spec.seed}")
        say(f"on {stored.spec.workload.label}")
        for line in differences or ["the same bits: status, parameters, curve and test loss"]:
            say(line)
        for line in reasons:
            say(f"a possible reason: {line}")
    return EXIT_DIFFERS if differences else 0


def find_run(folder: Path, run_id: str) -> RunResult:
    """The stored run whose key begins like this.

    Raises:
        ConfigError: none does, or several do.
    """
    from optbench.store import Store
    from optbench.study import STORE_NAME

    path = folder / STORE_NAME
    if not path.is_file():
        raise ConfigError(f"{folder} has no study: no {STORE_NAME} in it")
    with Store(path, create=False) as store:
        keys = store.keys(run_id.lower()) if run_id else set()
        if len(keys) != 1:
            what = f"{len(keys)} runs begin with '{run_id}'; give more digits"
            raise ConfigError(what if keys else f"no run in {folder} begins with '{run_id}'")
        return next(store.results(keys))


def changes(spec: RunSpec) -> list[str]:
    """What is not as it was when the run was planned."""
    from optbench.records import ENGINE_VERSION
    from optbench.registry import default_registry
    from optbench.registry.fingerprints import fingerprint, foreign_fingerprint
    from optbench.registry.kinds import SCHEDULES

    registry = default_registry()
    found = []
    if spec.engine != ENGINE_VERSION:
        found.append(f"the engine was version {spec.engine}, this is {ENGINE_VERSION}")
    if fingerprint(registry.optimizer(spec.optimizer)) != spec.optimizer_code:
        found.append(f"the code of optimizer {spec.optimizer} has changed since")
    if fingerprint(registry.initializer(spec.initializer)) != spec.initializer_code:
        found.append(f"the code of initializer {spec.initializer} has changed since")
    schedule = registry.entry(SCHEDULES, spec.control.schedule)
    if foreign_fingerprint(schedule) != spec.schedule_code:
        found.append(f"the code of schedule {schedule.name} has changed since")
    return found


def compare_bits(old: RunResult, new: RunResult) -> list[str]:
    """What differs, one line each; times aside, which differ always."""
    found: list[str] = []

    def check(name: str, before: object, after: object) -> None:
        if not _equal([before], [after]).all():
            found.append(f"{name}: was {before}, is {after}")

    check("status", old.status.value, new.status.value)
    check("reason", old.reason, new.reason)
    check("parameters (sha256)", old.params_hash[:16], new.params_hash[:16])
    check("gradient evaluations", old.grad_evals, new.grad_evals)
    check("test loss", old.test_loss, new.test_loss)
    check("evaluations", old.curve.rows, new.curve.rows)
    for column in old.curve:
        if column == "seconds" or column not in new.curve or old.curve.rows != new.curve.rows:
            continue
        before, after = old.curve[column], new.curve[column]
        same = _equal(before, after)
        if not same.all():
            row = int((~same).argmax())
            found.append(f"{column}: from row {row} on: was {before[row]}, is {after[row]}")
    return found


def _equal(before: Any, after: Any) -> Any:
    """Elementwise equality to which NaN equals NaN."""
    import numpy as np

    before, after = np.asarray(before), np.asarray(after)
    if before.dtype.kind != "f":
        return before == after
    return (before == after) | (np.isnan(before) & np.isnan(after))
