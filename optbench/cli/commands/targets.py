"""``optbench targets``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from optbench.cli.options import Place, json_option, plugin_options
from optbench.cli.output import print_json, print_table, remark, say_lines


@click.command("targets")
@click.argument("folders", nargs=-1, type=Place())
@click.option("--write", "target", type=Place(), help="Write this TOML file.")
@json_option
@plugin_options
def command(folders: Sequence[Path], target: Path | None, as_json: bool) -> None:
    """Show the frozen target losses; with FOLDERS, derive new ones from the studies in them.

    For each dataset and network, L0 is the loss before training, and L* is the lowest loss that
    the best optimizer held, over all regimes and initializers. The targets lie 50, 75 and 90% of
    the way from log L0 to log L*. To freeze them, a plugin returns the file from
    `optbench_register_targets`.

    \b
    Examples:
      optbench targets
      optbench run standard --out wide && optbench targets wide --write targets.toml
    """
    from optbench.errors import ConfigError
    from optbench.registry import default_registry
    from optbench.study import load_study
    from optbench.suites import known_targets
    from optbench.suites.target_files import write_targets

    if not folders:
        if target is not None:
            raise click.UsageError("--write needs FOLDERS to derive the targets from")
        found = known_targets(default_registry())
    else:
        from optbench.analysis.derived_targets import derive_targets

        studies = [load_study(folder) for folder in folders]
        found = derive_targets([cell for study in studies for cell in study.cells])
        if not found:
            raise ConfigError("no target: on no dataset and network did any run improve by 2%")
        head = "Frozen targets of validation loss, derived by `optbench targets` from:\n"
        text = write_targets(found, head + "\n".join(study.command for study in studies))
        if target is not None:
            target.write_text(text, encoding="utf-8")  # keeps a link or a device in place
            remark(f"{len(found)} target{'s' * (len(found) != 1)} in {target}")
            return
        if not as_json:
            say_lines(text)
            return
    levels = ("easy", "medium", "hard")
    if as_json:
        print_json(
            [
                {"dataset": dataset, "network": network, **found[dataset, network]}
                for dataset, network in sorted(found)
            ]
        )
    else:
        print_table(
            ("dataset", "network", *levels),
            [(*key, *(f"{found[key][level]:.4g}" for level in levels)) for key in sorted(found)],
            f"{len(found)} frozen targets of validation loss",
        )
