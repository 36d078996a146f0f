"""Commands that plugins add to the command line."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import click

from optbench.errors import OptbenchError, PluginWarning

if TYPE_CHECKING:
    from optbench.registry.entries import Entry

TITLE = "Plugins"
"""Section of ``--help`` that lists them."""


def contributed_commands(taken: Collection[str]) -> dict[str, click.Command]:
    """Return the commands of plugins by name.

    What cannot be a command is left out with a `PluginWarning`. No plugin is loaded if there are
    only those that come with optbench.

    Args:
        taken: Names of optbench's own commands, which a plugin cannot replace.
    """
    if not _others_exist():
        return {}
    from optbench.registry import default_registry
    from optbench.registry.kinds import COMMANDS

    try:
        entries = default_registry().entries(COMMANDS).values()
    except OptbenchError:  # another command says what is wrong, and help is to work all the same
        return {}
    commands: dict[str, click.Command] = {}
    for entry in entries:
        if fault := _fault(entry, taken):
            text = f"plugin {entry.distribution}: its command '{entry.name}' is left out: {fault}"
            warnings.warn(text, PluginWarning, stacklevel=2)
        else:
            commands[entry.name] = entry.item
    return commands


def _fault(entry: Entry[Any], taken: Collection[str]) -> str:
    if entry.name in taken:
        return "optbench has a command of this name"
    if not isinstance(entry.item, click.Command):
        return f"it is not a click command, but an object of {type(entry.item).__name__}"
    return ""


def _others_exist() -> bool:
    """Whether there can be plugins of other distributions.

    The registry is in use already if ``--plugin`` has loaded one.
    """
    own = "optbench"
    return "optbench.registry" in sys.modules or any(
        point.dist is None or point.dist.name != own for point in entry_points(group=own)
    )
