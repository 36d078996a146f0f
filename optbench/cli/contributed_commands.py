"""Commands that plugins add to the command line."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import click

from optbench.errors import OptbenchError, PluginWarning
from optbench.support.distributions import entry_points_of, name_and_version

if TYPE_CHECKING:
    from optbench.registry.entries import Entry

TITLE = "Plugins"
"""Heading of the section of ``--help`` that lists the commands of plugins."""


def contributed_commands(taken: Collection[str]) -> dict[str, click.Command]:
    """Return the commands of plugins by name.

    Entries that cannot be commands are left out with a `PluginWarning`. If only the plugins that
    come with optbench are installed, no plugin is loaded.

    Args:
        taken: Names of the built-in commands, which a plugin cannot replace.
    """
    if not _others_exist():
        return {}
    from optbench.registry import default_registry
    from optbench.registry.kinds import COMMANDS

    try:
        entries = default_registry().entries(COMMANDS).values()
    except OptbenchError:  # other commands report the error; help must still work
        return {}
    commands: dict[str, click.Command] = {}
    for entry in entries:
        if fault := _fault(entry, taken):
            text = f"plugin {entry.distribution}: its command '{entry.name}' is left out: {fault}"
            warnings.warn(text, PluginWarning, stacklevel=2)
        else:
            commands[entry.name] = entry.item
    return commands


def command_conflict(name: str) -> str:
    """Return a sentence that names both plugins if two of them have a command of this name."""
    if not _others_exist():
        return ""
    from optbench.registry import default_registry
    from optbench.registry.kinds import COMMANDS

    return default_registry().conflict(COMMANDS.plural, name)


def _fault(entry: Entry[Any], taken: Collection[str]) -> str:
    if entry.name in taken:
        return "optbench has a command of this name"
    if not isinstance(entry.item, click.Command):
        return f"it is not a click command, but an object of {type(entry.item).__name__}"
    return ""


def _others_exist() -> bool:
    """Return whether other distributions may have plugins.

    If ``--plugin`` has loaded a plugin, the registry is already imported.
    """
    own = "optbench"
    return "optbench.registry" in sys.modules or any(
        name_and_version(point)[0] != own for point in entry_points_of(own)
    )
