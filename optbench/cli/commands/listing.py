"""``optbench list``."""

from __future__ import annotations

import click

from optbench.cli.options import help_of, json_option, plugin_options
from optbench.cli.output import print_json, print_table, remark, say

KINDS = ("optimizers", "initializers", "datasets", "landscapes", "schedules", "suites")


class Kind(click.Choice[str]):
    """Name of a kind, in the plural or the singular."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the kind in the plural."""
        plural = f"{value}s"
        return super().convert(plural if plural in KINDS else value, param, ctx)


@click.command("list")
@click.argument("kind", type=Kind(KINDS), required=False, metavar=f"[{'|'.join(KINDS)}]")
@json_option
@plugin_options
def command(kind: str | None, as_json: bool) -> None:
    """List everything that is registered, or only one KIND.

    \b
    Examples:
      optbench list
      optbench list optimizers
      optbench list datasets --json
    """
    from optbench.registry import default_registry

    registry = default_registry()
    found = [
        {
            "kind": each,
            "name": name,
            "summary": help_of(entry.item) or suite_summary(entry.item),
            "distribution": entry.distribution,
            "version": entry.version,
        }
        for each in ([kind] if kind else KINDS)
        for name, entry in registry.listed(each).items()
    ]
    if as_json:
        print_json(found)
        return
    for each in [kind] if kind else KINDS:
        rows = [(f["name"], f["summary"], f["distribution"]) for f in found if f["kind"] == each]
        if rows or kind:
            print_table(("name", "what it is", "from"), rows, f"{len(rows)} {each}")
            say()
    remark("Details of each: optbench show NAME")


def suite_summary(path: object) -> str:
    """Return the summary in the file of a suite, or the error if the file cannot be read."""
    from pathlib import Path

    from optbench.errors import ConfigError
    from optbench.suites.toml_files import read_toml

    if not isinstance(path, Path):
        return ""
    try:
        content = read_toml(path, "cannot be read")
    except ConfigError as problem:
        return str(problem)
    return str(content.get("summary") or content.get("description") or "")
