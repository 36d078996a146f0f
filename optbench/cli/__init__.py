"""The command line ``optbench``. Each command is a module, imported when it is called."""

from optbench.cli.group import main

__all__ = ["main"]
