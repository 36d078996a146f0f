"""The group of commands: imports commands on demand and prints each error as one line.

The return value of a command is the exit code; None means 0.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import click

from optbench import __version__
from optbench.cli.contributed_commands import TITLE, command_conflict, contributed_commands
from optbench.cli.interrupts import deafen, exit_code, orderly
from optbench.cli.options import plugin_options
from optbench.cli.output import echo
from optbench.engine.memory_limits import check_address_space, limit_hint
from optbench.errors import OptbenchError, PluginError, PluginWarning, describe_error, nearest
from optbench.support.log_lines import log_to_stderr
from optbench.support.text import one_line

SECTIONS: dict[str, dict[str, str]] = {
    "Compare optimizers": {
        "run": "Train, tune and rank optimizers on a suite.",
        "report": "Write leaderboard, plots and HTML of a finished study again.",
        "plot": "Draw one plot of a study, in any width and format.",
        "compare": "Compare two studies, or two optimizers of one study.",
        "replay": "Train one stored run again and compare it bit by bit.",
        "merge": "Merge the stores of several studies.",
        "export": "Write the runs, or the tables of the leaderboard.",
        "targets": "Show or measure the target losses of the workloads.",
    },
    "Look closer": {
        "inspect": "Look inside a network: signals, layers in training, what is wrong.",
        "sweep": "Train with several values of one or two hyperparameters.",
        "trajectory": "Follow an optimizer over a two-dimensional function.",
        "response": "Show the steps that an optimizer takes on noisy gradients.",
        "profile": "Measure what an optimizer does in ten named properties.",
    },
    "Optimizers, initializers, datasets and suites": {
        "list": "List what is registered.",
        "show": "Explain one optimizer, initializer, dataset or suite.",
        "plugins": "List the plugins found, broken ones with the cause.",
        "check": "Check that a plugin keeps its promises.",
        "new": "Start a plugin of your own.",
    },
    "Shell": {"completion": "Print a completion script for your shell."},
}
"""Sections of ``--help``: commands and their summaries, listed without importing a command."""

COMMANDS = {name: text for section in SECTIONS.values() for name, text in section.items()}

MODULES = {"list": "listing", "plot": "draw_plot"}
"""Modules not named after their command. ``list`` would hide the built-in; ``plot`` is taken."""

TRAINING_COMMANDS = {
    "run",
    "replay",
    "inspect",
    "sweep",
    "trajectory",
    "response",
    "profile",
    "check",
}

EXIT_ERROR, EXIT_USAGE = 1, 2


class Optbench(click.Group):
    """Group of lazily imported commands that suggests a name for a typing error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, with the commands of plugins last."""
        return [*COMMANDS, *contributed_commands(COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command: from its module, or from a plugin."""
        if cmd_name not in COMMANDS:
            return contributed_commands(COMMANDS).get(cmd_name)
        module = importlib.import_module(f"optbench.cli.commands.{MODULES.get(cmd_name, cmd_name)}")
        return module.command  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command as click does; for an unknown one, suggest the closest name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            if name not in known:
                if conflict := command_conflict(name):
                    raise PluginError(conflict)
                near = nearest(name, known)
                hint = f"did you mean '{near}'?" if near else f"commands: {', '.join(known)}"
                raise click.UsageError(f"no command '{name}'; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, with a separate section for the commands of plugins."""
        others = contributed_commands(COMMANDS)
        sections = dict(SECTIONS)
        if others:
            sections[TITLE] = {name: each.get_short_help_str(80) for name, each in others.items()}
        width = max(map(len, [*COMMANDS, *others]))
        for title, commands in sections.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", text) for name, text in commands.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit with its exit code; an error is printed as one line to stderr."""

        def run() -> Any:
            return super(Optbench, self).main(
                args, prog_name, complete_var, standalone_mode=False, **extra
            )

        if not standalone_mode:
            return run()
        with warnings.catch_warnings(), orderly(), log_to_stderr():
            _show_plugin_warnings()
            sys.exit(_guarded(run))


def _guarded(run: Callable[[], Any]) -> int:
    try:
        code = run()
    except click.UsageError as problem:
        where = problem.ctx.command_path if problem.ctx else "optbench"
        return _fail(f"{problem.format_message()} (see {where} --help)", EXIT_USAGE)
    except click.ClickException as problem:
        return _fail(problem.format_message(), EXIT_ERROR)
    except (click.Abort, KeyboardInterrupt):
        deafen()
        return _fail("interrupted", exit_code())
    except OptbenchError as problem:
        return _fail(str(problem), EXIT_ERROR)
    except OSError as problem:
        where = f": {problem.filename}" if problem.filename else ""
        return _fail(f"{problem.strerror or problem}{where}{limit_hint(problem)}", EXIT_ERROR)
    except Exception as problem:
        if os.environ.get("OPTBENCH_TRACEBACK"):
            raise
        hint = limit_hint(problem) or " (set OPTBENCH_TRACEBACK=1 to see where)"
        return _fail(f"{describe_error(problem)}{hint}", EXIT_ERROR)
    return code if isinstance(code, int) else 0


def _fail(text: str, code: int) -> int:
    echo(f"{click.style('error:', fg='red', bold=True)} {one_line(text)}", err=True)
    return code


def _show_plugin_warnings() -> None:
    """Print each `PluginWarning` once, as one line."""
    ordinary, said = warnings.showwarning, set[str]()

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if not issubclass(category, PluginWarning):
            ordinary(message, category, *where, **more)
        elif str(message) not in said:
            said.add(str(message))
            text = one_line(str(message))
            echo(f"{click.style('warning:', fg='yellow')} {text}", err=True)

    warnings.simplefilter("always", PluginWarning)
    warnings.showwarning = show


@click.group(
    cls=Optbench,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="optbench %(version)s")
@plugin_options
@click.pass_context
def main(ctx: click.Context) -> None:
    """Bring an optimizer, get an honest leaderboard, and learn why it won or lost.

    \b
    Examples:
      optbench run                             the quick suite, in under a minute
      optbench run -o adam -o 'sgd[lr=0.1]'    two optimizers on the quick suite
      optbench list optimizers                 what can be compared
      optbench show adam                       formula, source, hyperparameters
      optbench new optimizer mine              a plugin of your own, ready to install
      optbench run -o mine --plugin mine.py    a plugin in one file, not installed

    Exit codes: 0 done; 1 error; 2 usage; 3 finished, but some runs failed for a cause other than
    divergence; 4 something is worse (compare --fail-if-worse); 130 interrupted by Ctrl-C; 143 ended
    by SIGTERM.
    """
    wants_help = not {"-h", "--help"}.isdisjoint(sys.argv)
    if ctx.invoked_subcommand in TRAINING_COMMANDS and not wants_help:
        check_address_space()
    if ctx.invoked_subcommand is None:
        echo(ctx.get_help())
