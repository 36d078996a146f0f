"""Options shared by several commands, and shell completion of plugin names."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from optbench.errors import ConfigError, PluginWarning
from optbench.records import REGIMES

F = TypeVar("F", bound=Callable[..., Any])

POSITIVE = click.IntRange(min=1)
REGIME = click.Choice(REGIMES)


class Formats(click.ParamType[tuple[str, ...]]):
    """Formats of plots, such as ``png,svg``; ``none`` for no plots."""

    name = "formats"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the formats, split at commas and checked."""
        if isinstance(value, tuple):
            return value
        if value.strip() == "none":
            return ()
        from optbench.report import FORMATS

        found = tuple(part.strip() for part in value.split(",") if part.strip())
        for part in found:
            if part not in FORMATS:
                self.fail(f"'{part}' is none of {', '.join(FORMATS)}, none", param, ctx)
        return found


class Widths(click.ParamType[tuple[int, ...]]):
    """Widths of hidden layers, such as ``32,32``; ``linear`` for no hidden layers."""

    name = "widths"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the widths.

        Raises:
            ConfigError: A width is not a whole number from 1 to 1,000,000.
        """
        if isinstance(value, tuple):
            return value
        if value.strip() == "linear":
            return ()
        parts = [part.strip() for part in value.split(",")]
        if not all(part.isascii() and part.isdigit() and 0 < int(part) <= 10**6 for part in parts):
            raise ConfigError(
                f"--hidden '{value}' is not allowed; widths from 1 to 1,000,000 with commas "
                "between, as in 32,32, or 'linear' for no hidden layer"
            )
        return tuple(map(int, parts))


class Place(click.Path):
    """Path of a file or a folder, converted to a `Path`; NUL characters are refused.

    Args:
        folder: Whether to refuse an existing file.
    """

    def __init__(self, folder: bool = False) -> None:
        super().__init__(path_type=Path, file_okay=not folder)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, converted as click does."""
        if "\0" in str(value):
            self.fail("a path cannot have a NUL in it", param, ctx)
        return super().convert(value, param, ctx)


def _load_plugins(ctx: click.Context, param: click.Parameter, targets: tuple[str, ...]) -> None:
    if not targets or ctx.resilient_parsing:
        return
    from optbench.registry import default_registry

    registry = default_registry()
    for target in targets:
        registry.load_once(target)
    registry.check()


def _be_strict(ctx: click.Context, param: click.Parameter, strict: bool) -> None:
    if not strict or ctx.resilient_parsing:
        return
    from optbench.registry import default_registry

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # the check below raises an error instead
        default_registry().check(strict=True)


def plugin_options(command: F) -> F:
    """Add ``--plugin FILE|MODULE`` and ``--strict``, which take effect before the command starts.

    Neither is passed to the command's function.
    """
    command = click.option(
        "--strict",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_be_strict,
        help="Make it an error when an installed plugin does not load.",
    )(command)
    return click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="FILE|MODULE",
        is_eager=True,
        expose_value=False,
        callback=_load_plugins,
        help="Load a plugin that is not installed: a Python file or a module. Repeatable.",
        shell_complete=lambda ctx, param, text: [CompletionItem(text, type="file")],
    )(command)


def options(*stack: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator that adds several options, listed in this order by ``--help``."""

    def decorate(command: F) -> F:
        for option in reversed(stack):
            command = option(command)
        return command

    return decorate


def named_option(
    short: str, kind: str, help_text: str, *, multiple: bool = False
) -> Callable[[F], F]:
    """Return an option that takes the name of a plugin of one kind.

    Args:
        short: Short form, such as ``"-o"``. The long form is the kind in the singular.
        kind: ``"optimizers"``, ``"initializers"`` or ``"datasets"``.
        help_text: Help text of the option.
        multiple: Whether the option may be repeated. If so, its argument is called `kind`, and
            otherwise the singular of `kind`.
    """
    singular = kind.removesuffix("s")
    return click.option(
        short,
        f"--{singular}",
        kind if multiple else singular,
        multiple=multiple,
        metavar="NAME[...]",
        shell_complete=registered(kind),
        help=help_text,
    )


def out_option(default: str, help_text: str) -> Callable[[F], F]:
    """Return the option ``--out``, the only folder that a command writes to."""
    return click.option(
        "--out", type=Place(folder=True), default=default, show_default=True, help=help_text
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout.")
"""``--json``, passed to the command as ``as_json``."""


def registered(*kinds: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Return a shell completion for plugin names of the given kinds (``"optimizers"``, ...)."""

    def complete(ctx: click.Context, param: click.Parameter, text: str) -> list[Any]:
        from optbench.registry import default_registry

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # completion must not write to the terminal
            registry = default_registry()
        return [
            CompletionItem(name, help=help_of(entry.item))
            for kind in kinds
            for name, entry in registry.listed(kind).items()
            if name.startswith(text)
        ]

    return complete


def help_of(item: Any) -> str:
    """Return the one-line summary of a registered item; empty for a suite, which is a file."""
    return str(item.summary()) if hasattr(item, "summary") else ""
