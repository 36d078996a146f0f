"""The command line: ``optbench``. One module a command, imported when it is called."""

from optbench.cli.group import main

__all__ = ["main"]
