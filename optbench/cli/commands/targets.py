"""``optbench targets``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optbench.cli.options import Place, json_option, plugin_options
from optbench.cli.output import print_json, print_table, remark, say_lines
from optbench.support.text import count

if TYPE_CHECKING:
    from optbench.suites import Targets


@click.command("targets")
@click.argument("folders", nargs=-1, type=Place())
@click.option("--write", "target", type=Place(), help="TOML file to write.")
@json_option
@plugin_options
def command(folders: Sequence[Path], target: Path | None, as_json: bool) -> None:
    """Show the frozen losses; with FOLDERS, derive new ones from the studies in them.

    For each dataset and network these are the best known losses (training, validation and test
    part), which have a score of 1, and three validation losses to reach. With L0 the loss of
    guessing, and L* the lowest validation loss that the best optimizer held, over all regimes and
    initializers, the targets lie 50, 75 and 90% of the way from log L0 to log L*. To freeze them, a
    plugin returns the file from `optbench_register_targets`.

    \b
    Examples:
      optbench targets
      optbench run standard --out wide
      optbench targets wide --write targets.toml
    """
    from optbench.registry import default_registry
    from optbench.suites import known_targets
    from optbench.suites.target_files import write_targets

    if folders:
        targets, commands = _derive(folders)
        if target is not None or not as_json:
            head = "Frozen losses, derived by `optbench targets` from:\n"
            text = write_targets(targets, head + "\n".join(commands))
            if target is None:
                say_lines(text)
            else:
                target.write_text(text, encoding="utf-8")  # keeps a link or a device in place
                remark(f"{len(targets)} target{'s' * (len(targets) != 1)} in {target}")
            return
    elif target is not None:
        raise click.UsageError("--write needs FOLDERS to derive the targets from")
    else:
        targets = known_targets(default_registry())
    _show(targets, as_json)


def _derive(folders: Sequence[Path]) -> tuple[Targets, list[str]]:
    """Return the targets that the studies give, and the commands that made the studies."""
    from optbench import __version__
    from optbench.analysis.derived_targets import derive_targets
    from optbench.errors import ConfigError
    from optbench.study import load_study

    studies = [load_study(folder) for folder in folders]
    runs = sum(len(study.runs) for study in studies)
    suites = ", ".join(dict.fromkeys(study.suite for study in studies))
    targets = derive_targets(
        [cell for study in studies for cell in study.cells],
        f"optbench {__version__}: {count(runs, 'run')} of {suites}",
    )
    if not targets:
        raise ConfigError("no target: on no dataset and network did any run improve by 2%")
    return targets, [study.command for study in studies]


def _show(targets: Targets, as_json: bool) -> None:
    from optbench.suites.target_files import BEST, LEVELS

    fields = (*LEVELS, *BEST)
    rows = [(key, targets[key]) for key in sorted(targets)]
    if as_json:
        known = [
            {x: None if math.isnan(getattr(target, x)) else getattr(target, x) for x in fields}
            for _, target in rows
        ]
        print_json(
            [
                {"dataset": dataset, "network": network, **losses, "origin": target.origin}
                for ((dataset, network), target), losses in zip(rows, known, strict=True)
            ]
        )
    else:
        print_table(
            ("dataset", "network", *(field.replace("_", " ") for field in fields)),
            [(*key, *(_loss(getattr(target, field)) for field in fields)) for key, target in rows],
            f"{len(rows)} frozen targets of validation loss, and best known losses",
        )


def _loss(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"
