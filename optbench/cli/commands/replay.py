"""``optbench replay``."""

from __future__ import annotations

from pathlib import Path

import click

from optbench.cli.options import Place, json_option, plugin_options
from optbench.cli.output import print_json, say
from optbench.cli.study_output import DEFAULT_OUT

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
    from optbench.study.replaying import replay_run

    replay = replay_run(folder, run_id)
    spec = replay.stored.spec
    if as_json:
        print_json(
            {
                "key": replay.stored.key,
                "configuration": spec.configuration,
                "workload": spec.workload.label,
                "seed": spec.seed,
                "same": replay.is_same,
                "differences": replay.differences,
                "reasons": replay.reasons,
            }
        )
    else:
        say(f"{replay.stored.key}  {spec.configuration}, seed {spec.seed}")
        say(f"on {spec.workload.label}")
        for line in replay.differences or [
            "the same bits: status, parameters, curve and test loss"
        ]:
            say(line)
        label = "a possible reason" if replay.differences else "note"
        for line in replay.reasons:
            say(f"{label}: {line}")
    return 0 if replay.is_same else EXIT_DIFFERS
