"""``optbench plugins``."""

from __future__ import annotations

import click

from optbench.cli.options import json_option
from optbench.cli.output import echo, print_json, print_table
from optbench.support.text import printable


@click.command("plugins")
@click.option("--plugin", "targets", multiple=True, metavar="FILE|MODULE", help="Load this too.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 if a plugin does not load or a name is taken twice."
)
@json_option
def command(targets: tuple[str, ...], strict: bool, as_json: bool) -> int:
    """List the plugins found and what each provides; for broken ones, the cause.

    A plugin that does not load is left out. A name that two plugins register for different things
    is a conflict: it cannot be used, and everything else can.

    \b
    Examples:
      optbench plugins
      optbench plugins --plugin mine.py
      optbench plugins --strict --json
    """
    from optbench.errors import OptbenchError, PluginError
    from optbench.registry import Registry
    from optbench.registry.entries import LoadedPlugin

    # Not the shared registry, which warns of what this command lists.
    registry = Registry()
    registry.load_entry_points()
    for target in targets:
        try:
            registry.load_named(target)
        except OptbenchError as problem:
            error = str(problem).removeprefix(f"plugin {target}: ")
            registry.plugins.append(LoadedPlugin(target, target, "", "--plugin", error))
    broken = [plugin for plugin in registry.plugins if plugin.error]
    if as_json:
        fields = ("name", "distribution", "version", "origin", "error", "provides")
        described = [{f: getattr(plugin, f) for f in fields} for plugin in registry.plugins]
        print_json({"plugins": described, "conflicts": registry.conflicts})
    else:
        rows = [
            (plugin.name, plugin.version, plugin.origin, plugin.error or _brings(plugin.provides))
            for plugin in registry.plugins
        ]
        print_table(("plugin", "version", "found by", "brings, or why it does not load"), rows)
        for conflict in registry.conflicts:
            mark = click.style("conflict:", fg="red", bold=True)
            echo(f"{mark} {printable(conflict)}", err=True)
    if strict and broken:
        raise PluginError(f"plugin {broken[0].name} does not load: {broken[0].error}")
    if strict and registry.conflicts:
        raise PluginError(registry.conflicts[0])
    return 0


def _brings(provides: dict[str, list[str]]) -> str:
    counts = [f"{len(names)} {kind}" for kind, names in provides.items() if names]
    return ", ".join(counts) or "no listed names"
