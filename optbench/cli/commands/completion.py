"""``optbench completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from optbench.errors import ConfigError


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a completion script for SHELL that completes commands, options and plugin names.

    \b
    Examples:
      eval "$(optbench completion bash)"                     bash, in ~/.bashrc
      eval "$(optbench completion zsh)"                      zsh, in ~/.zshrc
      optbench completion fish > ~/.config/fish/completions/optbench.fish
    """
    from optbench.cli import main

    found = get_completion_class(shell)
    if found is None:
        raise ConfigError(f"no completion for {shell} is known")
    click.echo(found(main, {}, "optbench", "_OPTBENCH_COMPLETE").source())
